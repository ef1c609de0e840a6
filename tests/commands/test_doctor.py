"""The command doctor: its report and its exit codes."""

from remi_tf import doctor
from remi_tf.commands.doctor import main as command

GOOD = {
    "python": "3.11.7",
    "numpy": "2.3.1",
    "tensorflow": "2.21.0",
    "tf_keras": "2.21.0",
    "keras": "3.12.0",
    "tensorflow-recommenders": "0.7.7",
    "faiss-cpu": "1.15.0",
    "pandas": "2.3.0",
    "pyarrow": "20.0.0",
    "scann": None,
}


def found_with(**changed):
    return {**GOOD, **{name.replace("__", "-"): value for name, value in changed.items()}}


def test_a_conflict_is_reported_and_exits_with_1(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "versions", lambda: found_with(tf_keras="2.19.0"))
    assert command([]) == 1
    assert "pip install 'tf_keras==2.21.*'" in capsys.readouterr().out
