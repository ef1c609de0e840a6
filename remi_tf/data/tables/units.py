"""The units that times come in, and single times given by hand."""

import re
from numbers import Integral, Real
from typing import Any

import numpy as np

from remi_tf.data.tables.dates import compact_form, is_written, parse_iso
from remi_tf.errors import InputError

UNITS = ("auto", "s", "ms", "us", "ns", "iso", "none")
PER_SECOND = {"s": 1, "ms": 1000, "us": 1_000_000, "ns": 1_000_000_000, "iso": 1_000_000}
UNIT_NAMES = {
    "s": "seconds",
    "ms": "milliseconds",
    "us": "microseconds",
    "ns": "nanoseconds",
    "iso": "ISO dates",
    "none": "order numbers",
}
NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")
LATEST = 4_102_444_800  # 2100-01-01, in seconds
ORDER_BELOW = 1e8  # numbers below it (early 1973 in seconds) are taken as order numbers, not as times


def guess_unit_of(value: float) -> str:
    """The unit in which a number is a time between 1973 and 2100; `none` for smaller numbers."""
    if value < ORDER_BELOW:
        return "none"
    if value < 1e11:
        return "s"
    if value < 1e14:
        return "ms"
    return "us" if value < 1e17 else "ns"


def per_second(unit: str) -> int:
    """Units in a second; of times that are text, microseconds."""
    return PER_SECOND["iso" if is_written(unit) else unit]


def unit_name(unit: str) -> str:
    """What a unit is called in a message."""
    return UNIT_NAMES.get(unit, f"dates of the form {unit}")


def guess_unit(samples: list[str]) -> str:
    """The unit of a column of times, by some of its values: by their median size, or by the form of their text."""
    numbers = [text for text in samples if NUMBER.fullmatch(text)]
    dates = len(samples) - len(numbers)
    if dates > len(numbers) or (dates and all(parse_iso(text) is not None for text in samples)):
        return "iso"
    if not numbers:
        return "s"
    sizes = sorted(map(float, numbers))
    return compact_form(numbers) or guess_unit_of(sizes[len(sizes) // 2])


def in_unit(times: np.ndarray, unit: str, wanted: str) -> np.ndarray:
    """[n] times of one unit in another one."""
    have, want = per_second(unit), per_second(wanted)
    if have <= want:
        return times * (want // have)
    return times // (have // want) if not (times % (have // want)).any() else times / (have // want)


def unix_seconds(value: Any, place: str) -> int:
    """Seconds since 1970, given as text or as a number.

    Raises:
      InputError: not a whole number, negative, or beyond the year 2100; the message starts with `place`.
    """
    fractional = isinstance(value, Real) and not isinstance(value, Integral)
    text = str(int(value)) if fractional and float(value).is_integer() else str(value)
    if not re.fullmatch(r"[+-]?\d{1,18}", text):
        raise InputError(f"{place}: {value!r} is not a whole number of seconds since 1970, such as 1388534400")
    if int(text) < 0:
        raise InputError(f"{place}: {text} is negative; give seconds since 1970, such as 1388534400")
    if int(text) > LATEST:
        raise InputError(f"{place}: {text} seconds since 1970 are beyond the year 2100; are these milliseconds?")
    return int(text)
