"""The comparison of two systems: its figures and its table."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
import compare


def test_users_are_paired_and_seeds_averaged():
    users = np.random.default_rng(0).random(300)
    noise = np.random.default_rng(1).normal(size=300) * 0.01
    ours = {"1": users + 0.05, "2": users + 0.05 + noise}
    row = compare.compared(ours, {"1": users, "2": users - noise})
    assert row["users"] == 300 and row["p"] < 1e-6
    assert row["gain"] == pytest.approx((0.05 + noise.mean()) / (users.mean() - noise.mean() / 2), rel=1e-6)
    assert row["system"]["1"] == pytest.approx(users.mean() + 0.05)
    table = compare.markdown({"log": {**row, "exclude_history": True}}, ("SA --remi", "SA"))
    assert table.splitlines()[2].startswith("| log | out | 300 | ") and table.splitlines()[2].endswith("| < .0001 |")
