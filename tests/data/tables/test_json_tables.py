"""JSON lines → rows."""

import pytest

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
