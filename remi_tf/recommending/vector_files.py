"""Files of vectors and raw ids.

parquet   users.parquet: user, interest (from 0), vector; items.parquet: item, vector, title and category where known.
          A vector is a list of fixed length of float32. An interest that a user does not have is left out.
npy       interests.npy [U, K, d] and items.npy [I, d], float32; users.txt and items.txt: the raw id of each row, one a
          line. An interest that a user does not have repeats the first one.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from remi_tf.errors import InputError
from remi_tf.flat_files import save_array, text_of_lines, write_lines

MANIFEST = "vectors.json"
FORMS = ("parquet", "npy")
GROUP_BYTES = 32 << 20
"""Vectors of a row group, about."""

Write = Callable[[Sequence[str], np.ndarray, np.ndarray], None]
"""(users [B], vectors [B, K, d], active [B, K])."""


class VectorFiles:
    """Writes into a folder.

    Args:
      form: one of FORMS.
      about: metadata of Parquet files.

    Attributes:
      names: the files that were written.
    """

    def __init__(self, folder: Path, form: str, about: dict[str, str]):
        if form not in FORMS:
            raise InputError(f"form {form!r}: choose one of {', '.join(FORMS)}")
        self.folder, self.form, self.about, self.names = folder, form, about, list[str]()

    def write_items(self, ids: list[str], vectors: np.ndarray, **known: list[str | None]) -> None:
        """ids [I], vectors [I, d], and further columns, which Parquet files have.

        Raises:
          InputError: an id that a text file cannot hold.
        """
        if self.form == "npy":
            self.names += ["items.npy", "items.txt"]
            save_array(self.folder / "items.npy", vectors)
            write_lines(self.folder / "items.txt", ids)
            return
        self.names.append("items.parquet")
        columns = {"item": pa.array(ids, pa.string()), "vector": _vectors(vectors)}
        columns |= {name: pa.array(values, pa.string()) for name, values in known.items()}
        table = pa.table(columns).replace_schema_metadata(self.about)
        rows = max(1, GROUP_BYTES // (4 * vectors.shape[1]))
        parquet.write_table(table, self.folder / "items.parquet", row_group_size=rows)

    @contextlib.contextmanager
    def users(self) -> Iterator[Write]:
        """A function that adds users to the files.

        Raises:
          InputError: by the function, for a user that a text file cannot hold.
        """
        with self._users_npy() if self.form == "npy" else self._users_parquet() as write:
            yield write

    @contextlib.contextmanager
    def _users_parquet(self) -> Iterator[Write]:
        self.names.append("users.parquet")
        waiting: list[pa.Table] = []
        with contextlib.ExitStack() as stack:
            writer: parquet.ParquetWriter | None = None

            def flush() -> None:
                nonlocal writer
                if waiting:
                    if writer is None:
                        path = self.folder / "users.parquet"
                        writer = stack.enter_context(parquet.ParquetWriter(path, waiting[0].schema))
                    writer.write_table(pa.concat_tables(waiting))
                    waiting.clear()

            def write(users: Sequence[str], vectors: np.ndarray, active: np.ndarray) -> None:
                user, interest = np.nonzero(active)
                columns = {
                    "user": pa.array(np.array(users, object)[user], pa.string()),
                    "interest": pa.array(interest, pa.int32()),
                    "vector": _vectors(vectors[user, interest]),
                }
                waiting.append(pa.table(columns).replace_schema_metadata(self.about))
                if sum(table.nbytes for table in waiting) >= GROUP_BYTES:
                    flush()

            yield write
            flush()

    @contextlib.contextmanager
    def _users_npy(self) -> Iterator[Write]:
        self.names += ["interests.npy", "users.txt"]
        shape: tuple[int, ...] = (0, 0, 0)
        with (
            open(self.folder / "interests.npy", "wb") as file,
            open(self.folder / "users.txt", "w", encoding="utf-8", newline="\n") as text,
        ):

            def write(users: Sequence[str], vectors: np.ndarray, active: np.ndarray) -> None:
                nonlocal shape
                try:
                    lines = text_of_lines("users.txt", users, first=shape[0] + 1)
                except InputError as error:
                    raise InputError(f"{error}, or take --form parquet") from error
                if not shape[0]:
                    _write_header(file, vectors.shape)
                text.write(lines)
                file.write(vectors.astype("<f4").tobytes())  # unlike tofile, it says that a disk is full
                shape = (shape[0] + len(users), *vectors.shape[1:])

            yield write
            file.seek(0)
            _write_header(file, shape)  # NumPy leaves room for a larger number of rows


def _vectors(vectors: np.ndarray) -> pa.FixedSizeListArray:
    """[n, d] → n lists of d numbers."""
    flat = pa.array(np.ascontiguousarray(vectors, np.float32).ravel())
    return pa.FixedSizeListArray.from_arrays(flat, vectors.shape[-1])


def _write_header(file: IO[Any], shape: tuple[int, ...]) -> None:
    np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
