"""Raw item id ↔ row of the item table. Row 0 is padding and stands for no item."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from remi_tf.flat_files import read_lines, write_lines


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
