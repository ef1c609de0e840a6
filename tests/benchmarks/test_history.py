"""What the history in the lists costs: counted on users whose lists are known."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
import history

from tests.evaluation_toys import TinyModel, interactions


def test_targets_are_told_apart_and_looked_for_in_both_lists(monkeypatch):
    model = TinyModel()
    table = model.item_table.numpy()
    table[7] *= 9  # the history 7 finds itself first
    model.item_table.assign(table)
    best = [item for item in np.argsort(-(table @ table[7]), kind="stable") if item > 0]
    second, third = best[1:3]
    users = interactions(([7, 7], [7, second, third]), ([7], [best[-1], third]))
    monkeypatch.setattr(history, "BATCH", 1)
    found = history.found(model, users, 2)
    assert found["places"].tolist() == [1, 1]  # of the two, left in
    assert found["repeated"].tolist() == [True, False, False, False, False]
    assert found["in"].tolist() == [True, True, False, False, False]
    assert found["out"].tolist() == [False, True, True, False, True]


def test_at_the_break_even_both_lists_find_as_much():
    found = {"repeated": np.array([True, True, False, False, False, False]), "places": np.array([3, 5])}
    found |= {
        "in": np.array([True, False, True, False, False, False]),
        "out": np.array([False, False, True, True, True, False]),
    }
    row = history.figures(found, 0.1)
    share = row["break-even"]
    left_in = (1 - share) * row["new in"] + share * row["repeated in"]
    assert left_in == pytest.approx((1 - share) * row["new out"]) and row["places"] == 4
    none = {name: values[2:] if name != "places" else values for name, values in found.items()}
    row = history.figures(none, 0.0)
    assert row["repeated in"] is None and row["break-even"] == pytest.approx(0.5 / 1.5)
    assert "| shop | 0.0000 | 4.0000 | 0.2500 | 0.7500 | – |" in history.markdown({"shop": row})
