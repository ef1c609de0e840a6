"""The columns of item features: the kinds there are, and how a raw value becomes codes.

A code is a row of the table of feature embeddings. Every column has the codes MISSING and UNKNOWN besides its own. An
item has one code or more of each column:

  category  one value; of a path one level of it          red
  multi     several values, "|" between them, or a list   Action|Comedy
  number    a number; its quantile among the items        12.5
  date      a date or a time; its quantile                1999-12-31
  text      words                                         The Name of the Rose
  vector    a list of numbers, which a model projects; its one code says that it is there
"""

import dataclasses
import itertools
import math
import re
import zlib
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from remi_tf.data.tables.dates import is_written, parse_written
from remi_tf.data.tables.feature_kinds import KINDS
from remi_tf.data.tables.labels import SEPARATOR, elements, every_element
from remi_tf.data.tables.units import per_second

MISSING, UNKNOWN, FIRST = 0, 1, 2
"""The codes that all columns have, and the first code of a column's own values."""
MOST_CODES = 32
"""Codes of one item in one column. A longer text or list is cut."""
GRAM = 3
"""Characters of a hashed piece of a word."""
SECONDS_A_DAY = 86_400


@dataclass(frozen=True)
class FeatureColumn:
    """One column.

    kind: one of KINDS.
    values: of category and multi, the values of the codes 2, 3, …; of text, its known words in lower case.
    buckets: of hashed codes after those of `values`: values (category, multi) that are too many to be listed, or
      pieces of words that are not known (text). 0 = an unlisted value is UNKNOWN.
    edges: of number and date (in days since 1970), the ascending borders between the codes 2, 3, …; a value on a border
      belongs to the code above it.
    form: of date, how the text is written: a unit of data/tables/units.py or a format of strptime.
    separator: of category and multi, what stands between the elements of a text.
    level: of category, which element of a path counts, from 1 (of a shorter path the last one); 0 = there are no paths.
    width: of vector, its length. scale: what its numbers are multiplied by, so that vectors have length 1 on average.
    """

    name: str
    kind: str
    values: tuple[str, ...] = ()
    buckets: int = 0
    edges: tuple[float, ...] = ()
    form: str = "iso"
    separator: str = SEPARATOR
    level: int = 0
    width: int = 0
    scale: float = 1.0

    @property
    def size(self) -> int:
        """How many codes there are."""
        if self.kind in ("number", "date"):
            return FIRST + len(self.edges) + 1
        if self.kind == "vector":
            return FIRST
        return FIRST + len(self.values) + self.buckets

    @cached_property
    def _code_of(self) -> dict[str, int]:
        return {value: code for code, value in enumerate(self.values, start=FIRST)}

    def codes(self, text: str) -> list[int]:
        """The codes of a raw value other than a vector, each once.

        Raises:
          ValueError: a number or a date that is none.
        """
        text = text.strip()
        if not text:
            return [MISSING]
        if self.kind == "number":
            return [FIRST + bisect_right(self.edges, number_of(text))]
        if self.kind == "date":
            return [FIRST + bisect_right(self.edges, day_of(text, self.form))]
        if self.kind == "text":
            return self._text_codes(words(text))
        values = every_element(text, self.separator) if self.kind == "multi" else one_value(text, *self.path)
        return _distinct(map(self._value_code, map(one_line, values)))

    @property
    def path(self) -> tuple[int, str]:
        """How a category is taken out of a text; see `one_value`."""
        return self.level, self.separator

    def _value_code(self, value: str) -> int:
        if value in self._code_of:
            return self._code_of[value]
        return FIRST + len(self.values) + hashed(value, self.buckets) if self.buckets else UNKNOWN

    def _text_codes(self, found: Sequence[str]) -> list[int]:
        """Known words first: they say more than the pieces of others, where a text is cut."""
        known = [self._code_of[word] for word in found if word in self._code_of]
        pieces = [gram for word in found if word not in self._code_of for gram in grams(word)]
        start = FIRST + len(self.values)
        return _distinct([*known, *(start + hashed(gram, self.buckets) for gram in pieces)])

    def to_json(self) -> dict[str, Any]:
        """What is not as by default. The values have a file of their own; here is their number."""
        known = {each.name: getattr(self, each.name) for each in dataclasses.fields(self) if each.name != "values"}
        defaults = {each.name: each.default for each in dataclasses.fields(self)}
        content = {name: value for name, value in known.items() if value != defaults[name]}
        return {**content, "num_values": len(self.values)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any], values: Sequence[str]) -> "FeatureColumn":
        """The column from what `to_json` made, and its values.

        Raises:
          ValueError: it cannot be one, or these are not its values.
        """
        if content.get("num_values") != len(values):
            raise ValueError(f"num_values {content.get('num_values')!r}, and there are {len(values):,}")
        content = {name: value for name, value in content.items() if name != "num_values"}
        known = {each.name: type(each.default) for each in dataclasses.fields(cls)} | {"name": str, "kind": str}
        for name, value in content.items():
            kinds = (int, float) if known.get(name) is float else (list,) if name == "edges" else (known.get(name),)
            if name not in known or type(value) not in kinds:
                raise ValueError(f"{name} {value!r}")
        if "name" not in content or content.get("kind") not in KINDS:
            raise ValueError(f"name {content.get('name')!r} kind {content.get('kind')!r}")
        edges = tuple(map(float, content.get("edges", ())))
        return cls(**{**content, "edges": edges, "values": tuple(values)})


def one_line(value: str) -> str:
    """A value without line breaks and runs of spaces: values are kept one a line."""
    return " ".join(value.split())


def _distinct(codes: Iterable[int]) -> list[int]:
    """The first MOST_CODES of them, each once; of none, that a value is missing."""
    return list(itertools.islice(dict.fromkeys(codes), MOST_CODES)) or [MISSING]


def number_of(text: str) -> float:
    """A number out of text, such as "12.5" or "1e3".

    Raises:
      ValueError: it is none, or not finite.
    """
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{text!r} is no number") from None
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is not finite")
    return value


def day_of(text: str, form: str) -> float:
    """Days since 1970 of a date written in `form`.

    Raises:
      ValueError: it is none.
    """
    moment = parse_written(text, form) if is_written(form) else number_of(text)
    if moment is None:
        raise ValueError(f"{text!r} is no date of the form {form}")
    return moment / per_second(form) / SECONDS_A_DAY


def one_value(text: str, level: int = 0, separator: str = SEPARATOR) -> list[str]:
    """The category that a text is or that its path has at a level (0 = the text is no path); none where it has none."""
    if level == 0 and text[:1] not in "[{(":
        return [" ".join(text.split())]
    parts = elements(text, separator)
    return parts[min(level or len(parts), len(parts)) - 1 :][:1]


def words(text: str) -> list[str]:
    """The words of a text in lower case."""
    return re.findall(r"\w+", text.lower())


def grams(word: str) -> list[str]:
    """The pieces of GRAM characters of a word with its borders: "cat" → "<ca", "cat", "at>"."""
    framed = f"<{word}>"
    return [framed[start : start + GRAM] for start in range(len(framed) - GRAM + 1)]


def hashed(text: str, buckets: int) -> int:
    """0..buckets - 1, the same on every machine."""
    return zlib.crc32(text.encode()) % buckets
