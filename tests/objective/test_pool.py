"""Negatives that are chosen by score."""

import numpy as np
import tensorflow as tf

from remi_tf.objective.negatives import TargetShares
from remi_tf.objective.samplers import SAMPLERS
from remi_tf.settings.objective import ObjectiveSettings

TARGET = tf.constant([1, 2])
STEP = tf.constant(3)
LOWEST = tf.float32.min


def build(name: str, num_items: int = 100, number: int = 5, **settings):
    return SAMPLERS[name](
        ObjectiveSettings(num_negatives=number, pool_factor=4, **settings), TargetShares(num_items), 7
    )


def scores(rows: int, pool: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, pool)).astype(np.float32)


def test_dns_takes_each_rows_highest_scores_of_the_pool():
    negatives, found = build("dns")(TARGET, STEP), scores(2, 20)
    assert negatives.ids.shape == (20,)
    chosen = negatives.choose(tf.zeros([2]), tf.constant(found)).numpy()
    for row in range(2):
        assert set(chosen[row]) == set(np.argsort(-found[row])[:5])


def test_what_does_not_count_is_chosen_last():
    found = scores(1, 20)
    found[0, 4:] = LOWEST  # four count, five are chosen
    for name in ("dns", "srns", "genni"):
        sampler = build(name)
        if name == "srns":  # a memory of high deviation, which must not lift them
            sampler.memory.assign(tf.ones_like(sampler.memory))
        chosen = sampler(TARGET, STEP).choose(tf.zeros([1]), tf.constant(found)).numpy()[0]
        assert {0, 1, 2, 3} <= set(chosen), name


def test_genni_draws_by_the_models_preference():
    """Of a pool of 4 one is chosen: as often as softmax(scores / t) says."""
    sampler, found = build("genni", number=1, preference_temperature=2.0), np.array([2.0, 0.0, 1.0, -1.0], np.float32)
    chosen = sampler.choose(tf.zeros([20_000]), tf.tile(tf.constant(found)[None], [20_000, 1]), tf.range(4), STEP)
    frequency = np.bincount(chosen.numpy()[:, 0], minlength=4) / 20_000
    np.testing.assert_allclose(frequency, tf.nn.softmax(found / 2.0), atol=0.015)


def test_srns_prefers_what_varies_among_equal_scores_once_it_is_warm():
    sampler = build("srns", number=1, variance_warmup=10, variance_weight=1.0)
    ids, equal = tf.constant([11, 12, 13]), tf.zeros([1, 3])
    for step in range(20):  # item 12 alternates, the others stay
        found = tf.constant([[0.0, 3.0 * (-1) ** step, 0.0]])
        sampler.choose(tf.zeros([1]), found, ids, tf.constant(step))
    assert sampler.choose(tf.zeros([1]), equal, ids, tf.constant(100)).numpy() == [[1]]
    barely_higher = tf.constant([[0.1, 0.0, 0.0]])
    assert sampler.choose(tf.zeros([1]), barely_higher, ids, tf.constant(0)).numpy() == [[0]]  # no weight yet


def test_srns_remembers_the_running_mean_and_variance_of_every_item():
    sampler = build("srns")
    ids, mean, variance = tf.constant([30, 31, 30, 32, 33]), 0.5, 0.0  # 30 is twice in the pool, with one score
    for step, score in enumerate([0.3, -1.0, 2.0]):
        found = tf.constant([[score, 0.0, score, 0.0, 0.0]])
        sampler.choose(tf.constant([0.2]), found, ids, tf.constant(step))
        moved = 1 / (1 + np.exp(0.2 - score)) - mean
        mean, variance = mean + 0.1 * moved, 0.9 * (variance + 0.1 * moved**2)
        np.testing.assert_allclose(sampler.memory[30], [mean, variance], rtol=1e-5)
    np.testing.assert_array_equal(sampler.memory[34], [0.5, 0.0])


def test_genni_draws_anew_at_every_step():
    sampler, found = build("genni"), tf.zeros([1, 20])
    first, again, later = (
        sampler(TARGET, step).choose(tf.zeros([1]), found).numpy() for step in (STEP, STEP, STEP + 1)
    )
    np.testing.assert_array_equal(first, again)
    assert set(first[0]) != set(later[0])


def test_the_weight_of_the_deviation_stays_after_the_warmup():
    """p = .62 against .5 with deviation .1: w = 1 is too little to turn the order, a w that went on to grow is not."""
    sampler = build("srns", number=1, variance_warmup=10, variance_weight=1.0)
    for step in (10, 100):
        sampler.memory.assign(tf.zeros_like(sampler.memory))
        sampler.memory.scatter_nd_update([[12]], [[0.5, 0.01]])
        chosen = sampler.choose(tf.zeros([1]), tf.constant([[0.5, 0.0]]), tf.constant([11, 12]), tf.constant(step))
        assert chosen.numpy() == [[0]]
