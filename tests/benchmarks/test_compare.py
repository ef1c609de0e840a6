"""The comparison of two systems: its figures and its table."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
import compare

from remi_tf.errors import InputError
from remi_tf.evaluation.tally import Evaluation


def evaluation(recall: np.ndarray, ndcg: np.ndarray, first_user: int = 0) -> Evaluation:
    users = first_user + np.arange(len(recall))
    return Evaluation({"recall@50": recall, "ndcg@50": ndcg}, users, without_targets=0, seconds=0.0)


def test_users_are_paired_and_seeds_averaged_in_every_metric():
    users = np.random.default_rng(0).random(300)
    noise = np.random.default_rng(1).normal(size=300) * 0.01
    same = np.full(300, 0.25)
    ours = {"1": evaluation(users + 0.05, same), "2": evaluation(users + 0.05 + noise, same)}
    row = compare.compared(ours, {"1": evaluation(users, same), "2": evaluation(users - noise, same)}, "recall@50")
    assert row["users"] == 300 and row["p"] < 1e-6
    assert row["gain"] == pytest.approx((0.05 + noise.mean()) / (users.mean() - noise.mean() / 2), rel=1e-6)
    assert row["system"]["1"] == pytest.approx(users.mean() + 0.05)
    assert row["metrics"]["recall@50"]["difference"] == pytest.approx(0.05 + noise.mean(), rel=1e-6)
    assert (row["metrics"]["ndcg@50"]["difference"], row["metrics"]["ndcg@50"]["p"]) == (0, 1)
    table = compare.markdown({"log": {**row, "exclude_history": True}}, ("SA --remi", "SA")).splitlines()
    assert table[2].startswith("| log | out | 300 | ") and table[2].endswith("| < .0001 |")
    assert "| ndcg@50 | 0.2500 | 0.2500 | +0.0000 | 1.0000 |" in table


def test_evaluations_of_other_users_are_not_compared():
    values = np.linspace(0, 1, 5)
    with pytest.raises(InputError, match="different users"):
        compare.compared(
            {"1": evaluation(values, values)}, {"1": evaluation(values, values, first_user=5)}, "recall@50"
        )


def test_what_evaluate_writes_of_each_user_is_read_back_without_the_yardsticks(tmp_path):
    arrays = {"users": np.array([3, 7]), "model recall@10": np.array([0.5, 0.1]), "MostPopular recall@10": np.zeros(2)}
    np.savez(tmp_path / "users.npz", **arrays)
    found = compare.evaluation_of(tmp_path / "users.npz")
    assert found.users.tolist() == [3, 7] and {name: values.tolist() for name, values in found.per_user.items()} == {
        "recall@10": [0.5, 0.1]
    }
