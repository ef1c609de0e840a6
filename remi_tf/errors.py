"""Errors that the user can fix. A message is one line: the place, the value and the remedy."""

import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]


class InputError(ValueError):
    """Something given from outside (a file, a flag, a column) cannot be used.

    The commands print its message without a traceback and exit with code 2.
    """


class TrainingDiverged(ArithmeticError):
    """A loss became NaN or infinite; the message names the step, the part and what to try."""


class TrainingInterrupted(KeyboardInterrupt):
    """Ctrl-C or SIGTERM ended training early. Everything is saved, and the message says how to continue."""


def command(name: str) -> str:
    """How a command is typed: by its script in a checkout (`python train.py`), else as `remi-tf train`.

    A process that was started as `remi-tf` keeps to that name, also in a checkout.
    """
    script = "data/prepare.py" if name == "prepare" else f"{name}.py"
    by_script = (_ROOT / script).is_file() and not Path(sys.argv[0]).name.startswith("remi-tf")
    return f"python {script}" if by_script else f"remi-tf {name}"
