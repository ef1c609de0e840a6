"""Raw item id ↔ row of the item table. Row 0 is padding and stands for no item."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from remi_tf.errors import InputError
from remi_tf.files import atomic_file


class Vocabulary:
    """The raw ids of rows 1..I, in the order of their rows (descending popularity after prepare).

    On disk it is a UTF-8 text file with one id per line, so that a tf.lookup table can read it.
    """

    def __init__(self, raw_ids: Sequence[str]):
        self._raw_ids = list(raw_ids)

    def __len__(self) -> int:
        return len(self._raw_ids)

    @cached_property
    def _row_of(self) -> dict[str, int]:
        return {raw_id: row for row, raw_id in enumerate(self._raw_ids, start=1)}

    def __contains__(self, raw_id: object) -> bool:
        return raw_id in self._row_of

    def rows(self, raw_ids: Iterable[str]) -> np.ndarray:
        """[n] int32 rows; 0 for an id that is not in the vocabulary."""
        return np.array([self._row_of.get(raw_id, 0) for raw_id in raw_ids], dtype=np.int32)

    def raw_ids(self, rows: Iterable[int]) -> list[str]:
        """The raw ids of rows in 1..I; the empty string for padding (0)."""
        return ["" if row == 0 else self._raw_ids[row - 1] for row in rows]

    def save(self, path: str | Path) -> None:
        """Write one id per line."""
        write_lines(path, self._raw_ids)

    @classmethod
    def load(cls, path: str | Path) -> "Vocabulary":
        """Read what `save` wrote."""
        return cls(read_lines(path))


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
