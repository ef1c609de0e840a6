"""Titles and categories: text, lists, objects or paths → one label for each item."""

import ast
import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from remi_tf.errors import InputError

SEPARATOR = "|"
LEVELS = ("first", "last", "deepest")
NAMES = ("name", "title", "label", "value")
"""Keys of an object that hold its name."""
NEARLY_ALL = 0.9
FEWEST = 5  # items; with fewer nothing is said about how categories spread
OTHER_SEPARATORS = (" > ", ">", " / ", "/", "; ", ";", ", ", ",")


@dataclass(frozen=True)
class CategoryChoice:
    """Which element of a path or list is an item's category.

    level: first, last, deepest (see `choose_level`), or a number counted from 1.
    separator: between the elements where they are one text; None = "|".
    """

    level: str = "deepest"
    separator: str | None = None

    def __post_init__(self) -> None:
        if self.level not in LEVELS and not (self.level.isdecimal() and 1 <= int(self.level) < 1000):
            raise InputError(f"--category_level {self.level!r}: give first, last, deepest, or a number from 1")
        if self.separator == "":
            raise InputError("--category_sep is empty; give the text between the categories, such as '|' or ' > '")


def label_text(value: Any) -> str:
    """A value of a table as the text of a label: lists and objects as JSON, nothing for what is missing."""
    if isinstance(value, str):
        return value
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    if value is None or value != value or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def label_column(column: pa.Array) -> pa.Array:
    """[n] the texts of a typed column, "" where a value is missing."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return label_column(column.dictionary_decode())
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_integer(kind):
        return column.cast(pa.string()).fill_null("")
    return pa.array([label_text(value) for value in column.to_pylist()], pa.string())


def elements(text: str, separator: str | None = SEPARATOR) -> list[str]:
    """The elements of a label, outermost first: of a list (as JSON or as Python prints it), or between separators.

    Of several paths the first counts. An object gives its name.
    """
    text = text.strip()
    if text[:1] in ("[", "{", "("):
        value = printed(text)
        if value is not None:
            return [part for part in _flat(value) if part]
    parts = text.split(separator) if separator else [text]
    return [part.strip() for part in parts if part.strip()]


def every_element(text: str, separator: str = SEPARATOR) -> list[str]:
    """The elements of a label as `elements` has them, but of several paths those of all."""
    value = printed(text.strip()) if text.strip()[:2] == "[[" else None
    if value is None:
        return elements(text, separator)
    return [part for path in value for part in _flat(path) if part]


def printed(text: str) -> Any:
    """The list or object that a text shows, None if it shows none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        try:
            # numpy prints its arrays without commas, which Python would read as one long text.
            value = ast.literal_eval(re.sub(r"""(?<=['"])\s+(?=['"])""", ", ", text))
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            return None
    return value if isinstance(value, list | tuple | dict) else None


def _flat(value: Any) -> list[str]:
    if isinstance(value, dict):
        lowered = {str(key).lower(): inner for key, inner in value.items()}
        for name in NAMES:
            if isinstance(lowered.get(name), str | int | float):
                return [label_text(lowered[name]).strip()]
        return [label_text(inner).strip() for inner in value.values() if isinstance(inner, str)][:1]
    if isinstance(value, list | tuple):
        if value and isinstance(value[0], list | tuple):
            return _flat(value[0])
        return [part for inner in value for part in _flat(inner)]
    return [label_text(value).strip()]


def title_of(text: str) -> str:
    """A title; of a list of texts the first."""
    stripped = text.strip()
    if stripped[:1] == "[":
        value = printed(stripped)
        if isinstance(value, list) and all(isinstance(part, str) for part in value):
            return value[0].strip() if value else ""
    return text


def profile_text(text: str) -> str:
    """A value of a profile column; the elements of a list with "|" between them."""
    stripped = text.strip()
    value = printed(stripped) if stripped[:1] == "[" else None
    return text if value is None else SEPARATOR.join(_flat(value))


def choose_categories(texts: Mapping[str, str], choice: CategoryChoice) -> tuple[dict[str, str], list[str]]:
    """Raw item id → its category, out of raw item id → text; and what is to be said about it."""
    separator = choice.separator or SEPARATOR
    paths = {raw_id: parts for raw_id, text in texts.items() if (parts := elements(text, separator))}
    if not paths:
        return {}, []
    level, notes = choose_level(list(paths.values()), choice)
    chosen = {raw_id: parts[min(level, len(parts)) - 1] for raw_id, parts in paths.items()}
    return chosen, notes + _spread_notes(chosen, max(map(len, paths.values())), separator)


def choose_level(paths: list[list[str]], choice: CategoryChoice) -> tuple[int, list[str]]:
    """Which element of each path counts, from 1 (of a shorter path the last one), and what is to be said about it."""
    depth = max(map(len, paths))
    if choice.level == "deepest":
        level, why = _deepest(paths, depth)
    else:
        level, why = {"first": 1, "last": depth}.get(choice.level) or int(choice.level), "--category_level"
    if depth == 1:
        return level, []
    ways = "; --category_level first, last or a number says otherwise" if why != "--category_level" else ""
    what = "the last" if choice.level == "last" else f"number {level}"
    return level, [f"categories are lists or paths of up to {depth}: {what} of each counts ({why}){ways}"]


def _deepest(paths: list[list[str]], depth: int) -> tuple[int, str]:
    """The deepest level at which items share categories and do not all have the same, and why it is chosen."""
    for level in range(depth, 0, -1):
        counts = Counter(parts[min(level, len(parts)) - 1] for parts in paths)
        if not _one_for_all(counts) and not _own_for_each(counts):
            deeper = "" if level == depth else "; deeper, nearly every item has its own or the same"
            return level, f"the deepest that tells items apart and is shared{deeper}"
    return 1, "at every level nearly all items have the same or their own"


def _one_for_all(counts: Counter[str]) -> bool:
    return max(counts.values()) >= NEARLY_ALL * counts.total() or len(counts) == 1


def _own_for_each(counts: Counter[str]) -> bool:
    return len(counts) >= NEARLY_ALL * counts.total()


def _spread_notes(chosen: Mapping[str, str], depth: int, separator: str) -> list[str]:
    """A note where categories are of no use: the same for all, or another for each."""
    counts = Counter(chosen.values())
    notes = []
    if len(chosen) >= FEWEST and _one_for_all(counts):
        name, most = counts.most_common(1)[0]
        notes.append(
            f"category {name!r} holds {most:,} of {len(chosen):,} items, so it tells little"
            + ("; --category_level chooses another level" if depth > 1 else "")
        )
    elif len(chosen) >= FEWEST and _own_for_each(counts):
        notes.append(f"nearly every item has a category of its own ({len(counts):,} of {len(chosen):,} items)")
    if depth == 1:
        for other in OTHER_SEPARATORS:
            holds = sum(other in name for name in counts)
            if other != separator and 2 * holds >= len(counts):
                shown = next(name for name in counts if other in name)
                notes.append(
                    f"{holds:,} of {len(counts):,} categories hold {other!r}, as {shown!r}; if this stands between "
                    f"several, give --category_sep {other!r}"
                )
                break
    return notes
