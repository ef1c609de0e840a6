"""What a prepared folder is made of: lists of texts, one a line, and arrays."""

from collections.abc import Iterable
from pathlib import Path
from typing import IO

import numpy as np

from remi_tf.errors import InputError
from remi_tf.files import atomic_file


def write_lines(path: str | Path, lines: Iterable[str]) -> None:
    """Write strings without line breaks, one per line.

    Raises:
      InputError: a string holds a line break.
    """
    text = text_of_lines(Path(path).name, lines)
    with atomic_file(path) as file:
        file.write(text)


def text_of_lines(name: str, lines: Iterable[str], first: int = 1) -> str:
    """Strings without line breaks as lines `first`, first + 1, … of the file `name`.

    Raises:
      InputError: a string holds a line break.
    """
    lines = list(lines)
    text = "".join(f"{line}\n" for line in lines)
    if "\r" in text or text.count("\n") != len(lines):
        number, line = next((n, line) for n, line in enumerate(lines, first) if "\n" in line or "\r" in line)
        raise InputError(f"{name} line {number}: {line!r} holds a line break; take it out of the log")
    return text


def read_lines(path: str | Path) -> list[str]:
    """Read what `write_lines` wrote."""
    with open(path, encoding="utf-8", newline="\n") as file:
        return [line[:-1] for line in file]


def save_array(path: str | Path, values: np.ndarray) -> None:
    """`np.save` whose errors have a reason: on a full disk NumPy itself only says how many numbers are missing."""
    with open(path, "wb") as file:
        np.save(_Blocks(file), values, allow_pickle=False)


class _Blocks:
    """A file that NumPy does not take for one, so that it writes through `write`."""

    def __init__(self, file: IO[bytes]):
        self.write = file.write


def open_array(path: str | Path) -> np.ndarray:
    """What `save_array` wrote, memory-mapped.

    Raises:
      InputError: it is not there, or no array.
    """
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError, SyntaxError) as error:
        raise InputError(f"{path}: not the array that prepare wrote ({error}); prepare the dataset again") from error
