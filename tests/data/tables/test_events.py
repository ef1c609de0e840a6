"""Kinds of events: one can be kept, and a log that has several says so."""

import json

import pandas as pd
import pytest

from remi_tf.data.tables.data_frames import read_frame
from remi_tf.data.tables.layouts import Columns, Layout, parse_keep
from remi_tf.data.tables.reading import read_log
from remi_tf.errors import InputError
from tests.raw_logs import rows_of

ROWS = [{"user": "u", "item": f"i{k}", "time": k, "event_type": ("view", "cart", "purchase")[k % 3]} for k in range(9)]


def write(folder, kind):
    frame = pd.DataFrame(ROWS)
    path = folder / f"log.{kind}"
    if kind == "csv":
        frame.to_csv(path, index=False)
    elif kind == "parquet":
        frame.to_parquet(path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return path


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_events_are_kept_by_value_and_the_others_counted(tmp_path, kind):
    path, columns = write(tmp_path, kind), Columns("user", "item", "time")
    log = read_log([path], Layout(columns, keep=parse_keep("event_type=view, purchase")))
    assert [row[1] for row in rows_of(log)] == ["i0", "i2", "i3", "i5", "i6", "i8"]
    assert log.dropped == {"rows of other events": 3} and not any("kinds of events" in note for note in log.notes)
    everything = read_log([path], Layout(columns))
    assert len(everything) == 9
    assert any("'event_type' holds kinds of events (view, cart, purchase)" in note for note in everything.notes)


def test_events_of_a_frame():
    columns = Columns("user", "item", "time")
    log = read_frame(pd.DataFrame(ROWS), Layout(columns, keep=("event_type", ("cart",))))
    assert [row[1] for row in rows_of(log)] == ["i1", "i4", "i7"]
    assert any("--keep event_type=" in note for note in read_frame(pd.DataFrame(ROWS), columns).notes)


def test_a_column_of_one_kind_or_of_many_values_is_no_event(tmp_path):
    for kinds in ("view", "abcdefghi"):
        rows = pd.DataFrame(ROWS).assign(event_type=list(kinds) if len(kinds) == 9 else kinds)
        assert not any("kinds of events" in note for note in read_frame(rows, Columns("user", "item")).notes)


@pytest.mark.parametrize("text", ["event", "event=", "=view", "event= , "])
def test_what_to_keep_needs_a_column_and_values(text):
    with pytest.raises(InputError, match="--keep"):
        parse_keep(text)
