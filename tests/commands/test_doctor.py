"""The command doctor: its report and its exit codes."""

from remi_tf import doctor
from remi_tf.commands.doctor import main as command
from tests.test_doctor import found_with


def test_a_conflict_is_reported_and_exits_with_1(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "versions", lambda: found_with(tf_keras="2.19.0"))
    assert command([]) == 1
    assert "pip install 'tf_keras==2.21.*'" in capsys.readouterr().out
