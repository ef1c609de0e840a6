"""`remi-tf COMMAND …`: all commands under one name, for an installed package without a checkout."""

import difflib
import sys
from importlib import import_module

from remi_tf import __version__
from remi_tf.commands.cli import run_main
from remi_tf.errors import InputError

COMMANDS = {
    "prepare": "a raw log → a dataset folder",
    "train": "train a model on it",
    "tune": "a search for settings, trial by trial",
    "evaluate": "a run's metrics",
    "report": "a page about a run",
    "export": "a run as a SavedModel for TensorFlow Serving",
    "index": "an approximate index of a run's items",
    "recommend": "the best items for a history, or for a whole log",
    "vectors": "vectors of a run's items, and of the users of a log",
    "doctor": "versions, devices, known conflicts",
}
USAGE = "usage: remi-tf COMMAND …\n\n" + "\n".join(f"  {name:<10} {what}" for name, what in COMMANDS.items())
USAGE += "\n\nremi-tf COMMAND --help lists the flags of a command."


def dispatch(argv: list[str]) -> int:
    """Run the command that the first argument names, with the other arguments.

    Raises:
      InputError: there is no such command.
    """
    if not argv or argv[0] in ("-h", "--help"):
        print(USAGE)
        return 0
    if argv[0] == "--version":
        print(f"remi_tf {__version__}")
        return 0
    if argv[0] not in COMMANDS:
        near = difflib.get_close_matches(argv[0], COMMANDS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(COMMANDS)}"
        raise InputError(f"remi-tf {argv[0]}: no such command; {hint}")
    sys.argv[0] = f"remi-tf {argv[0]}"  # what a usage line begins with
    return import_module(f"remi_tf.commands.{argv[0]}").main(argv[1:])


def main() -> None:
    """The console script."""
    run_main(dispatch)
