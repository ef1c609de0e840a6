import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remi_tf.evaluation import metrics

RETRIEVED, TARGETS = [7, 300, 5, 42, 9], [42, 8, 7]


def score(retrieved, targets, n=None, **options):
    """The metrics of one user as a dict of numbers."""
    n = n or len(retrieved)
    result = metrics.per_user(
        np.array([retrieved], np.int32), np.array(targets, np.int32), np.array([0, len(targets)]), [n], **options
    )
    return {name.split("@")[0]: float(values[0]) for name, values in result.items()}


def test_the_four_kinds_of_ndcg_on_a_worked_example():
    # Computed by hand from the definitions; the set visits 5, 7, 9, 42, 300.
    result = score(RETRIEVED, TARGETS, published_ndcg=True)
    assert result["ndcg_hits"] == pytest.approx(0.877215, abs=1e-6)
    assert result["ndcg"] == pytest.approx(0.671386, abs=1e-6)
    assert result["ndcg_released"] == pytest.approx(0.650921, abs=1e-6)
    assert result["ndcg_target_order"] == pytest.approx(0.919721, abs=1e-6)
    assert result["recall"] == pytest.approx(2 / 3)
    assert result["hit_rate"] == 1.0


def test_a_set_visits_the_worked_example_in_its_own_order():
    assert metrics.set_order(np.array([RETRIEVED])).tolist() == [[5, 7, 9, 42, 300]]


@pytest.mark.parametrize(("n", "expected"), [(20, 0.3520), (50, 0.2580)])
def test_published_ndcg_of_one_hit_is_that_of_a_random_position(n, expected):
    """The released NDCG carries no ranking information: a hit at rank 0 scores as one anywhere."""
    rng = np.random.default_rng(0)
    users = 4000
    retrieved = np.stack([rng.choice(np.arange(1, 100_000), n, replace=False) for _ in range(users)]).astype(np.int32)
    result = metrics.per_user(retrieved, retrieved[:, 0], np.arange(users + 1), [n], published_ndcg=True)
    assert result[f"ndcg_released@{n}"].mean() == pytest.approx(expected, abs=0.01)
    assert result[f"ndcg@{n}"].min() == 1.0
    positions = 1.0 / np.log2(np.arange(n) + 2.0)
    assert positions.mean() == pytest.approx(expected, abs=1e-4)


def test_a_repeated_target_counts_in_recall_but_not_in_ndcg():
    result = score([1, 2], [1, 1, 1, 2])
    assert result["recall"] == 0.5
    assert result["ndcg"] == 1.0


def test_ndcg_in_the_order_of_the_targets_does_not_see_the_order_of_the_list():
    one, other = (score(items, [4, 9, 9, 2], published_ndcg=True) for items in ([2, 9, 1], [1, 9, 2]))
    # Hits at the places 1, 2 and 3 of the targets, over the best three places.
    expected = (1 / math.log2(3) + 1 / 2 + 1 / math.log2(5)) / (1 + 1 / math.log2(3) + 1 / 2)
    assert one["ndcg_target_order"] == other["ndcg_target_order"] == pytest.approx(expected)
    assert one["ndcg"] > other["ndcg"]


def test_nothing_retrieved_scores_nothing():
    assert set(score([0, 0, 0], [1, 2], published_ndcg=True).values()) == {0.0}


def test_only_the_first_n_count():
    assert score([5, 6, 1], [1], n=2)["hit_rate"] == 0.0
    assert score([5, 6, 1], [1], n=3)["hit_rate"] == 1.0


def plain_metrics(retrieved, targets, n):
    """The definitions once more, in words and loops."""
    hits = [rank for rank, item in enumerate(retrieved[:n]) if item and item in targets]
    gain = sum(1 / math.log2(rank + 2) for rank in hits)
    ideal = sum(1 / math.log2(rank + 2) for rank in range(min(n, len(set(targets)))))
    of_hits = sum(1 / math.log2(rank + 2) for rank in range(len(hits)))
    return {
        "recall": len(hits) / len(targets),
        "hit_rate": float(bool(hits)),
        "ndcg": gain / ideal,
        "ndcg_hits": gain / of_hits if hits else 0.0,
    }


users = st.lists(
    st.tuples(st.permutations(range(8)).map(lambda p: p[:5]), st.lists(st.integers(1, 9), min_size=1, max_size=6)),
    min_size=1,
    max_size=5,
)


@given(users, st.integers(1, 5))
def test_all_users_at_once_are_each_user_alone(users, n):
    offsets = np.cumsum([0] + [len(targets) for _, targets in users])
    flat = np.concatenate([targets for _, targets in users]).astype(np.int32)
    result = metrics.per_user(np.array([ids for ids, _ in users], np.int32), flat, offsets, [n])
    for user, (ids, targets) in enumerate(users):
        expected = plain_metrics(list(ids), targets, n)
        assert {name.split("@")[0]: values[user] for name, values in result.items()} == pytest.approx(expected)


def test_a_user_without_targets_is_refused_rather_than_counted_as_zero():
    with pytest.raises(ValueError, match="user 1 has no target"):
        metrics.per_user(np.ones((2, 3), np.int32), np.array([1]), np.array([0, 1, 1]), [3])


def test_more_than_was_retrieved_is_refused():
    with pytest.raises(ValueError, match="more than the 3 retrieved"):
        metrics.per_user(np.ones((1, 3), np.int32), np.array([1]), np.array([0, 1]), [4])
