"""The comparison of two systems: its test over users and its table."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
import compare


def test_equal_recalls_are_no_evidence_and_a_constant_gain_is_certain():
    assert compare.paired_test(np.zeros(100)) == 1
    assert compare.paired_test(np.full(100, 0.1)) == 0


def test_p_is_that_of_the_t_statistic():
    """Differences of mean 0.196 and standard error 0.1: t = 1.96, p = .05."""
    differences = np.tile([1.0, -1.0], 5000)
    differences = 0.196 + 10 * differences / differences.std(ddof=1)
    assert compare.paired_test(differences) == pytest.approx(0.05, abs=1e-4)
    assert compare.paired_test(-differences) == compare.paired_test(differences)


def test_pure_noise_is_found_significant_as_often_as_p_says():
    generator = np.random.default_rng(0)
    found = [compare.paired_test(generator.normal(size=400)) for _ in range(2000)]
    assert np.mean(np.array(found) < 0.05) == pytest.approx(0.05, abs=0.015)


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
