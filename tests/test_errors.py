"""Errors: who has to catch what, and commands that can be typed as they are printed."""

from pathlib import Path

import pytest

from remi_tf import errors
from remi_tf.commands.main import COMMANDS

ROOT = Path(__file__).resolve().parents[1]


def test_a_caller_may_catch_them_as_what_python_calls_them():
    assert issubclass(errors.InputError, ValueError)
    assert issubclass(errors.TrainingDiverged, ArithmeticError)


def test_an_interrupt_is_not_swallowed_by_a_caller_that_catches_every_exception():
    assert issubclass(errors.TrainingInterrupted, KeyboardInterrupt)
    assert not issubclass(errors.TrainingInterrupted, Exception)


@pytest.mark.parametrize("name", ["prepare", "train", "evaluate", "report", "export", "index", "recommend"])
def test_in_a_checkout_a_command_is_a_script_that_is_there(name):
    program, script = errors.command(name).split()
    assert program == "python" and (ROOT / script).is_file()


def test_without_a_checkout_a_command_is_one_of_the_package(monkeypatch, tmp_path):
    monkeypatch.setattr(errors, "_ROOT", tmp_path)
    for name in COMMANDS:
        assert errors.command(name) == f"remi-tf {name}"


def test_arguments_of_a_command_are_quoted_where_a_shell_needs_it(monkeypatch, tmp_path):
    monkeypatch.setattr(errors, "_ROOT", tmp_path)
    assert errors.command("index", "--run_dir", Path("runs/a")) == "remi-tf index --run_dir runs/a"
    assert errors.command("index", "--run_dir", "runs/[1, 2]") == "remi-tf index --run_dir 'runs/[1, 2]'"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(28, "No space left on device"), "No space left on device"),
        (OSError(122, "Disk quota exceeded", "a.txt"), "Disk quota exceeded"),
        (RuntimeError("Error in write: a.faiss: 4096 != 8192 (No space left on device)"), "No space left on device"),
        (OSError("IOError: [Errno 28] Error writing bytes to file. Detail: No space left on device"), "No space left"),
        (OSError("79634 requested and 25568 written"), "could not be written whole; is the disk full"),
        (FileNotFoundError(2, "No such file or directory", "a.txt"), None),
        (BrokenPipeError(32, "Broken pipe"), None),
        (RuntimeError("a bug"), None),
    ],
)
def test_a_full_disk_is_known_whoever_reports_it(error, reason):
    found = errors.disk_error(error)
    assert (found is None) == (reason is None)
    assert found is None or reason in found.strerror


def test_an_error_of_a_hidden_file_names_what_it_stands_for():
    with pytest.raises(OSError, match="is kept") as full, errors.writing("shop", lambda name: name.startswith(".")):
        raise OSError(28, "No space left on device", ".shop.hidden/items.txt")
    assert full.value.filename == "shop"
    with pytest.raises(OSError, match="No space") as other, errors.writing("shop", lambda name: False):
        raise OSError(28, "No space left on device", "/elsewhere")
    assert other.value.filename == "/elsewhere"


def test_any_error_of_a_hidden_file_names_what_it_stands_for():
    with pytest.raises(PermissionError) as refused, errors.writing("shop", lambda name: name.startswith(".")):
        raise PermissionError(13, "Permission denied", ".shop.lock")
    assert (refused.value.filename, refused.value.strerror) == ("shop", "Permission denied")
