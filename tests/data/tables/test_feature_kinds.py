"""What a feature column is: as it was said, or as its values look."""

import numpy as np
import pytest

from remi_tf.data.tables.feature_kinds import Asked, date_form, guess_kind, parse_features, wrong_value
from remi_tf.errors import InputError


def test_columns_and_kinds_are_read_from_text_and_from_lists():
    expected = (Asked("genres", "multi"), Asked("brand", ""), Asked("a b", "text"))
    assert parse_features("genres:multi, brand ,a b:text", "--f") == expected
    assert parse_features(["genres:multi", "brand", "a b:text"], "--f") == expected
    assert parse_features(["a,b", "ns:x:number"], "--f") == (Asked("a,b", ""), Asked("ns:x", "number"))
    assert parse_features(None, "--f") is None and parse_features("none", "--f") == ()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("genres:mutli", "--f genres:mutli: 'mutli' is no kind of feature; did you mean genres:multi?"),
        ("x:colour", "the kinds are category, multi, number, date, text, vector"),
        ("", "a column has no name"),
        ([], "a column has no name"),
        ("a,,b", "a column has no name"),
        (":text", "a column has no name"),
        ("a,b,a:text", "a stands there twice"),
    ],
)
def test_what_cannot_be_columns_is_refused(given, message):
    with pytest.raises(InputError, match="--f") as error:
        parse_features(given, "--f")
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["red", "blue", "red"], "category"),
        (["Action|War", "War", "Drama"], "multi"),
        (['["a", "b"]', "[]"], "multi"),
        (["[1, 2]", "[1, 2, 3]"], "multi"),
        ([str([k / 7] * 16) for k in range(5)], "vector"),
        ([np.zeros(3)], "vector"),
        ([str(k) for k in range(100)], "number"),
        (["1.5", "2.5"], "number"),
        (["1", "0", "1", "3"], "category"),
        (["2024-01-31", "1999-12-31T10:00"], "date"),
        (["20240131", "19991231"], "date"),
        (["1700000000", "1600000000"], "date"),
        ([f"The tale of number {k}" for k in range(50)], "text"),
        (["Oct 1, 2023", "May 12, 2019", "Jun 3, 2001"], "date"),
        (["on the same old shelf"] * 50, "category"),
        ([], "category"),
    ],
)
def test_kinds_are_guessed_from_values(values, kind):
    assert guess_kind(values) == kind


def test_the_separator_that_is_given_tells_several_values_from_one():
    assert guess_kind(["Home > Pans", "Home > Pots"], " > ") == "multi"
    assert guess_kind(["Home > Pans", "Home > Pots"]) != "multi"


def test_the_form_of_dates_is_found_and_one_odd_value_does_not_change_it():
    assert date_form("x", ["2024-12-31"] * 30 + ["?"]) == "iso"
    assert date_form("x", ["20241231"]) == "YYYYMMDD" and date_form("x", ["1700000000000"]) == "ms"
    assert date_form("x", ["13/02/2020", "01/02/2020"]) == "%d/%m/%Y"
    assert date_form("x", ["Oct 1, 2023"] * 30 + ["soon"]) == "%b %d, %Y"


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["01/02/2020", "03/04/2020"], "t: x: '01/02/2020' is a date of the forms '%m/%d/%Y' and '%d/%m/%Y'"),
        (["yesterday"], "t: x: 'yesterday' is no date of a form that is known; write the dates as"),
        (["1999", "2003"], "t: x: '1999' is too small for a date; if it is a number, such as a year, say :number"),
    ],
)
def test_dates_of_no_or_two_forms_are_refused(texts, message):
    with pytest.raises(InputError) as error:
        date_form("t: x", texts)
    assert str(error.value).startswith(message)


def test_what_is_wrong_with_a_value_is_said():
    assert wrong_value("number", "1e3") is None and wrong_value("date", "2020-01-01", "iso") is None
    assert wrong_value("number", "1,5") == "'1,5' is no number" and "too large" in wrong_value("number", "1e999")
    assert wrong_value("date", "x", "s") == "'x' is no date of the form s"
