"""The units that times come in, and single times given by hand."""

import re
from numbers import Integral, Real
from typing import Any

from remi_tf.errors import InputError

UNITS = ("auto", "s", "ms", "us", "iso", "none")
PER_SECOND = {"s": 1, "ms": 1000, "us": 1_000_000, "iso": 1_000_000}
LATEST = 4_102_444_800  # 2100-01-01, in seconds
ORDER_BELOW = 1e8  # numbers below it (early 1973 in seconds) are taken as order numbers, not as times


def guess_unit_of(value: float) -> str:
    """The unit in which a number is a time between 1973 and 2100; `none` for smaller numbers."""
    if value < ORDER_BELOW:
        return "none"
    if value < 1e11:
        return "s"
    return "ms" if value < 1e14 else "us"


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
