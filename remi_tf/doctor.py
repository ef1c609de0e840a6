"""``python -m remi_tf.doctor``: which versions and devices are here, and what to do about known conflicts.

A package that cannot be imported is reported, not raised. Every check is a function of plain values.
"""

import contextlib
import importlib
import os
import platform
import sys
from collections.abc import Mapping
from importlib import metadata
from typing import Any

from remi_tf import active_keras_3
from remi_tf.quiet_loading import load_tensorflow

PACKAGES = {  # distribution → the module it is imported as
    "numpy": "numpy",
    "scipy": "scipy",
    "tensorflow": "tensorflow",
    "tf_keras": "tf_keras",
    "keras": "keras",
    "tensorflow-recommenders": "tensorflow_recommenders",
    "faiss-cpu": "faiss",
    "pandas": "pandas",
    "pyarrow": "pyarrow",
    "matplotlib": "matplotlib",
}
IMPORT_ERRORS = (ImportError, AttributeError, TypeError, ValueError, RuntimeError, OSError)
"""What a package may raise on import if it does not fit the others."""
PYTHON_FROM, PYTHON_BEFORE = (3, 10), (3, 14)


def versions() -> dict[str, str | None]:
    """Installed version of Python and of each package, None where it is missing; nothing is imported."""
    found: dict[str, str | None] = {"python": platform.python_version()}
    for name in [*PACKAGES, "scann"]:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found


def check_python(version: tuple[int, ...]) -> str | None:
    """A remedy if this Python is not supported."""
    if PYTHON_FROM <= version[:2] < PYTHON_BEFORE:
        return None
    supported = f"{_dotted(PYTHON_FROM)} to {PYTHON_BEFORE[0]}.{PYTHON_BEFORE[1] - 1}"
    return f"Python {_dotted(version)} is not supported: make an environment with Python {supported}"


def check_missing(found: Mapping[str, str | None]) -> str | None:
    """A remedy if a required package is missing (keras itself comes with tensorflow and is not required)."""
    missing = [name for name in PACKAGES if name != "keras" and found.get(name) is None]
    return f"missing: {', '.join(missing)}; run pip install -r requirements.txt" if missing else None


def check_keras(active_version: str | None) -> str | None:
    """A remedy if tf.keras is Keras 3 in this process.

    active_version: its version, None if tf.keras is not loaded or is Keras 2.
    """
    if active_version is None:
        return None
    return (
        f"tf.keras is Keras {active_version} in this process: set TF_USE_LEGACY_KERAS=1 before TensorFlow is "
        "loaded (sitecustomize, notebook start-up and .pth files may load it early)"
    )


def check_tf_keras(found: Mapping[str, str | None]) -> str | None:
    """A remedy if tf_keras was made for another TensorFlow than the one installed."""
    tensorflow, tf_keras = found.get("tensorflow"), found.get("tf_keras")
    if tensorflow is None or tf_keras is None or _minor(tensorflow) == _minor(tf_keras):
        return None
    wanted = _dotted(_minor(tensorflow))
    return f"tf_keras {tf_keras} next to tensorflow {tensorflow}: run pip install 'tf_keras=={wanted}.*'"


def check_numpy(found: Mapping[str, str | None], errors: Mapping[str, str]) -> str | None:
    """A remedy if NumPy's binary interface is not the one TensorFlow (or another package) was compiled for.

    errors: package → message of its failed import.
    """
    numpy, tensorflow = found.get("numpy"), found.get("tensorflow")
    if numpy is None:
        return None
    if tensorflow is not None and _minor(numpy) >= (2, 0) and _minor(tensorflow) < (2, 18):
        return f"tensorflow {tensorflow} was built for NumPy 1, here is {numpy}: run pip install 'numpy<2'"
    signs = ("numpy.core.multiarray", "numpy._core", "_ARRAY_API", "numpy.dtype size changed", "compiled using NumPy")
    for package, message in errors.items():
        if any(sign in message for sign in signs):
            return (
                f"{package} was compiled for another NumPy than {numpy} ({message}): "
                f"run pip install --force-reinstall numpy {package}"
            )
    return None


