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


@pytest.mark.parametrize("name", ["prepare", "train", "evaluate", "export", "index", "recommend"])
def test_in_a_checkout_a_command_is_a_script_that_is_there(name):
    program, script = errors.command(name).split()
    assert program == "python" and (ROOT / script).is_file()


def test_without_a_checkout_a_command_is_one_of_the_package(monkeypatch, tmp_path):
    monkeypatch.setattr(errors, "_ROOT", tmp_path)
    for name in COMMANDS:
        assert errors.command(name) == f"remi-tf {name}"
