"""How benchmarks measure: turns, ratios within a round, and tables."""

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
import timing


def test_calls_take_turns():
    order = []
    times = timing.take_turns({"a": lambda: order.append("a") or 1.0, "b": lambda: order.append("b") or 2.0}, 2)
    assert order == ["a", "b", "a", "b"] and times == {"a": [1.0, 1.0], "b": [2.0, 2.0]}


def test_a_ratio_is_taken_within_a_round_so_a_busy_round_does_not_change_it():
    # The third round is ten times as slow for both.
    found = timing.ratio([2.0, 3.0, 20.0, 2.2, 2.1], [1.0, 1.0, 10.0, 1.0, 1.0])
    np.testing.assert_allclose(found, [2.1, 2.0, 2.2])
    assert str(found) == "2.10 (2.00–2.20)"


def test_a_table_has_its_head_and_a_line_for_each_row(capsys):
    rows = [("`SA`", *timing.medians([4.0, 6.0, 5.0], [2.0, 2.0, 2.0]))]
    timing.print_table(("model", "ms", "bare", "ratio"), rows)
    assert capsys.readouterr().out.splitlines() == [
        "| model | ms | bare | ratio |",
        "| --- | --- | --- | --- |",
        "| `SA` | 5.00 | 2.00 | 2.50 (2.25–2.75) |",
    ]


def test_one_number_of_any_result_is_read_back():
    for shape in ([], [3], [2, 3, 4]):
        timing.read_back(tf.zeros(shape))
