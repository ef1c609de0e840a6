"""Errors that the user can fix. A message is one line: the place, the value and the remedy."""

import contextlib
import errno
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)
"""A disk that is full, over its quota, or cannot be written."""
_ROOT = Path(__file__).resolve().parents[1]


class InputError(ValueError):
    """Something given from outside (a file, a flag, a column) cannot be used.

    The commands print its message without a traceback and exit with code 2.
    """


class TrainingDiverged(ArithmeticError):
    """A loss became NaN or infinite; the message names the step, the part and what to try."""


class TrainingInterrupted(KeyboardInterrupt):
    """Ctrl-C or SIGTERM ended training early. Everything is saved, and the message says how to continue."""


def command(name: str, *arguments: object) -> str:
    """How a command is typed: by its script in a checkout (`python train.py`), else as `remi-tf train`.

    `arguments` follow it, in quotes where a shell needs them.

    A process that was started as `remi-tf` keeps to that name, also in a checkout.
    """
    script = "data/prepare.py" if name == "prepare" else f"{name}.py"
    by_script = (_ROOT / script).is_file() and not Path(sys.argv[0]).name.startswith("remi-tf")
    words = ["python", script] if by_script else ["remi-tf", name]
    return shlex.join([*words, *map(str, arguments)])


def disk_error(error: BaseException) -> OSError | None:
    """The error of the operating system behind what a library raised when it could not write; None for other errors.

    TensorFlow and Faiss raise errors of their own, Arrow leaves out the file, and NumPy only counts what is missing.
    """
    number = error.errno if isinstance(error, OSError) else None
    file = error.filename if isinstance(error, OSError) else None
    number = number or next((known for known in _DISK if os.strerror(known) in str(error)), None)
    if number is None and isinstance(error, OSError) and re.search(r"\d+ requested and \d+ written", str(error)):
        return OSError(errno.EIO, "could not be written whole; is the disk full?", file)
    return OSError(number, os.strerror(number), file) if number in _DISK else None


@contextlib.contextmanager
def writing(path: Path, hides: Callable[[str], bool]) -> Iterator[None]:
    """Errors within the block name `path` instead of a hidden file; those of a full disk do, whoever raises them.

    Args:
      hides: whether a file's name is a hidden one that stands for `path`.
    """
    try:
        yield
    except Exception as error:
        file = error.filename if isinstance(error, OSError) else None
        hidden = file is not None and hides(os.fsdecode(file))
        full = disk_error(error)
        if full is not None and (file is None or hidden):
            kept = "nothing is left of it, and what was there before is kept"
            raise OSError(full.errno, f"{full.strerror}; {kept}", str(path)) from error
        if hidden and isinstance(error, OSError):
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
