import os
import subprocess
import sys

import pytest

from remi_tf import doctor

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


def conflicts(found=None, errors=None, environment=None, keras_version=None, python=(3, 11, 7)):
    return doctor.conflicts(found or GOOD, errors or {}, environment or {}, keras_version, python)


def test_a_sound_environment_has_no_conflict():
    assert conflicts(environment={"TF_USE_LEGACY_KERAS": "1"}, keras_version="2.21.0") == []


def test_keras_3_on_disk_is_no_conflict_as_tensorflow_brings_it():
    assert conflicts(found_with(keras="3.12.0")) == []


@pytest.mark.parametrize(
    ("situation", "remedy"),
    [
        ({"python": (3, 9, 1)}, "Python 3.10 to 3.13"),
        ({"python": (3, 14, 0)}, "Python 3.10 to 3.13"),
        ({"found": found_with(faiss__cpu=None)}, "missing: faiss-cpu; run pip install -r requirements.txt"),
        ({"environment": {"TF_USE_LEGACY_KERAS": "0"}}, "unset TF_USE_LEGACY_KERAS"),
        ({"keras_version": "3.12.0"}, "set TF_USE_LEGACY_KERAS=1 before TensorFlow is loaded"),
        ({"found": found_with(tf_keras="2.19.0")}, "pip install 'tf_keras==2.21.*'"),
        ({"found": found_with(tensorflow="2.17.1", tf_keras="2.17.0")}, "pip install 'numpy<2'"),
        (
            {"errors": {"faiss-cpu": "AttributeError: _ARRAY_API not found"}},
            "pip install --force-reinstall numpy faiss-cpu",
        ),
        (
            {"found": found_with(scann="1.4.2"), "errors": {"tensorflow-recommenders": "undefined symbol"}},
            "pip uninstall scann",
        ),
        ({"errors": {"pyarrow": "OSError: libarrow.so not found"}}, "pyarrow 20.0.0 cannot be imported: OSError"),
    ],
)
def test_every_known_conflict_is_found_alone_and_has_a_remedy(situation, remedy):
    (found,) = conflicts(**situation)
    assert remedy in found


def test_scann_is_blamed_only_when_tensorflow_recommenders_fails_and_tensorflow_does_not():
    assert conflicts(found_with(scann="1.4.2")) == []
    errors = {"tensorflow": "no libcuda", "tensorflow-recommenders": "no libcuda"}
    assert not any("scann" in remedy for remedy in conflicts(found_with(scann="1.4.2"), errors))


def test_an_import_that_fails_is_reported_and_does_not_stop_the_others(monkeypatch):
    def broken(module):
        if module == "faiss":
            raise AttributeError("_ARRAY_API\nnot found")

    monkeypatch.setattr(doctor.importlib, "import_module", broken)
    assert doctor.try_imports(GOOD) == {"faiss-cpu": "AttributeError: _ARRAY_API not found"}


def test_asking_for_the_active_keras_does_not_load_one():
    """tf.keras is a lazy loader that picks Keras 3 or 2 when first touched."""
    folder = os.path.dirname(doctor.__file__)
    program = (
        f"import sys; sys.path.insert(0, {folder!r}); import doctor, tensorflow as tf; "
        "print(doctor.active_keras_3(), type(vars(tf)['keras']).__name__); "
        "tf.keras.layers; print(doctor.active_keras_3())"
    )
    environment = {name: value for name, value in os.environ.items() if name != "TF_USE_LEGACY_KERAS"}
    result = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    untouched, touched = result.stdout.splitlines()
    assert untouched == "None KerasLazyLoader"
    assert touched.startswith("3.")


def test_memory_is_read_in_gibibytes():
    text = "MemTotal:       16777216 kB\nMemFree:  1 kB\nMemAvailable:    8388608 kB\nHugePages_Total:       0\n"
    assert doctor.memory(text) == {"MemTotal": 16.0, "MemAvailable": 8.0}
    assert doctor.memory("") == {}


def test_the_report_runs_and_exits_by_what_it_found():
    script = doctor.__file__  # run by itself, as with a package that refuses to be imported
    for setting, code, last in (("1", 0, "no conflict found"), ("0", 1, "1 conflict(s) found")):
        environment = {**os.environ, "TF_USE_LEGACY_KERAS": setting}
        result = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True)
        assert result.returncode == code, result.stderr
        assert result.stdout.splitlines()[-1] == last
        assert "tensorflow               2." in result.stdout
