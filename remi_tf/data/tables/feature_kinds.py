"""The kinds of feature columns: what was asked for, and what a column seems to be."""

import difflib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from remi_tf.data.tables.dates import SUGGESTED, compact_form, is_written, parse_iso, parse_written
from remi_tf.data.tables.labels import SEPARATOR, elements, printed
from remi_tf.data.tables.units import NUMBER, guess_unit, guess_unit_of
from remi_tf.errors import InputError

KINDS = ("category", "multi", "number", "date", "text", "vector")
SAMPLE = 10_000
"""Values that are looked at to guess a kind."""
MANY = 20
"""Whole numbers with more different values than this are numbers, with fewer categories."""
NEARLY_ALL = 0.9
LIST_SHARE, TEXT_WORDS, VECTOR_WIDTH = 0.1, 2.5, 8


class Asked(NamedTuple):
    """A column that is to be a feature. kind: one of KINDS, "" = to be guessed."""

    name: str
    kind: str


def parse_features(
    given: str | Sequence[str] | None, flag: str, kinds: Sequence[str] = KINDS
) -> tuple[Asked, ...] | None:
    """The columns of a flag such as --item_features "genres:multi,brand,price:number".

    Returns:
      None if it was not given (a named source then has its own), no columns for "none".

    Raises:
      InputError: a kind that is none, no name, or one twice.
    """
    if given is None or given == "none":
        return None if given is None else ()
    parts = [part.strip() for part in (given.split(",") if isinstance(given, str) else given)]
    asked = []
    for part in parts:
        name, colon, kind = part.rpartition(":")
        if not colon:
            name, kind = kind, ""
        elif kind not in kinds:
            near = difflib.get_close_matches(kind, kinds, n=1)
            hint = f"did you mean {name}:{near[0]}?" if near else f"the kinds are {', '.join(kinds)}"
            if kind in KINDS:
                hint = f"a request gives each column of a user as one text; the kinds are {', '.join(kinds)}"
            raise InputError(f"{flag} {part}: {kind!r} is no kind of feature{' here' * (kind in KINDS)}; {hint}")
        asked.append(Asked(name.strip(), kind))
    names = [each.name for each in asked]
    if not names or "" in names:
        raise InputError(f"{flag} {','.join(parts)!r}: a column has no name; give columns, such as {_example(kinds)}")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(f"{flag} {','.join(parts)}: {twice[0]} stands there twice; name each column once")
    return tuple(asked)


def _example(kinds: Sequence[str]) -> str:
    return "genres:multi,brand,price:number" if "text" in kinds else "gender,age:number"


def guess_kind(values: Sequence[Any], separator: str = SEPARATOR) -> str:
    """The kind of a column by its first values: texts (lists as JSON), or arrays; none of them empty."""
    values = values[:SAMPLE]
    if not values:
        return "category"
    if any(isinstance(value, np.ndarray) for value in values):
        return "vector"
    texts = [value.strip() for value in values]
    lists = [printed(text) for text in texts[:MANY] if text[:1] == "["]
    if lists and len(lists) == len(texts[:MANY]) and None not in lists:
        numbers = all(isinstance(each, int | float) for value in lists for each in value)
        widths = {len(value) for value in lists}
        return "vector" if numbers and len(widths) == 1 and min(widths) >= VECTOR_WIDTH else "multi"
    if sum(len(elements(text, separator)) > 1 for text in texts) >= LIST_SHARE * len(texts):
        return "multi"
    distinct = len(set(texts))
    amounts = [text for text in texts if NUMBER.fullmatch(text)]
    if len(amounts) >= NEARLY_ALL * len(texts):  # the others are then bad rows, which is said
        if compact_form(amounts) or all(guess_unit_of(float(text)) != "none" for text in amounts):
            return "date"
        return "number" if distinct > MANY or any(not float(text).is_integer() for text in amounts) else "category"
    if date_forms(texts):
        return "date"
    words = sum(len(text.split()) for text in texts) / len(texts)
    return "text" if words >= TEXT_WORDS and distinct >= len(texts) / 2 else "category"


def date_form(column: str, texts: Sequence[str]) -> str:
    """How dates are written: iso, a unit of time, a form of digits only, or a format of strptime.

    Raises:
      InputError: nearly all have no form that is known, or more than one.
    """
    texts = texts[:SAMPLE]
    form = guess_unit(list(texts))
    if form == "none":
        raise InputError(
            f"{column}: {texts[0]!r} is too small for a date; if it is a number, such as a year, say :number"
        )
    if form != "iso":
        return form
    forms = date_forms(texts)
    if "iso" in forms:
        return "iso"
    odd = next((text for text in texts if parse_iso(text) is None), "")
    if not forms:
        raise InputError(f"{column}: {odd!r} is no date of a form that is known; write the dates as 2024-12-31")
    if len(forms) > 1:
        raise InputError(
            f"{column}: {odd!r} is a date of the forms {' and '.join(map(repr, forms))}; write the dates as 2024-12-31"
        )
    return forms[0]


def date_forms(texts: Sequence[str]) -> list[str]:
    """The written forms that nearly all of some texts have: those that most have."""
    forms = ["iso", *SUGGESTED]
    for sample in (texts[:MANY], texts[:SAMPLE]):
        counts = {form: sum(parse_written(text, form) is not None for text in sample) for form in forms}
        most = max(counts.values(), default=0)
        forms = [form for form, count in counts.items() if count == most and count >= NEARLY_ALL * len(sample)]
    return forms


def wrong_value(kind: str, text: str, form: str = "iso") -> str | None:
    """What is wrong with the text of a number or date; None if it is one. form: of dates."""
    if kind == "number":
        if not NUMBER.fullmatch(text):
            return f"{text!r} is no number"
        return None if np.isfinite(float(text)) else f"{text!r} is too large"
    is_one = parse_written(text, form) is not None if is_written(form) else NUMBER.fullmatch(text)
    return None if is_one else f"{text!r} is no date of the form {form}"