def check_scann(found: Mapping[str, str | None], errors: Mapping[str, str]) -> str | None:
    """A remedy if scann breaks tensorflow-recommenders, which imports scann where it is installed."""
    if found.get("scann") is None or "tensorflow-recommenders" not in errors or "tensorflow" in errors:
        return None
    return (
        f"scann {found['scann']} does not fit tensorflow {found.get('tensorflow')} and breaks the import of "
        "tensorflow-recommenders: run pip uninstall scann (remi_tf does not use it)"
    )


def check_imports(found: Mapping[str, str | None], errors: Mapping[str, str]) -> str | None:
    """What could not be imported although it is installed."""
    failed = [f"{name} {found[name]} cannot be imported: {errors[name]}" for name in errors if found.get(name)]
    return "; ".join(failed) + "; run pip install --force-reinstall for it" if failed else None


def conflicts(
    found: Mapping[str, str | None],
    errors: Mapping[str, str],
    keras_version: str | None,
    python: tuple[int, ...],
) -> list[str]:
    """Every conflict with its remedy; a failed import is reported by itself only if nothing else explains it."""
    explained = [
        check_python(python),
        check_missing(found),
        check_keras(keras_version),
        check_tf_keras(found),
        check_numpy(found, errors),
        check_scann(found, errors),
    ]
    remedies = [remedy for remedy in explained if remedy is not None]
    unexplained = check_imports(found, errors)
    return remedies or ([unexplained] if unexplained else [])


def try_imports(found: Mapping[str, str | None]) -> dict[str, str]:
    """Import every installed package that remi_tf uses: package → one-line error of those that fail."""
    errors = {}
    with contextlib.suppress(*IMPORT_ERRORS):
        load_tensorflow()  # first, and without what it prints; a failure shows again below
    for name, module in PACKAGES.items():
        if found.get(name) is None or name == "keras":
            continue
        try:
            importlib.import_module(module)
        except IMPORT_ERRORS as error:
            errors[name] = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    return errors


def devices() -> dict[str, Any]:
    """CPU cores this process may use, and the GPUs TensorFlow sees (None where TensorFlow does not load)."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    try:
        load_tensorflow()
        import tensorflow as tf

        gpus: list[str] | None = [device.name for device in tf.config.list_physical_devices("GPU")]
    except IMPORT_ERRORS:
        gpus = None
    return {"cpu_cores": cores, "gpus": gpus}


def memory(meminfo: str) -> dict[str, float]:
    """Total and available memory in GiB, from the text of /proc/meminfo; empty if the text has neither."""
    gibibytes = {}
    for line in meminfo.splitlines():
        name, _, value = line.partition(":")
        if name in ("MemTotal", "MemAvailable"):
            gibibytes[name] = int(value.split()[0]) / 2**20
    return gibibytes


def report() -> tuple[list[str], bool]:
    """Versions, devices and a remedy for every known conflict, one line each; and whether all is well."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    found = versions()
    keras_version = active_keras_3()
    errors = try_imports(found)
    lines = [
        f"{name:<24} {version or 'missing'}{'  (import fails)' if name in errors else ''}"
        for name, version in found.items()
        if name != "scann" or version is not None
    ]
    here = devices()
    gpus = "unknown (TensorFlow does not load)" if here["gpus"] is None else ", ".join(here["gpus"]) or "none"
    lines += [f"{'CPU cores':<24} {here['cpu_cores']}", f"{'GPUs':<24} {gpus}"]
    with contextlib.suppress(OSError), open("/proc/meminfo", encoding="ascii") as file:
        lines += [f"{name:<24} {gibibytes:.1f} GiB" for name, gibibytes in memory(file.read()).items()]
    remedies = conflicts(found, errors, keras_version, sys.version_info[:3])
    lines += [f"conflict: {remedy}" for remedy in remedies]
    lines.append(f"{len(remedies)} conflict(s) found" if remedies else "no conflict found")
    return lines, not remedies


def _minor(version: str) -> tuple[int, ...]:
    """'2.21.0' → (2, 21)."""
    return tuple(int(part) for part in version.split(".")[:2])


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)


if __name__ == "__main__":  # as `remi-tf doctor`, but the rest of the package need not load
    if len(sys.argv) > 1:
        print("usage: python -m remi_tf.doctor\n\nPrints versions, devices and a remedy for every known conflict.")
        sys.exit(0 if sys.argv[1] in ("-h", "--help") else 2)
    printed, well = report()
    print(*printed, sep="\n")
    sys.exit(0 if well else 1)
