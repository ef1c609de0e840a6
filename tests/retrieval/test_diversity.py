import numpy as np
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from remi_tf.retrieval.diversity import diversify


def candidates(seed, batch, count):
    """Ids, scores in descending order with ties (some missing at the end) and categories 0 (unknown) to 4."""
    draw = np.random.default_rng(seed)
    ids = np.stack([draw.permutation(count) + 1 for _ in range(batch)]).astype(np.int32)
    scores = -np.sort(-draw.integers(-3, 9, (batch, count)).astype(np.float32) / 2, axis=1)
    there = np.arange(count) < draw.integers(0, count + 1, (batch, 1))
    categories = np.where(draw.random((batch, 1)) < 0.5, 5, 3)
    return np.where(there, ids, 0), np.where(there, scores, -np.inf), draw.integers(0, categories, (batch, count))


def greedy(ids, scores, categories, strength, k):
    """ComiRec's controllable aggregation for one user, as it is written down: one item after the other."""
    left, chosen = [place for place in range(len(ids)) if ids[place]], []
    while left and len(chosen) < k:
        gains = [scores[i] - strength * sum(categories[i] == categories[j] for j in chosen) for i in left]
        chosen.append(left.pop(int(np.argmax(gains))))
    missing = [0] * (k - len(chosen))
    return [*ids[chosen], *missing], [*scores[chosen], *[-np.inf] * len(missing)]


def run(ids, scores, categories, strength, k):
    arguments = tf.constant(ids), tf.constant(scores, tf.float32), tf.constant(categories, tf.int32)
    return [result.numpy() for result in diversify(*arguments, tf.constant(strength, tf.float32), k)]


drawn = given(
    seed=st.integers(0, 10_000), batch=st.integers(1, 4), count=st.integers(1, 40), k=st.integers(1, 15),
    strength=st.sampled_from([0.25, 0.5, 1.0, 4.0]),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@drawn
def test_equals_the_greedy_choice_one_user_at_a_time(seed, batch, count, k, strength):
    ids, scores, categories = candidates(seed, batch, count)
    strengths = strength * np.arange(1, batch + 1)
    found_ids, found_scores = run(ids, scores, categories, strengths, k)
    for user in range(batch):
        expected = greedy(ids[user], scores[user], categories[user], strengths[user], k)
        np.testing.assert_array_equal(found_ids[user], expected[0])
        np.testing.assert_array_equal(found_scores[user], expected[1])


@settings(max_examples=30, deadline=None)
@drawn
def test_strength_0_is_the_plain_list_beside_users_who_want_diversity(seed, batch, count, k, strength):
    ids, scores, categories = candidates(seed, batch, count)
    found, _ = run(ids, scores, categories, np.where(np.arange(batch) == 0, 0, strength), k)
    plain = ids[0][:k]
    np.testing.assert_array_equal(found[0], np.pad(plain, (0, k - len(plain))))


@settings(max_examples=60, deadline=None)
@drawn
def test_an_infinite_strength_gives_as_many_categories_as_there_are_and_the_best_item_of_each_first(
    seed, batch, count, k, strength
):
    ids, scores, categories = candidates(seed, batch, count)
    found, _ = run(ids, scores, categories, [np.inf] * batch, k)
    for user in range(batch):
        of = dict(zip(ids[user].tolist(), categories[user].tolist(), strict=True))
        available = {category for item, category in of.items() if item}
        chosen = [of[item] for item in found[user].tolist() if item]
        assert len(chosen) == min(k, (ids[user] > 0).sum()) and len(set(found[user].tolist()) - {0}) == len(chosen)
        assert len(set(chosen)) == min(k, len(available))
        best = {category: next(item for item in ids[user].tolist() if of[item] == category) for category in available}
        assert set(found[user][: len(available)].tolist()) <= set(best.values())


def test_there_may_be_no_users():
    ids, scores = run(np.zeros([0, 5], np.int32), np.zeros([0, 5]), np.zeros([0, 5]), np.zeros([0]), 3)
    assert ids.shape == scores.shape == (0, 3)
