"""The raw log in memory: its numbers, times and labels."""

import numpy as np
import pytest

from remi_tf.data.tables.raw_log import Chunk, assemble, encode
from remi_tf.data.tables.sources import SOURCES
from tests.raw_logs import read_text

EVENTS = "timestamp,visitorid,event,itemid,transactionid\n"


def test_user_and_item_order_counts_only_the_rows_that_are_kept(tmp_path):
    text = EVENTS + "1433221332117,9,buy,8,\n1433221332117,2,view,3,\n1433221332117,9,view,8,\n"
    log = read_text(tmp_path, text, "events.csv", layout=SOURCES["rocket"])
    assert log.user_ids.to_pylist() == ["2", "9"] and log.users.tolist() == [0, 1]


def chunk(users, items, times=None, **labels):
    texts = {"user": users, "item": items, **labels}
    return Chunk({key: encode(values) for key, values in texts.items()}, None if times is None else np.array(times))


def test_chunks_with_numbers_of_their_own_become_one_log():
    log = assemble([chunk(["b", "a"], ["x", "y"], [1, 2]), chunk(["c", "a"], ["y", "z"], [3, 4])], "s")
    assert log.user_ids.to_pylist() == ["b", "a", "c"] and log.users.tolist() == [0, 1, 2, 1]
    assert log.item_ids.to_pylist() == ["x", "y", "z"] and log.items.tolist() == [0, 1, 1, 2]
    assert log.times.tolist() == [1, 2, 3, 4]


def test_an_item_keeps_its_first_label_that_is_not_empty():
    log = assemble(
        [chunk(["u"] * 3, ["x", "x", "y"], title=["", "first", " "]), chunk(["u"], ["x"], title=["second"])], "s"
    )
    assert log.titles == {"x": "first"} and log.categories == {}


@pytest.mark.parametrize(
    ("unit", "time"), [("s", 90), ("ms", 90_999), ("us", 90_999_999), ("iso", 90_000_000), ("ms", 90_999.9)]
)
def test_seconds_are_whole_and_rounded_down(unit, time):
    log = assemble([chunk(["u"], ["i"], [time])], unit)
    assert log.has_calendar and log.seconds(log.times).tolist() == [90]
    assert log.seconds(log.times).dtype == np.int64


def test_order_numbers_and_no_times_are_no_calendar():
    assert not assemble([chunk(["u"], ["i"], [5])], "none").has_calendar
    empty = assemble([chunk([], [])], "s")
    assert not empty.has_calendar and len(empty) == 0
