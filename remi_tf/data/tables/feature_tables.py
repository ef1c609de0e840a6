"""Feature columns of an item table: what was asked for, what kind each is, and whether every value is of that kind.

The kinds are those of data/features/columns.py, which has the words for them.
"""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from remi_tf.data.tables.dates import SUGGESTED, compact_form, is_written, parse_iso, parse_written, what_to_give
from remi_tf.data.tables.labels import SEPARATOR, CategoryChoice, choose_categories, elements, printed
from remi_tf.data.tables.rows import BadRow, BadRows
from remi_tf.data.tables.units import NUMBER, guess_unit_of
from remi_tf.errors import InputError

KINDS = ("category", "multi", "number", "date", "text", "vector")
SAMPLE = 10_000
"""Values that are looked at to guess a kind."""
MANY = 20
"""A whole number with more different values than this is a number, with fewer a category."""
LIST_SHARE, TEXT_WORDS, VECTOR_WIDTH = 0.1, 2.5, 8


class Asked(NamedTuple):
    """A column that --item_features names. kind: one of KINDS, "" = to be guessed."""

    name: str
    kind: str


@dataclass
class RawFeatures:
    """Feature columns before they are coded.

    values: raw item id → the text of each column ("" = missing; lists as JSON).
    arrays: column → [rows of the table, width] vectors out of a file of their own; rows: raw item id → its row there.
    forms: column → how its dates are written.
    """

    names: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    values: dict[str, tuple[str, ...]] = field(default_factory=dict)
    arrays: dict[int, np.ndarray] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    forms: dict[int, str] = field(default_factory=dict)

    def column(self, number: int, raw_ids: Sequence[str]) -> list[str] | np.ndarray:
        """The values of some items in one column: texts, or [items, width] vectors, NaN where there is none."""
        if number not in self.arrays:
            return [self.values[raw_id][number] if raw_id in self.values else "" for raw_id in raw_ids]
        array = self.arrays[number]
        rows = np.array([self.rows.get(raw_id, -1) for raw_id in raw_ids])
        found = np.full([len(rows), array.shape[1]], np.nan, np.float32)
        found[rows >= 0] = array[rows[rows >= 0]]
        return found


def parse_features(given: str | Sequence[str]) -> list[Asked]:
    """The columns of --item_features "genres:multi,brand,price:number".

    Raises:
      InputError: a kind that is none, an empty name, or one twice.
    """
    parts = [part.strip() for part in (given.split(",") if isinstance(given, str) else given)]
    asked = []
    for part in parts:
        name, colon, kind = part.rpartition(":")
        if not colon:
            name, kind = kind, ""
        elif kind not in KINDS:
            near = difflib.get_close_matches(kind, KINDS, n=1)
            hint = f"did you mean {name}:{near[0]}?" if near else f"the kinds are {', '.join(KINDS)}"
            raise InputError(f"--item_features {part}: {kind!r} is no kind of feature; {hint}")
        asked.append(Asked(name.strip(), kind))
    names = [each.name for each in asked]
    if "" in names or len(set(names)) < len(names):
        raise InputError(
            f"--item_features {','.join(parts)}: give different names of columns, such as genres:multi,brand"
        )
    return asked


def read_vectors(table: str | Path, asked: Asked) -> np.ndarray:
    """[rows, width] float32 of NAME.npy next to the table.

    Raises:
      InputError: there is no such column and no such file, or it holds no vectors.
    """
    path = Path(table).with_name(f"{asked.name}.npy")
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path}: no array that NumPy can read ({error}); write it with numpy.save") from error
    if array.ndim != 2 or array.dtype.kind not in "fiu":
        raise InputError(
            f"{path}: {array.dtype} {array.shape}; a vector feature is an array [rows of the table, width]"
        )
    return array


def settle(
    raw: RawFeatures, asked: Sequence[Asked], places: dict[str, str], choice: CategoryChoice, name: str, bad: BadRows
) -> list[str]:
    """Decide the kinds that were not said, choose levels of paths, check all values. Returns what is to be said.

    Args:
      places: raw item id → file and line.
      name: of the table.

    Raises:
      InputError: a value that is not of the kind that was said, under the policy `stop`; dates of no known form.
    """
    notes, guessed = [], []
    for number, column in enumerate(asked):
        texts = [values[number] for values in raw.values.values() if values[number].strip()]
        kind = column.kind or ("vector" if number in raw.arrays else guess_kind(texts))
        if not column.kind:
            guessed.append(f"{column.name}:{kind}")
        raw.names.append(column.name)
        raw.kinds.append(kind)
        if kind == "date":
            raw.forms[number] = date_form(f"{name}: {column.name}", texts)
        elif kind == "category":
            notes += _choose(raw, number, choice)
    if guessed:
        notes.append(f"kinds of features guessed: --item_features {','.join(guessed)} says them")
    _check(raw, places, bad)
    return notes


