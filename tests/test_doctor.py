import os
import subprocess
import sys

import pytest

from remi_tf import doctor

GOOD = {
    "python": "3.11.7",
    "numpy": "2.3.1",
    "scipy": "1.16.3",
    "tensorflow": "2.21.0",
    "tf_keras": "2.21.0",
    "keras": "3.12.0",
    "tensorflow-recommenders": "0.7.7",
    "faiss-cpu": "1.15.0",
    "matplotlib": "3.10.0",
    "pandas": "2.3.0",
    "pyarrow": "20.0.0",
    "scann": None,
}


def found_with(**changed):
    return {**GOOD, **{name.replace("__", "-"): value for name, value in changed.items()}}


def conflicts(found=None, errors=None, keras_version=None, python=(3, 11, 7)):
    return doctor.conflicts(found or GOOD, errors or {}, keras_version, python)


def test_a_sound_environment_has_no_conflict():
    assert conflicts() == []


def test_keras_3_on_disk_is_no_conflict_as_tensorflow_brings_it():
    assert conflicts(found_with(keras="3.12.0")) == []


@pytest.mark.parametrize(
    ("situation", "remedy"),
    [
        ({"python": (3, 9, 1)}, "Python 3.10 to 3.13"),
        ({"python": (3, 14, 0)}, "Python 3.10 to 3.13"),
        ({"found": found_with(faiss__cpu=None)}, "missing: faiss-cpu; run pip install -r requirements.txt"),
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


def run(program, **environment):
    environment = {name: value for name, value in os.environ.items() if name != "TF_USE_LEGACY_KERAS"} | environment
    return subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)


@pytest.mark.trains
def test_importing_the_package_chooses_keras_2_without_loading_it():
    """tf.keras is a lazy loader that picks Keras 3 or 2 when first touched."""
    program = (
        "import tensorflow as tf, remi_tf; print(remi_tf.active_keras_3(), type(vars(tf)['keras']).__name__); "
        "print(tf.keras.Model.__module__)"
    )
    for setting in ({}, {"TF_USE_LEGACY_KERAS": "0"}):
        untouched, touched = run(program, **setting).stdout.splitlines()
        assert untouched == "None KerasLazyLoader"
        assert touched.startswith("tf_keras.")


@pytest.mark.trains
def test_a_process_where_keras_3_is_loaded_already_is_refused_with_the_remedy():
    result = run("import tensorflow as tf; tf.keras.Model; import remi_tf")
    assert result.returncode == 1 and "set TF_USE_LEGACY_KERAS=1 before" in result.stderr.splitlines()[-1]


def test_memory_is_read_in_gibibytes():
    text = "MemTotal:       16777216 kB\nMemFree:  1 kB\nMemAvailable:    8388608 kB\nHugePages_Total:       0\n"
    assert doctor.memory(text) == {"MemTotal": 16.0, "MemAvailable": 8.0}
    assert doctor.memory("") == {}


@pytest.mark.trains
def test_the_report_of_a_sound_machine_exits_with_0():
    result = subprocess.run([sys.executable, "-m", "remi_tf.doctor"], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == "no conflict found"
    assert "tensorflow               2." in result.stdout
