"""The paired test, against scipy's and by what p means."""

import numpy as np
import pytest
from scipy import stats

from remi_tf.errors import InputError
from remi_tf.evaluation.paired_test import compare, compare_evaluations, p_in_words, paired_test
from remi_tf.evaluation.tally import Evaluation


@pytest.mark.parametrize(("users", "shift"), [(2, 0.3), (5, 0.0), (5, 1.0), (400, 0.02), (4000, 0.5)])
def test_equals_scipys_paired_t_test(users, shift):
    """From a handful of users, where the normal law would be wrong, to p below 1e-100."""
    draw = np.random.default_rng(users)
    a, b = draw.random(users) + shift, draw.random(users)
    found = compare([a], [b])
    assert found.p == pytest.approx(stats.ttest_rel(a, b).pvalue, rel=1e-6)
    assert (found.users, found.mean_a, found.mean_b) == (users, pytest.approx(a.mean()), pytest.approx(b.mean()))
    assert found.difference == pytest.approx(a.mean() - b.mean())
    assert compare([b], [a]).p == pytest.approx(found.p)


def test_equal_values_are_no_evidence_and_a_constant_gain_is_certain():
    assert paired_test(np.zeros(100)) == 1 == paired_test(np.ones(1))
    assert paired_test(np.full(100, 0.1)) == 0


def test_pure_noise_is_found_significant_as_often_as_p_says():
    generator = np.random.default_rng(0)
    found = np.array([paired_test(generator.normal(size=6)) for _ in range(2000)])
    assert np.mean(found < 0.05) == pytest.approx(0.05, abs=0.015)


def test_seeds_are_averaged_for_each_user_before_the_test():
    a, b = np.array([[1.0, 0.0, 1.0, 0.2], [0.0, 0.4, 1.0, 0.6]]), np.array([0.5, 0.1, 0.9, 0.3])
    found = compare(list(a), [b])
    assert found.p == pytest.approx(stats.ttest_rel([0.5, 0.2, 1.0, 0.4], b).pvalue)
    assert found.mean_a == pytest.approx(0.525)


def test_users_without_a_value_in_one_of_the_runs_are_left_out():
    found = compare([np.array([1.0, np.nan, 0.0, 0.5])], [np.array([0.0, 1.0, 0.0, np.nan])])
    assert (found.users, found.mean_a, found.mean_b) == (2, 0.5, 0.0)


def evaluation(users=(0, 1, 2), **per_user):
    return Evaluation({name: np.array(values, float) for name, values in per_user.items()}, np.array(users), 0, 0.0)


def test_every_metric_for_which_somebody_has_a_value_is_compared():
    a = evaluation(recall=[1, 0, 1], novelty=[3, 4, 5], nothing=[np.nan] * 3)
    b = evaluation(recall=[0, 0, 1], novelty=[3, 4, 6], nothing=[np.nan] * 3)
    found = compare_evaluations([a, a], [b])
    assert list(found) == ["recall", "novelty"]
    assert found["recall"].difference == pytest.approx(1 / 3)


def test_other_users_or_other_metrics_cannot_be_compared():
    ours = evaluation(recall=[1, 0, 1])
    with pytest.raises(InputError, match="of different users"):
        compare_evaluations([ours], [evaluation(users=(0, 1, 3), recall=[1, 0, 1])])
    with pytest.raises(InputError, match="have different metrics"):
        compare_evaluations([ours], [ours, evaluation(ndcg=[1, 0, 1])])


def test_a_small_p_is_given_as_a_bound():
    assert (p_in_words(0.00009), p_in_words(0.01234)) == ("< .0001", "0.0123")
