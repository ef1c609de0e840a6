"""Units of time, and single times given by hand."""

import numpy as np
import pytest

from remi_tf.data.tables.units import PER_SECOND, guess_unit_of, in_unit, unix_seconds
from remi_tf.errors import InputError

DAY = 86_400


@pytest.mark.parametrize("unit", ["s", "ms", "us"])
@pytest.mark.parametrize("year", [1974, 2001, 2024, 2099])
def test_a_time_of_our_days_shows_its_unit(unit, year):
    assert guess_unit_of((year - 1970) * 365.25 * DAY * PER_SECOND[unit]) == unit


@pytest.mark.parametrize("number", [0, 7, 1_000_000])
def test_small_numbers_only_order(number):
    assert guess_unit_of(number) == "none"


@pytest.mark.parametrize(
    "value", ["1388534400", 1388534400, 1388534400.0, np.int64(1388534400), np.float64(1388534400)]
)
def test_seconds_may_be_text_or_any_number(value):
    assert unix_seconds(value, "here") == 1388534400


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("2014-01-01", "^here: '2014-01-01' is not a whole number of seconds"),
        (1.5, "1.5 is not a whole number"),
        ("", "'' is not a whole number"),
        (-1, "^here: -1 is negative"),
        (1388534400000, "beyond the year 2100; are these milliseconds?"),
        (float("nan"), "nan is not a whole number"),
    ],
)
def test_what_is_no_time_is_refused_with_its_place(value, message):
    with pytest.raises(InputError, match=message):
        unix_seconds(value, "here")


def test_times_in_another_unit():
    assert in_unit(np.array([1, 2]), "s", "ms").tolist() == [1000, 2000]
    assert in_unit(np.array([1500, 2000]), "ms", "s").tolist() == [1.5, 2.0]
    assert in_unit(np.array([2000]), "ms", "s").dtype.kind == "i"
    assert in_unit(np.array([1_000_000]), "iso", "ns").tolist() == [1_000_000_000]
