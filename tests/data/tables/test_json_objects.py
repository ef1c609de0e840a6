"""The objects of a JSON file: one array, its lines, samples from all over it."""

import json

import pytest

import remi_tf.data.tables.json_objects as json_objects
from remi_tf.errors import InputError
from tests.raw_logs import read_text, rows_of

GOOD = '{"user": "u", "item": "i", "time": 5}\n'


@pytest.mark.parametrize("between", [", ", ",\n", "\n,\n  ", "\r\n,"])
def test_one_array_in_a_file_is_read_with_its_lines(tmp_path, monkeypatch, between):
    monkeypatch.setattr(json_objects, "START_BYTES", 4)  # objects lie over several reads
    rows = [(f"u{k}", "x[{\"'", k) for k in range(50)]
    objects = [
        json.dumps({"user": user, "item": item, "time": time, "deep": [{"a": []}]}, indent=time % 3 or None)
        for user, item, time in rows
    ]
    text = "\ufeff [" + between.join(objects) + "\n]\n"
    assert rows_of(read_text(tmp_path, text, "log.json", time_unit="s")) == rows
    objects[40] = '{"user": "bad"}'
    text = "[" + between.join(objects) + "]"
    line = text[: text.index('"bad"')].count("\n") + 1
    with pytest.raises(InputError, match=rf"^log\.json line {line}: there is no 'item'"):
        read_text(tmp_path, text, "log.json", time_unit="s")


def test_an_array_that_breaks_off_is_read_so_far_under_skip(tmp_path):
    text = "[" + ",\n".join([GOOD.strip()] * 9) + ",\n{oops"
    with pytest.raises(InputError, match=r"^log\.json line 10: the array cannot be read on: '\{oops' is not an object"):
        read_text(tmp_path, text, "log.json", time_unit="s")
    assert len(read_text(tmp_path, text, "log.json", time_unit="s", on_bad_row="skip")) == 9
    with pytest.raises(InputError, match=r"^log\.json line 1: the array ends here, and 'x' comes after it"):
        read_text(tmp_path, f"[{GOOD.strip()}] x", "log.json", time_unit="s")


@pytest.mark.parametrize("array", [False, True])
def test_units_and_kinds_of_events_are_seen_in_both_forms(tmp_path, array):
    times = [0] * 3000 + [1_600_000_000_000 + k for k in range(9000)]
    rows = [
        {"user": "u", "item": "i", "time": time, "event": ("view", "view", "buy")[k % 3]}
        for k, time in enumerate(times)
    ]
    text = json.dumps(rows) if array else "\n".join(map(json.dumps, rows))
    log = read_text(tmp_path, text, "log.json")
    assert log.unit == "ms" and len(log) == len(rows)
    found = list(json_objects.first_objects(text.encode()[:300]))
    assert found and found == rows[: len(found)]
    assert any("'event' holds kinds of events" in note for note in log.notes)
