"""What the text of a raw id is: the one rule for logs, tables, requests and the Python API.

Text stays as it is, but for white space around it. A whole number that came as a float loses its `.0`. What may stand
for several ids, or for none, is refused.
"""

import uuid
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from remi_tf.data.tables.raw_log import RawLog

EXACT_BELOW = {2: 2**11, 4: 2**24, 8: 2**53}
"""Bytes of a float → the bound below which whole numbers are told apart."""
WHOLE = r"^-?[0-9]+(\.0+)?$"
POINT_ZERO = r"\.0+$"
ROUNDED = r"^-?[0-9](\.[0-9]+)?[eE]\+[0-9]+$"
EXAMPLES = 3
SPACES = "".join(map(chr, (*range(9, 14), *range(28, 33), 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B))))
SPACES += "\u2028\u2029\u202f\u205f\u3000"
"""What str.strip takes off; Arrow's own set differs."""
ABSENT = ("NAType", "NaTType", "NoneType")  # pandas' own are known by name, so that a client needs no pandas


class NotAnId(ValueError):
    """A value that is no raw id; the message says what it is."""


def id_text(value: Any) -> str:
    """The text of a raw id given as text, UTF-8 bytes, a whole number, a UUID or a scalar array or tensor of those.

    Raises:
      NotAnId: it is anything else.
    """
    value = _unwrapped(value)
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bytes):
        try:
            return value.decode().strip()
        except UnicodeDecodeError as error:
            raise NotAnId(f"{value!r} is not UTF-8; give the id as text") from error
    if isinstance(value, bool | np.bool_):
        raise NotAnId(f"{value!r} is a truth value, not a raw id")
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating):
        return _float_text(value)
    if isinstance(value, Decimal):
        if not value.is_finite() or value != value.to_integral_value():
            raise NotAnId(f"{value} is not a whole number; give the id as text")
        return str(int(value))
    if isinstance(value, uuid.UUID):
        return str(value)
    if type(value).__name__ in ABSENT:
        raise NotAnId(f"{value!r} is missing, not a raw id")
    raise NotAnId(f"{shortened(value)} of type {type(value).__name__} is not a raw id; give text or a whole number")


def _unwrapped(value: Any) -> Any:
    """The one value in a scalar of numpy, Arrow, TensorFlow or another library of tensors."""
    if isinstance(value, pa.Scalar):
        return value.as_py()
    if not isinstance(value, np.generic) and getattr(value, "shape", None) is not None:
        try:
            scalar = len(value.shape) == 0
            value = value.numpy() if scalar and hasattr(value, "numpy") else value
        except (TypeError, ValueError, AttributeError, NotImplementedError) as error:
            raise NotAnId(f"{shortened(value)} holds no value yet, so it is not a raw id") from error
        if not scalar:
            raise NotAnId(f"{shortened(value)} is an array, not one raw id")
    return value.item() if isinstance(value, np.ndarray) and value.dtype.kind not in "fM" else _scalar(value)


def _scalar(value: Any) -> Any:
    return value[()] if isinstance(value, np.ndarray) else value


def _float_text(value: Any) -> str:
    if np.isnan(value):
        raise NotAnId(f"{value!r} is missing, not a raw id")
    if not np.isfinite(value) or value != np.floor(value):
        raise NotAnId(f"{value!r} is not a whole number; give the id as text")
    bound = EXACT_BELOW.get(getattr(value, "itemsize", 8), 2**53)
    if abs(value) >= bound:
        raise NotAnId(
            f"{value!r} is a float, and floats from {bound} on do not tell whole numbers apart; give the id as text "
            "or as an integer"
        )
    return str(int(value))


def shortened(value: Any) -> str:
    """A value as Python shows it, on one line of at most 60 characters."""
    shown = " ".join(repr(value).split())
    return shown if len(shown) <= 60 else shown[:57] + "…"


