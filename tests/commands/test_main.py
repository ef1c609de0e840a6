"""remi-tf: every command by one name."""

import re
import sys
from pathlib import Path

import pytest

from remi_tf.commands.main import COMMANDS, dispatch
from remi_tf.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
FLAGS = ("id_flags", "item_changes", "log_flags", "other_names")
OF_EVALUATE = ("compare", "json_results", "result_tables")
OF_TRAIN = ("dry_run",)


@pytest.fixture(autouse=True)
def own_arguments(monkeypatch):
    """`dispatch` changes the name that the process was started by."""
    monkeypatch.setattr(sys, "argv", ["remi-tf"])


def test_without_a_command_all_of_them_are_listed(capsys):
    for arguments in ([], ["--help"]):
        assert dispatch(arguments) == 0
        listed = re.findall(r"^  (\w+) +\S", capsys.readouterr().out, re.M)
        assert listed == list(COMMANDS)


def test_each_command_has_its_file_and_the_other_files_are_parts_of_commands():
    files = {path.stem for path in (ROOT / "remi_tf" / "commands").glob("*.py")}
    assert files == {*COMMANDS, "__init__", "cli", "console", "main", *FLAGS, *OF_EVALUATE, *OF_TRAIN}


def test_an_unknown_command_is_refused_with_those_there_are():
    with pytest.raises(InputError, match=r"remi-tf trian: no such command; did you mean train\?"):
        dispatch(["trian"])
    with pytest.raises(InputError, match="remi-tf xyz: no such command; there are prepare, train"):
        dispatch(["xyz"])
    with pytest.raises(InputError, match="--dataset is missing"):
        dispatch(["train"])
