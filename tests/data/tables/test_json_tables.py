"""JSON lines → rows."""

from itertools import product

import pytest

import remi_tf.data.tables.json_tables as json_tables
from remi_tf.data.tables.layouts import Columns, Layout
from remi_tf.errors import InputError
from tests.raw_logs import read_text, rows_of


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"user": "u", "item": "i"}', "there is no 'time' in the object"),
        ('{"user": "u", "item": "", "time": 5}', "item is empty"),
        ('{"user": "u", "item": "i", "time": "x"}', "time 'x' is not a number"),
        ('{"user": ["u"], "item": "i", "time": 5}', "user .'u'. of type list is not a raw id"),
        ('{"user": "u"', "is not a JSON object"),
        ("[1]", "is not a JSON object"),
    ],
)
def test_bad_json_lines_are_named_or_skipped(tmp_path, line, message):
    good = '{"time": 5, "user": "u", "item": 7, "more": [1, {"a": 2}]}\n'
    with pytest.raises(InputError, match=rf"log\.json line 4: .*{message}"):
        read_text(tmp_path, good + "\n" + good + line + "\n" + good, "log.json", time_unit="s")
    log = read_text(tmp_path, good + line + "\n" + good, "log.json", time_unit="s", on_bad_row="skip")
    assert rows_of(log) == [("u", "7", 5)] * 2 and sum(log.dropped.values()) == 1


def test_ids_keep_their_text_and_whole_numbers_lose_their_point(tmp_path):
    lines = '{"user": "007", "item": 7.0, "time": 5}\n{"user": 7, "item": "é", "time": 6}\n'
    log = read_text(tmp_path, lines, "log.jsonl", time_unit="s")
    assert rows_of(log) == [("007", "7", 5), ("7", "é", 6)]


def test_python_literals_are_read_but_never_run(tmp_path):
    text = "{'user': 'it\\'s', 'item': 'b', 'time': 5}\n"
    assert rows_of(read_text(tmp_path, text, "log.json", time_unit="s")) == [("it's", "b", 5)]
    with pytest.raises(InputError, match="is not a JSON object"):
        read_text(tmp_path, "{'user': __import__('os').getcwd(), 'item': 'b', 'time': 5}\n", "log.json", time_unit="s")


GOOD = '{"user": "u", "item": "i", "time": 5}\n'
LABELLED = Layout(Columns("user", "item", "time", title="title", category="category"))


@pytest.mark.parametrize("value", ["null", "1", '"x"', "[1]", "true", "NaN", "{}", "[[]]", "nul", '{"user": 1'])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_line_that_is_no_row_is_named_wherever_it_stands(tmp_path, monkeypatch, value, place):
    monkeypatch.setattr(json_tables, "FEW_BYTES", 0)  # Arrow reads what is clean, however short
    lines = [GOOD, GOOD]
    lines.insert(place, value + "\n")
    with pytest.raises(InputError, match=rf"^log\.jsonl line {place + 1}: "):
        read_text(tmp_path, "".join(lines), "log.jsonl", time_unit="s")
    log = read_text(tmp_path, "".join(lines), "log.jsonl", time_unit="s", on_bad_row="skip")
    assert rows_of(log) == [("u", "i", 5)] * 2


@pytest.mark.parametrize(
    "value", ["NaN", "Infinity", "-Infinity", "1e999", "null", '"\\ud800"', '"\\udc00 x"', "true", "{}"]
)
@pytest.mark.parametrize("key", ["user", "item", "time"])
@pytest.mark.parametrize("ids", ['"a"', "7"])
def test_what_is_no_value_is_a_bad_row_in_every_kind_of_block(tmp_path, monkeypatch, value, key, ids):
    row = {"user": ids, "item": ids, "time": "5"}
    lines = [{**row}, {**row, key: value}, {**row}]
    text = "".join("{" + ", ".join(f'"{name}": {text}' for name, text in line.items()) + "}\n" for line in lines)
    for few in (0, 1 << 20):
        monkeypatch.setattr(json_tables, "FEW_BYTES", few)
        with pytest.raises(InputError, match=rf"^log\.jsonl line 2: .*{key}"):
            read_text(tmp_path, text, "log.jsonl", time_unit="s")
        log = read_text(tmp_path, text, "log.jsonl", time_unit="s", on_bad_row="skip")
        assert rows_of(log) == [(ids.strip('"'), ids.strip('"'), 5)] * 2


@pytest.mark.parametrize("value", ["NaN", "Infinity", "null"])
def test_a_label_that_is_no_value_is_empty(tmp_path, value):
    text = f'{{"user": "u", "item": "i", "time": 5, "title": {value}, "category": {value}}}\n' + GOOD
    log = read_text(tmp_path, text, "log.jsonl", layout=LABELLED)
    assert not log.titles and not log.categories


def test_a_key_that_stands_twice_is_a_bad_row_if_it_is_read(tmp_path, monkeypatch):
    for few in (0, 1 << 20):
        monkeypatch.setattr(json_tables, "FEW_BYTES", few)
        log = read_text(
            tmp_path, '{"user": 1, "item": 2, "x": 3, "x": 4}\n', "a.jsonl", layout=Layout(Columns("user", "item"))
        )
        assert rows_of(log) == [("1", "2", None)]
        with pytest.raises(InputError, match=r"line 2: 'item' stands in the object more than once"):
            read_text(tmp_path, GOOD + '{"user": "u", "item": "i", "item": "j", "time": 5}\n', "log.jsonl")


@pytest.mark.parametrize("number", ["7", "7.0", "-0", "1E2", "12345678901234567890", "9007199254740993"])
def test_a_bad_line_does_not_change_the_ids_next_to_it(tmp_path, monkeypatch, number):
    monkeypatch.setattr(json_tables, "FEW_BYTES", 0)
    line = f'{{"user": {number}, "item": {number}, "time": 5}}\n'
    alone = rows_of(read_text(tmp_path, line * 3, "log.jsonl", time_unit="s"))
    assert rows_of(read_text(tmp_path, line * 3 + "x\n", "log.jsonl", time_unit="s", on_bad_row="skip")) == alone


@pytest.mark.parametrize("number", ["1e-7", "0.1"])
def test_a_fraction_is_no_id_whatever_stands_next_to_it(tmp_path, monkeypatch, number):
    for few, more in product((0, 1 << 20), ("", "x\n")):
        monkeypatch.setattr(json_tables, "FEW_BYTES", few)
        text = f'{{"user": {number}, "item": 1, "time": 5}}\n' * 3 + more + GOOD
        with pytest.raises(InputError, match=r"^log\.jsonl line 1: user .* is not a whole number; give the id as text"):
            read_text(tmp_path, text, "log.jsonl", time_unit="s")
        assert len(read_text(tmp_path, text, "log.jsonl", time_unit="s", on_bad_row="skip")) == GOOD.count("\n")
