"""The served graph reads a user's value as the dataset does."""

import pytest
import tensorflow as tf

from remi_tf.data.dataset.profiles import ProfileColumn
from remi_tf.serving.profile_codes import ProfileCodes

AGE = ProfileColumn("age", (), "number", (-5.0, 18.0, 65.5))
JOINED = ProfileColumn("joined", (), "date", (-1.0, 59.0, 11016.0, 19722.0))
TEXTS = {
    ProfileColumn("gender", ("F", "é")): ["F", "é", "f", "", " F"],
    AGE: ["-6", "-5", "17.9", "18", " 65.5 ", "1e3", "+7", ".5", "", "abc", "1,5", "nan", "inf", "1e999", "0x10"],
    JOINED: [
        *("1969-12-30", "1969-12-31", "1970-02-28", "1970-03-01", "2000-02-29", "2000-02-28", "2023-12-31"),
        *("2024-1-1", "2023/12/31", "1900-03-01", "1600-02-29", "2024-01-01T12:00", "2024-01-01 12:00:00+00:00"),
        *("", "20x", "2024-13-01", "2024-00-10", "01.02.2024", "19722"),
    ],
}


@pytest.mark.parametrize("column", TEXTS)
def test_every_text_has_the_same_code_in_the_graph_and_outside(column):
    texts, coder = TEXTS[column], column.coder()
    codes = tf.function(ProfileCodes(column))(tf.constant(texts)).numpy().tolist()
    assert dict(zip(texts, codes, strict=True)) == {text: coder(text) for text in texts}
    assert 0 in codes and column.size in codes


def test_every_day_of_four_hundred_years_is_counted_right():
    days = [
        f"{year}-{month:02}-{day:02}"
        for year in range(1800, 2200)
        for month, day in ((1, 1), (2, 28), (3, 1), (12, 31))
    ]
    edges = (-60000.0, *map(float, range(-50_000, 80_000, 997)))
    column = ProfileColumn("joined", (), "date", edges)
    coder = column.coder()
    assert ProfileCodes(column)(tf.constant(days)).numpy().tolist() == [coder(day) for day in days]


def test_a_column_without_borders_knows_a_number_from_none():
    column = ProfileColumn("age", (), "number")
    assert column.size == 1
    assert ProfileCodes(column)(tf.constant(["7", "x"])).numpy().tolist() == [1, 0]