def id_column(column: pa.Array) -> pa.Array | None:
    """[n] the texts of a typed column, null where a value is missing or no id; None if its type never holds ids."""
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return column.cast(pa.string())
    if pa.types.is_null(kind):
        return pa.nulls(len(column), pa.string())
    if pa.types.is_integer(kind):
        return column.cast(pa.string())
    if pa.types.is_dictionary(kind):
        texts = id_column(column.dictionary)
        return None if texts is None else texts.take(column.indices)
    if pa.types.is_floating(kind):
        # Not-a-number, infinity, fractions and what is too large become null.
        numbers = column.cast(pa.float64())
        whole = pc.and_(
            pc.equal(pc.floor(numbers), numbers), pc.less(pc.abs(numbers), EXACT_BELOW[kind.bit_width // 8])
        )
        return pc.if_else(whole, numbers, pa.scalar(None, pa.float64())).cast(pa.int64()).cast(pa.string())
    if pa.types.is_decimal(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return _one_by_one(column)
    if pa.types.is_fixed_size_binary(kind) or isinstance(kind, pa.BaseExtensionType):
        return _one_by_one(column)
    return None


def _one_by_one(column: pa.Array) -> pa.Array:
    texts: list[str | None] = []
    for value in column.to_pylist():
        try:
            texts.append(id_text(value))
        except NotAnId:
            texts.append(None)
    return pa.array(texts, pa.string())


class Spelling:
    """What happens to the ids of one column of a log.

    Attributes:
      trimmed: how many different ids had white space around them; pointed: how many lost a `.0`.
      strips: whether `.0` goes, because every id of the column is a whole number; None until an id decides it.
    """

    def __init__(self, strips: bool | None = None):
        self.strips = strips
        self.trimmed = self.pointed = 0

    def texts(self, ids: pa.Array, decide: Callable[[], bool]) -> pa.Array:
        """[n] ids as they are spelled from here on.

        Args:
          decide: whether all ids of the column are whole numbers; called once, and only if one of them has a `.0`.
        """
        plain = pc.utf8_trim(ids, SPACES)
        self.trimmed += pc.sum(pc.not_equal(plain, ids)).as_py() or 0
        if self.strips is not False and pc.any(pc.match_substring_regex(plain, POINT_ZERO)).as_py():
            if self.strips is None:
                self.strips = decide()
            if self.strips:
                short = pc.replace_substring_regex(plain, POINT_ZERO, "")
                # Whole numbers that a float does not tell apart stay as they are.
                exact = pc.or_(pc.less(pc.utf8_length(short), 16), pc.equal(short, plain))
                self.pointed += pc.sum(pc.and_(exact, pc.not_equal(short, plain))).as_py() or 0
                plain = pc.if_else(exact, short, plain)
        return plain

    def column(
        self, column: pa.DictionaryArray | pa.ChunkedArray, decide: Callable[[], bool]
    ) -> pa.DictionaryArray | pa.ChunkedArray:
        """As `texts`, for some rows of a log of which only these are in memory."""
        if self.strips is None and not all_whole(column):
            self.strips = False
        if isinstance(column, pa.ChunkedArray):
            parts = [self._respelled(part, decide) for part in column.chunks]
            return pa.chunked_array(parts, column.type)
        return self._respelled(column, decide)

    def _respelled(self, part: pa.DictionaryArray, decide: Callable[[], bool]) -> pa.DictionaryArray:
        return pa.DictionaryArray.from_arrays(part.indices, self.texts(part.dictionary, decide))


def all_whole(ids: pa.Array | pa.ChunkedArray) -> bool:
    """Whether every id is a whole number, with or without `.0`."""
    if isinstance(ids, pa.ChunkedArray):
        return all(map(all_whole, ids.chunks))
    if isinstance(ids, pa.DictionaryArray):  # which may hold texts of rows that were left out
        return all_whole(ids.dictionary) or all_whole(ids.dictionary.take(ids.indices.unique()))
    return bool(pc.all(pc.match_substring_regex(pc.utf8_trim(ids, SPACES), WHOLE)).as_py())


def settle_ids(log: RawLog) -> None:
    """Give the ids of a whole log their one spelling; those that are the same then become one."""
    for what in ("user", "item"):
        ids = getattr(log, f"{what}_ids")
        spelling = Spelling()
        texts = spelling.texts(ids, lambda ids=ids: all_whole(ids))  # type: ignore[misc]
        if spelling.trimmed or spelling.pointed:
            if what == "item":
                log.titles = _renamed(log.titles, ids, texts)
                log.categories = _renamed(log.categories, ids, texts)
            coded = texts.dictionary_encode()
            if len(coded.dictionary) < len(texts):
                setattr(log, f"{what}s", coded.indices.to_numpy().astype(np.int32)[getattr(log, f"{what}s")])
            setattr(log, f"{what}_ids", coded.dictionary)
        log.notes += spelling_notes(getattr(log, f"{what}_ids"), spelling, what)


def _renamed(texts_of: dict[str, str], old: pa.Array, new: pa.Array) -> dict[str, str]:
    names = dict(zip(old.to_pylist(), new.to_pylist(), strict=True))
    renamed: dict[str, str] = {}
    for raw_id, text in texts_of.items():
        renamed.setdefault(names[raw_id], text)
    return renamed


def spelling_notes(ids: pa.Array, spelling: Spelling, what: str) -> list[str]:
    """What was done to the ids of a column, and what looks odd in those that it has now (`ids`, all different)."""
    notes = []
    if spelling.trimmed:
        notes.append(f"white space around {spelling.trimmed:,} {what} ids was taken off")
    if spelling.pointed:
        notes.append(f"{spelling.pointed:,} {what} ids were whole numbers with .0, as 103.0; they count as 103")
    pointed = ids.filter(pc.match_substring_regex(ids, POINT_ZERO))
    if len(pointed):
        pairs = pointed.filter(pc.is_in(pc.replace_substring_regex(pointed, POINT_ZERO, ""), ids))
        if len(pairs):
            notes.append(
                f"{len(pairs):,} {what} ids stand with and without .0 ({examples(pairs[:EXAMPLES].to_pylist())}) and "
                "count as different, because not every id of the column is a whole number"
            )
        elif spelling.strips:
            notes.append(
                f"{len(pointed):,} {what} ids such as {pointed[0].as_py()} are too large for a float to be exact; they "
                "keep their .0, and different ids may have become one before"
            )
    if pc.any(pc.match_substring(ids, "e+")).as_py():
        rounded = ids.filter(pc.match_substring_regex(ids, ROUNDED))
        if len(rounded):
            notes.append(
                f"{len(rounded):,} {what} ids such as {rounded[0].as_py()} look like rounded floats: different ids may "
                "have become one; write them as whole numbers or text"
            )
    return notes


def examples(ids: Iterable[Any]) -> str:
    """Some ids, quoted, for a message."""
    return ", ".join(repr(raw_id) for raw_id in list(ids)[:EXAMPLES])


def matched(ids: Sequence[str], known: Container[str]) -> Iterator[str]:
    """The ids of another table or list in the spelling of those that are `known`: as they stand, else without `.0`."""
    plain = [raw_id.strip() for raw_id in ids]
    strips = bool(plain) and any("." in raw_id for raw_id in plain) and all_whole(pa.array(plain, pa.string()))
    for raw_id in plain:
        short = raw_id.partition(".")[0] if strips else raw_id
        yield short if raw_id not in known and short in known else raw_id


def spelling_hint(unknown: Iterable[str], known: Collection[str]) -> str:
    """How ids that found no partner differ from some that are known; "" if nothing is seen."""
    ways: tuple[tuple[str, Callable[[str], str]], ...] = (
        ("by upper and lower case", str.casefold),
        ("by .0", lambda text: text.rstrip("0").removesuffix(".") if "." in text else text),
        ("by spaces", lambda text: "".join(text.split())),
        ("by leading zeros", lambda text: text.lstrip("0")),
    )
    sample = list(unknown)[:1000]
    for words, plain in ways:
        partners = {plain(raw_id): raw_id for raw_id in known}
        for raw_id in sample:
            partner = partners.get(plain(raw_id))
            if partner is not None and partner != raw_id:
                return f"; {raw_id!r} and {partner!r} differ only {words}"
    return ""