def guess_kind(texts: Sequence[str]) -> str:
    """The kind of a column by some of its values, none of them empty."""
    texts = texts[:SAMPLE]
    if not texts:
        return "category"
    distinct = len(set(texts))
    lists = [value for text in texts[:MANY] if text.strip()[:1] == "[" and (value := printed(text.strip())) is not None]
    if lists and len(lists) == len(texts[:MANY]):
        widths = {len(value) for value in lists}
        numbers = all(isinstance(each, int | float) for value in lists for each in value)
        return "vector" if numbers and len(widths) == 1 and min(widths) >= VECTOR_WIDTH else "multi"
    if sum(SEPARATOR in text for text in texts) >= LIST_SHARE * len(texts):
        return "multi"
    if all(NUMBER.fullmatch(text) for text in texts):
        if compact_form(list(texts)) or all(guess_unit_of(float(text)) != "none" for text in texts):
            return "date"
        return "number" if distinct > MANY or any(not float(text).is_integer() for text in texts) else "category"
    if all(parse_iso(text) is not None for text in texts):
        return "date"
    words = sum(len(text.split()) for text in texts) / len(texts)
    return "text" if words >= TEXT_WORDS and distinct >= len(texts) / 2 else "category"


def date_form(column: str, texts: Sequence[str]) -> str:
    """How dates are written: iso, a unit of time, a form of digits only, or a format of strptime.

    Raises:
      InputError: in no form that is known, or in one that two could be.
    """
    texts = texts[:SAMPLE]
    numbers = [text for text in texts if NUMBER.fullmatch(text)]
    if len(numbers) == len(texts):
        return compact_form(numbers) or guess_unit_of(max(map(float, numbers), default=0.0))
    odd = next((text for text in texts if parse_iso(text) is None), None)
    if odd is None:
        return "iso"
    fitting = [form for form in SUGGESTED if all(parse_written(text, form) is not None for text in texts)]
    if len(fitting) != 1:
        raise InputError(
            f"{column}: {odd!r} is no date of one known form ({what_to_give(odd, 'iso')} means the same for a log); "
            "write the column as 2024-12-31"
        )
    return fitting[0]


def _choose(raw: RawFeatures, number: int, choice: CategoryChoice) -> list[str]:
    """Of categories that are paths or lists, one level."""
    texts = {raw_id: values[number] for raw_id, values in raw.values.items()}
    if not any(len(elements(text, choice.separator or SEPARATOR)) > 1 for text in texts.values()):
        return []
    chosen, notes = choose_categories(texts, choice)
    for raw_id, values in raw.values.items():
        raw.values[raw_id] = (*values[:number], chosen.get(raw_id, ""), *values[number + 1 :])
    return [f"{raw.names[number]}: {note}" for note in notes]


def _check(raw: RawFeatures, places: dict[str, str], bad: BadRows) -> None:
    """Leave out the rows with a number or a date that is none, or a vector of another length."""
    widths: dict[int, int] = {}
    for raw_id in list(raw.values):
        for number, (name, kind, text) in enumerate(zip(raw.names, raw.kinds, raw.values[raw_id], strict=True)):
            if text.strip() and (wrong := _wrong(kind, text.strip(), raw.forms.get(number, ""), widths, number)):
                bad.add(places[raw_id], BadRow(f"item table: no {kind}", f"{name}: {wrong}"))
                del raw.values[raw_id]
                break


def _wrong(kind: str, text: str, form: str, widths: dict[int, int], number: int) -> str | None:
    if kind == "number" and not NUMBER.fullmatch(text):
        return f"{text!r} is no number"
    if kind == "date":
        is_one = parse_written(text, form) is not None if is_written(form) else NUMBER.fullmatch(text)
        return None if is_one else f"{text!r} is no date of the form {form}"
    if kind == "vector":
        value = printed(text)
        if not isinstance(value, list) or not all(type(each) in (int, float) for each in value):
            return f"{text[:40]!r} is no list of numbers"
        if len(value) != widths.setdefault(number, len(value)):
            return f"a vector of {len(value)} numbers, where the first one has {widths[number]}"
        return None if np.isfinite(value).all() else "a vector with a number that is not finite"
    return None
