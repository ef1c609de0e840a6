"""Dates and times of day written as text → microseconds since 1970."""

import re
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from itertools import product

import numpy as np
import pyarrow as pa

from remi_tf.errors import InputError

_DATE = r"(?P<year>\d{4})(?P<mark>[-/])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})"
_BASIC_DATE = r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)"
_CLOCK = r"(?P<hour>\d{1,2})(:(?P<minute>\d\d)(:(?P<second>\d\d)([.,](?P<fraction>\d{1,9}))?)?)?"
_BASIC_CLOCK = r"(?P<hour>\d\d)((?P<minute>\d\d)((?P<second>\d\d)([.,](?P<fraction>\d{1,9}))?)?)?"
_ZONE = r"(\s*(?P<zone>Z|UTC|GMT|(?P<sign>[+-])(?P<zone_hour>\d\d)(:?(?P<zone_minute>\d\d))?(\s*UTC)?))?"
FORMS = (
    re.compile(rf"{_DATE}((T|\s+){_CLOCK}{_ZONE})?", re.IGNORECASE | re.ASCII),
    re.compile(rf"{_BASIC_DATE}(T{_BASIC_CLOCK}{_ZONE})?", re.IGNORECASE | re.ASCII),
)
"""ISO 8601 and what differs from it without being ambiguous: slashes, a space before the zone, UTC, 9 digits."""

COMPACT = {8: "YYYYMMDD", 10: "YYYYMMDDhh", 12: "YYYYMMDDhhmm", 14: "YYYYMMDDhhmmss"}
"""Digits of a date without any mark → the name of its form."""
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_EPOCH_DAY = _EPOCH.toordinal()
_MICROSECOND = timedelta(microseconds=1)
_CLOCKS = ("", " %H:%M:%S", " %H:%M", " %I:%M:%S %p", " %I:%M %p", " %H:%M:%S.%f", "T%H:%M:%S")
_DAYS = ("%m/%d/%Y", "%d/%m/%Y", "%m-%d-%Y", "%d-%m-%Y", "%d.%m.%Y", "%d %b %Y", "%b %d, %Y", "%d-%b-%Y", "%m/%d/%y")
SUGGESTED = (
    *(day + clock for day, clock in product(_DAYS, _CLOCKS)),
    "%a %b %d %H:%M:%S %z %Y",
    "%a %b %d %H:%M:%S %Y",
    "%a, %d %b %Y %H:%M:%S %z",
    "%a, %d %b %Y %H:%M:%S %Z",
    "%Y-%m-%d %I:%M:%S %p",
    "%Y/%m/%d %I:%M:%S %p",
    "%Y.%m.%d",
    "%Y.%m.%d %H:%M:%S",
)
"""Formats that a message may propose."""


def is_format(unit: str) -> bool:
    """Whether a unit of time is a format of --time_format."""
    return "%" in unit


def is_written(unit: str) -> bool:
    """Whether times in this unit are text: ISO dates, dates of digits only, or in a format."""
    return unit == "iso" or unit in COMPACT.values() or is_format(unit)


def check_format(text: str) -> str:
    """A format of --time_format, as it is.

    Raises:
      InputError: it has no year, or a directive that strptime does not know.
    """
    if not re.search(r"%([YyGcxs]|D)", text):
        raise InputError(f'--time_format {text!r}: it has no year; give the form of a whole date, as "%m/%d/%Y %H:%M"')
    try:
        datetime.strptime("", text)
    except ValueError as error:
        if "does not match" not in str(error):
            raise InputError(
                f'--time_format {text!r}: {error}; give a form as Python\'s strptime has it, "%m/%d/%Y %H:%M"'
            ) from error
    except re.error as error:
        raise InputError(f"--time_format {text!r}: {error}; each directive may stand once") from error
    return text


@lru_cache(maxsize=1 << 12)
def _day(year: str, month: str, day: str) -> int | None:
    """Days since 1970."""
    try:
        return datetime(int(year), int(month), int(day)).toordinal() - _EPOCH_DAY
    except ValueError:
        return None


def parse_iso(text: str) -> int | None:
    """Microseconds since 1970 of an ISO 8601 date or time (UTC where no zone is given), None if it is none.

    Digits of a second beyond the sixth are cut off.
    """
    text = text.strip()
    match = FORMS[0].fullmatch(text) or FORMS[1].fullmatch(text)
    if match is None:
        return None
    days = _day(match["year"], match["month"], match["day"])
    hour, minute, second = (int(match[part] or 0) for part in ("hour", "minute", "second"))
    if days is None or hour > 23 or minute > 59 or second > 59:
        return None
    seconds = days * 86_400 + hour * 3600 + minute * 60 + second
    if match["sign"]:
        east, minutes = int(match["zone_hour"]), int(match["zone_minute"] or 0)
        if east > 23 or minutes > 59:
            return None
        seconds -= (1 if match["sign"] == "+" else -1) * (east * 3600 + minutes * 60)
    return seconds * 1_000_000 + int((match["fraction"] or "")[:6].ljust(6, "0"))


def parse_compact(text: str, form: str) -> int | None:
    """Microseconds since 1970 of a date of digits only, such as 20200913 (form YYYYMMDD); None if it is none."""
    text = text.strip().removesuffix(".0")
    if len(text) != len(form) or not (text.isascii() and text.isdigit()) or not "1970" <= text[:4] <= "2099":
        return None
    return parse_iso(text if len(text) == 8 else f"{text[:8]}T{text[8:]}")


def parse_written(text: str, unit: str) -> int | None:
    """Microseconds since 1970 of a text in a unit for which `is_written` holds; None if it does not have that form."""
    if unit == "iso":
        return parse_iso(text)
    if not is_format(unit):
        return parse_compact(text, unit)
    try:
        moment = datetime.strptime(text.strip(), unit)
        moment = moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment
        return (moment - _EPOCH) // _MICROSECOND
    except (ValueError, OverflowError):
        return None


def written_times(texts: pa.DictionaryArray | pa.ChunkedArray, unit: str) -> np.ndarray | None:
    """[n] int64 microseconds of a dictionary-encoded column; None if one of them is not of that form."""
    parts = []
    for chunk in texts.chunks if isinstance(texts, pa.ChunkedArray) else [texts]:
        if chunk.null_count:
            return None
        values = [parse_written(text, unit) for text in chunk.dictionary.to_pylist()]
        if None in values:
            return None
        parts.append(np.array(values, np.int64)[chunk.indices.to_numpy()])
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def compact_form(numbers: list[str]) -> str | None:
    """The form of dates of digits only that nearly all of some numbers have, None if there is none."""
    for form in COMPACT.values():
        valid = sum(parse_compact(text, form) is not None for text in numbers)
        if numbers and valid >= 0.9 * len(numbers):
            return form
    return None


def what_to_give(text: str, unit: str) -> str:
    """How to name the form of a date that is not of the form `unit`."""
    if is_format(unit):
        return f"give the form of the column with --time_format instead of {unit!r}"
    if unit != "iso":
        return "give --time_unit none if these are numbers that only order, or --time_format for another form"
    fitting = [form for form in SUGGESTED if parse_written(text, form) is not None]
    if not fitting:
        return 'give its form with --time_format, such as "%m/%d/%Y %I:%M:%S %p"'
    swapped = fitting[0].replace("%m", "#").replace("%d", "%m").replace("#", "%d")
    if swapped in fitting and swapped != fitting[0]:
        return f'give its form: --time_format "{fitting[0]}", or "{swapped}" if the day comes first'
    return f'give its form: --time_format "{fitting[0]}"'
