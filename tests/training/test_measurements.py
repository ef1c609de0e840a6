"""metrics.jsonl: each step once, and one bad line costs no other."""

import json

import pytest

from remi_tf.training.measurements import append_metrics, count_lines, read_metrics, truncate_metrics


@pytest.fixture
def told(monkeypatch):
    said = []
    monkeypatch.setattr("absl.logging.warning", lambda text, *values: said.append(text % values))
    return said


def steps(path):
    return [json.loads(line)["step"] for line in (path / "metrics.jsonl").read_text().splitlines()]


def test_measurements_after_the_checkpoint_are_dropped_with_a_half_written_line(tmp_path, told):
    truncate_metrics(tmp_path, 10)  # nothing measured yet
    assert read_metrics(tmp_path) == [] and count_lines(tmp_path) == 0
    for step in (10, 20, 30):
        append_metrics(tmp_path, {"step": step})
    with open(tmp_path / "metrics.jsonl", "a", encoding="utf-8") as file:
        file.write('{"step": 4')
    assert count_lines(tmp_path) == 4
    truncate_metrics(tmp_path, 20)
    assert steps(tmp_path) == [10, 20] and not told


@pytest.mark.parametrize("bad", [b"{", b"[1]", b"7", b'{"loss": 1}', b'{"step": "20"}', b"\xff\xfe", b"", b"NaN"])
def test_a_bad_line_is_left_out_with_its_number_and_the_later_ones_stay(tmp_path, told, bad):
    for step in (10, 20, 30):
        append_metrics(tmp_path, {"step": step})
    lines = (tmp_path / "metrics.jsonl").read_bytes().splitlines()
    (tmp_path / "metrics.jsonl").write_bytes(b"\n".join([lines[0], bad, *lines[1:]]) + b"\n")
    assert [line["step"] for line in read_metrics(tmp_path)] == [10, 20, 30]
    truncate_metrics(tmp_path, 30)
    assert steps(tmp_path) == [10, 20, 30]
    assert all("metrics.jsonl line 2: left out" in line for line in told) and len(told) == 2


def test_a_step_that_two_processes_wrote_is_kept_once(tmp_path):
    for step in (10, 20, 10, 20, 30):
        append_metrics(tmp_path, {"step": step})
    truncate_metrics(tmp_path, 30)
    assert steps(tmp_path) == [10, 20, 30]
