"""The raw log in memory: integer codes for users and items, times as given. Readers make it, prepare takes it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from remi_tf.data.tables.feature_kinds import Asked
from remi_tf.data.tables.feature_tables import RawFeatures
from remi_tf.data.tables.units import PER_SECOND

KEYS = ("user", "item", "category", "title")


@dataclass(frozen=True)
class Chunk:
    """Some rows of a log, in file order.

    texts: dictionary-encoded strings [n] for user and item, and for category and title where the log has them.
    times: [n] int64 or float64 in the unit of the log, None where the log has no time.
    """

    texts: dict[str, pa.DictionaryArray | pa.ChunkedArray]
    times: np.ndarray | None


@dataclass
class RawLog:
    """A whole log. n rows in file order; codes count from 0 in the order of first appearance.

    users, items: [n] int32 codes into user_ids, item_ids (string arrays).
    times: [n] int64 or float64 in `unit` (s, ms, us, ns, iso = microseconds, none = order numbers), None = file order.
    titles, categories: raw item id → text; category_numbers: raw category → number where the source numbers them.
    features: of the items; None where there are none.
    profile_columns: of the users' profiles, with their kinds; profile_forms: column → how its dates are written;
      profiles: raw user id → a text for each ("" = missing).
    notes: what was assumed or left out, for the summary; dropped: reason → rows.
    """

    users: np.ndarray
    items: np.ndarray
    user_ids: pa.Array
    item_ids: pa.Array
    times: np.ndarray | None
    unit: str
    titles: dict[str, str] = field(default_factory=dict)
    categories: dict[str, str] = field(default_factory=dict)
    features: RawFeatures | None = None
    profile_columns: tuple[Asked, ...] = ()
    profile_forms: dict[str, str] = field(default_factory=dict)
    profiles: dict[str, tuple[str, ...]] = field(default_factory=dict)
    files: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    dropped: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.users)

    @property
    def has_calendar(self) -> bool:
        """Whether the times are points in time, not just an order."""
        return self.times is not None and self.unit in PER_SECOND

    def seconds(self, times: np.ndarray) -> np.ndarray:
        """[n] int64 whole seconds of times in the log's unit, rounded down."""
        if np.issubdtype(times.dtype, np.floating):
            return np.floor(times / PER_SECOND[self.unit]).astype(np.int64)
        return times if PER_SECOND[self.unit] == 1 else times // PER_SECOND[self.unit]


def encode(texts: Iterable[str]) -> pa.DictionaryArray:
    """A dictionary-encoded string column."""
    return pa.array(list(texts), pa.string()).dictionary_encode()


def assemble(chunks: list[Chunk], unit: str) -> RawLog:
    """One log from its chunks, in their order. `chunks` is emptied, to free memory."""
    coded = {key: _unify([chunk.texts[key] for chunk in chunks if key in chunk.texts]) for key in KEYS}
    times = [chunk.times for chunk in chunks if chunk.times is not None]
    chunks.clear()
    users, user_ids = coded["user"]
    items, item_ids = coded["item"]
    log = RawLog(users, items, user_ids, item_ids, np.concatenate(times) if times else None, unit)
    for key, target in (("category", log.categories), ("title", log.titles)):
        codes, values = coded[key]
        if len(codes):
            target.update(_first_text(items, item_ids, codes, values))
    return log


def _unify(columns: list[pa.DictionaryArray | pa.ChunkedArray]) -> tuple[np.ndarray, pa.Array]:
    """([n] int32 codes, their texts) with codes in the order of first appearance."""
    parts = [column.chunks if isinstance(column, pa.ChunkedArray) else [column] for column in columns]
    columns = [chunk for chunks in parts for chunk in chunks if len(chunk)]
    if not columns:
        return np.zeros(0, np.int32), pa.array([], pa.string())
    # The chunks' dictionaries are merged, then every chunk's codes are written to their place in the result.
    merged = pa.concat_arrays([chunk.dictionary for chunk in columns]).dictionary_encode()
    texts, mapping = merged.dictionary, merged.indices.to_numpy()
    codes = np.empty(sum(map(len, columns)), np.int32)
    row = entry = 0
    for chunk in columns:
        own = mapping[entry : entry + len(chunk.dictionary)]
        np.take(own, chunk.indices.to_numpy(), out=codes[row : row + len(chunk)], mode="clip")
        row, entry = row + len(chunk), entry + len(own)
    if _in_order_of_appearance(codes, len(texts)):  # Arrow numbers them so, unless rows were filtered out later
        return codes, texts
    # Rows are assigned backwards, so for each code the first row stays.
    backwards = np.arange(len(codes) - 1, -1, -1, dtype=np.int32 if len(codes) < 2**31 else np.int64)
    first: np.ndarray = np.full(len(texts), len(codes), backwards.dtype)
    first[codes[::-1]] = backwards
    used = int(np.count_nonzero(first != len(codes)))
    order = np.argsort(first, kind="stable")[:used]
    rank = np.empty(len(texts), np.int32)
    rank[order] = np.arange(used, dtype=np.int32)
    return rank[codes], texts.take(pa.array(order))


def _in_order_of_appearance(codes: np.ndarray, number: int) -> bool:
    """Whether 0, 1, …, number - 1 appear in [n] `codes` for the first time in this order."""
    highest = np.maximum.accumulate(codes)
    return bool(codes[0] == 0 and highest[-1] == number - 1 and (highest[1:] - highest[:-1]).max(initial=0) <= 1)


def _first_text(items: np.ndarray, item_ids: pa.Array, codes: np.ndarray, values: pa.Array) -> dict[str, str]:
    """Raw item id → its first text that is not empty."""
    full = np.flatnonzero(pc.not_equal(pc.utf8_trim_whitespace(values), "").to_numpy(zero_copy_only=False)[codes])
    row = np.full(len(item_ids), -1, np.int64)
    row[items[full[::-1]]] = full[::-1]
    known = np.flatnonzero(row >= 0)
    return dict(
        zip(
            item_ids.take(pa.array(known)).to_pylist(),
            values.take(pa.array(codes[row[known]])).to_pylist(),
            strict=True,
        )
    )
