"""Is one system better than another for the same users? A paired t-test, over any number of seeds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from remi_tf.errors import InputError
from remi_tf.evaluation.tally import Evaluation


@dataclass(frozen=True)
class Comparison:
    """One metric of two systems A and B.

    users: how many users have a value. mean_a, mean_b: means over them. difference: mean_a - mean_b. p: of
    `paired_test`.
    """

    users: int
    mean_a: float
    mean_b: float
    difference: float
    p: float


def compare(a: Sequence[np.ndarray], b: Sequence[np.ndarray]) -> Comparison:
    """Compare one metric of two systems. Each user's value is averaged over the seeds of a system first.

    Users without a value (NaN) in any of the arrays are left out. If nobody is left, the means are NaN and p is 1.

    Args:
      a: one array `[users]` per seed of A. b: the same of B, the same users in the same order.
    """
    mean_a, mean_b = np.mean(a, axis=0), np.mean(b, axis=0)
    there = ~np.isnan(mean_a - mean_b)
    if not there.any():
        return Comparison(0, np.nan, np.nan, np.nan, 1.0)
    mean_a, mean_b = mean_a[there], mean_b[there]
    differences = mean_a - mean_b
    return Comparison(
        len(differences),
        float(mean_a.mean()),
        float(mean_b.mean()),
        float(differences.mean()),
        paired_test(differences),
    )


def compare_evaluations(a: Sequence[Evaluation], b: Sequence[Evaluation]) -> dict[str, Comparison]:
    """Metric@n → `Comparison`, for each metric per user for which some user has a value.

    Args:
      a: the evaluations of A, one per seed. b: those of B.

    Raises:
      InputError: they are of other users, or of other metrics.
    """
    first, others = a[0], [*a[1:], *b]
    if not all(np.array_equal(first.users, other.users) for other in others):
        raise InputError("the evaluations are of different users; evaluate all of them on one split of one dataset")
    if not all(first.per_user.keys() == other.per_user.keys() for other in others):
        raise InputError("the evaluations have different metrics; evaluate all of them with the same top_n and options")
    found = {name: compare([x.per_user[name] for x in a], [x.per_user[name] for x in b]) for name in first.per_user}
    return {name: comparison for name, comparison in found.items() if comparison.users}


def paired_test(differences: np.ndarray) -> float:
    """Two-sided p of a paired t-test that the mean difference is 0.

    p = I_x(ν/2, 1/2) with the regularised incomplete beta function, x = ν / (ν + t²), ν = users - 1 and
    t = mean / (deviation / √users).

    Args:
      differences: `[users]`. If there is one user, p is 1. If all differences are the same number, p is 1 for 0 and 0
        for any other number.
    """
    users = len(differences)
    if users < 2:
        return 1.0
    mean, variance = float(differences.mean()), float(differences.var(ddof=1)) / users
    if variance == 0:
        return 1.0 if mean == 0 else 0.0
    freedom = users - 1
    x = freedom / (freedom + mean * mean / variance)
    return float(tf.math.betainc(*(tf.constant(value, tf.float64) for value in (freedom / 2, 0.5, x))))


def p_in_words(p: float) -> str:
    """p with four decimals, or "< .0001"."""
    return "< .0001" if p < 1e-4 else f"{p:.4f}"
