"""Negative samplers: their distribution, their correction, and that a draw is a function of (seed, step)."""

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.data.dataset.interactions import Interactions
from remi_tf.objective.negatives import LogUniformNegatives, TargetShares, UniformNegatives
from remi_tf.objective.remi_loss import sampled_softmax
from remi_tf.objective.samplers import SAMPLERS
from remi_tf.settings.objective import ObjectiveSettings
from remi_tf.training.batches import TrainingBatches

TARGET = tf.constant([1, 2, 5])
DRAWING = sorted(set(SAMPLERS) - {"full", "in_batch"})


def build(sampler, num_items: int, num_negatives: int, seed: int, counts=None, **settings):
    """A sampler; of those that choose by score, the pool is twice what they choose."""
    settings = {"pool_factor": 2, "num_negatives": num_negatives, **settings}
    counts = np.arange(num_items + 1)[::-1] if counts is None else counts
    return sampler(ObjectiveSettings(**settings), TargetShares(num_items, lambda: counts / counts[1:].sum()), seed)


def draw(sampler, steps: int) -> np.ndarray:
    function = tf.function(lambda step: sampler(TARGET, step).ids)
    return np.stack([function(tf.constant(step, tf.int64)) for step in range(steps)])


@pytest.mark.parametrize("name", DRAWING)
def test_a_draw_is_a_function_of_seed_and_step(name):
    def ids(seed, step):
        return build(SAMPLERS[name], 1000, 50, seed)(TARGET, tf.constant(step)).ids.numpy().tolist()

    assert ids(1, 7) == ids(1, 7)
    assert ids(1, 7) != ids(1, 8) and ids(1, 7) != ids(2, 7)


@pytest.mark.parametrize("name", DRAWING)
def test_padding_is_never_a_negative_unless_asked_for(name):
    assert draw(build(SAMPLERS[name], 30, 20, 1), 200).min() == 1
    assert draw(build(SAMPLERS[name], 30, 20, 1, padding_is_negative=True), 200).min() == 0
    assert draw(build(SAMPLERS[name], 30, 20, 1), 200).max() == 30


def test_uniform_draws_every_item_alike():
    counts = np.bincount(draw(build(UniformNegatives, 50, 100, 3), 1000).ravel(), minlength=51)[1:]
    chi_square = ((counts - 2000) ** 2 / 2000).sum()
    assert chi_square < 49 + 5 * np.sqrt(2 * 49)


def test_log_uniform_probabilities():
    sampler = build(LogUniformNegatives, 9, 3, 1, padding_is_negative=True)
    probability = np.exp(sampler._log_expected_count(tf.range(10), tf.constant(1)))
    np.testing.assert_allclose(probability[:4], [0.289065, 0.169092, 0.119973, 0.093058], atol=2e-6)
    assert probability.sum() == pytest.approx(1, abs=1e-6)


def test_log_uniform_ids_are_distinct_also_when_nearly_all_items_are_wanted():
    for ids in draw(build(LogUniformNegatives, 40, 38, 5), 50):
        assert len(set(ids.tolist())) == 38


def test_log_uniform_expected_counts_are_the_frequencies_seen():
    """TensorFlow's convention: an id's expected count given the tries that were needed, averaged over draws."""
    sampler = build(LogUniformNegatives, 60, 20, 11)
    everything = tf.range(1, 61)

    @tf.function
    def step(number):
        drawn = sampler(everything, number)
        return drawn.ids, tf.exp(drawn.log_q(everything))

    seen, expected = np.zeros(60), np.zeros(60)
    for number in range(3000):
        ids, q = step(tf.constant(number))
        seen[ids.numpy() - 1] += 1
        expected += q
    np.testing.assert_allclose(seen / 3000, expected / 3000, atol=0.03)


def test_log_uniform_reaches_every_part_of_a_large_catalogues_tail():
    """Single precision would leave half of the tail's ids out at this size."""
    num_items = 1_700_000
    ids = draw(build(LogUniformNegatives, num_items, 20_000, 1), 300).ravel()
    tail = ids[ids > num_items - 40_000]
    seen = len(np.unique(tail))
    expected = 40_000 * (1 - np.exp(-len(tail) / 40_000))  # of evenly likely ids, drawn as often
    assert len(tail) > 10_000 and seen == pytest.approx(expected, rel=0.03)


def test_negatives_and_windows_of_a_step_are_independent():
    """Correlation of the negatives' ranks with the windows' targets, which one shared stream would make near 1."""
    number, length = 64, 1000
    offsets = np.arange(number + 1) * length
    items = np.tile(np.arange(1, length + 1, dtype=np.int32), number)
    log = Interactions(items, np.zeros(len(items), np.int64), offsets, np.full(number, length))
    windows = TrainingBatches(log, batch_size=number, max_history=3, first_target=4, seed=5).from_step(0)
    sampler, pairs = build(LogUniformNegatives, 10**6, number, 5), []
    for step, batch in zip(range(30), windows, strict=False):
        pairs.append((batch["target"].numpy(), np.log(sampler(batch["target"], tf.constant(step)).ids.numpy())))
    targets, ranks = (np.concatenate(part) for part in zip(*pairs, strict=True))
    assert abs(np.corrcoef(targets, ranks)[0, 1]) < 0.1


def test_too_many_distinct_negatives_are_refused():
    with pytest.raises(ValueError, match="11 distinct negatives cannot be drawn from 10"):
        build(LogUniformNegatives, 10, 11, 1)


def test_loss_and_gradient_are_those_of_tensorflows_sampled_softmax_loss():
    """ComiRec's objective, with the accidental hits masked, given the same candidates."""
    generator = np.random.default_rng(2)
    num_items, dim = 40, 6
    table = tf.Variable(generator.normal(size=(num_items + 1, dim)).astype(np.float32))
    inputs = tf.constant(generator.normal(size=(3, dim)).astype(np.float32))
    drawn = build(LogUniformNegatives, num_items, 15, 4)(TARGET, tf.constant(3))
    assert np.isin(TARGET.numpy(), drawn.ids.numpy()).any(), "the draw must hold an accidental hit for this test"

    with tf.GradientTape() as tape:
        theirs = tf.nn.sampled_softmax_loss(
            table,
            tf.zeros([num_items + 1]),
            tf.cast(TARGET, tf.int64)[:, tf.newaxis],
            inputs,
            num_sampled=15,
            num_classes=num_items + 1,
            sampled_values=(
                tf.cast(drawn.ids, tf.int64),
                tf.exp(drawn.log_q(TARGET))[:, tf.newaxis],
                tf.exp(drawn.log_q(drawn.ids)),
            ),
        )
    their_gradient = tf.convert_to_tensor(tape.gradient(theirs, table))
    with tf.GradientTape() as tape:
        positive = tf.reduce_sum(inputs * tf.gather(table, TARGET), axis=1) - drawn.log_q(TARGET)
        negative = tf.matmul(inputs, tf.gather(table, drawn.ids), transpose_b=True) - drawn.log_q(drawn.ids)
        ours = sampled_softmax(positive, negative, TARGET[:, tf.newaxis] == drawn.ids)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(tf.convert_to_tensor(tape.gradient(ours, table)), their_gradient, rtol=1e-4, atol=1e-6)


def test_in_batch_negatives_are_the_other_targets_at_their_frequency():
    counts = np.array([0, 6, 3, 0, 0, 1])
    negatives = build(SAMPLERS["in_batch"], 5, 3, 1, counts)(TARGET, tf.constant(0))
    np.testing.assert_array_equal(negatives.ids, TARGET)
    assert negatives.holds_targets
    np.testing.assert_allclose(
        np.exp(negatives.log_q(TARGET)), 3 * np.array([0.6, 0.3, 0.1]), rtol=1e-6
    )  # of a batch of 3


def test_the_correction_is_by_how_often_windows_have_an_item_as_target():
    """Nine users of 5 items among the first nine, one of 200 others: as users are drawn evenly, few of the latter."""
    items = np.concatenate([np.tile(np.arange(1, 10), 5), np.arange(10, 210)]).astype(np.int32)
    offsets = np.concatenate([np.arange(0, 46, 5), [245]])
    log = Interactions(items, np.zeros(245, np.int64), offsets, np.diff(offsets))
    windows = TrainingBatches(log, batch_size=5, max_history=3, first_target=2, seed=1)
    targets = np.concatenate([batch["target"] for _, batch in zip(range(4000), windows.from_step(0), strict=False)])
    sampler = SAMPLERS["in_batch"](ObjectiveSettings(), TargetShares(209, lambda: windows.target_shares(209)), 1)
    short, long = (_shares(sampler, tf.range(*ends)) for ends in ((1, 10), (12, 210)))
    np.testing.assert_allclose(short, np.bincount(targets, minlength=210)[1:10] / len(targets), atol=0.01)
    assert long.sum() == pytest.approx(0.1, rel=1e-4) and (targets >= 12).mean() == pytest.approx(0.1, rel=0.05)


def _shares(sampler, targets):
    """[batch]: the expected counts of a batch's targets, as shares of the batch."""
    return np.exp(sampler(targets, tf.constant(0)).log_q(targets)) / len(targets)


def test_mixed_negatives_are_corrected_by_how_often_they_are_seen():
    """Over many batches whose targets follow the counts, an id occurs among the negatives as often as log q says."""
    counts = np.array([0, 8, 4, 2, 1, 1])
    sampler = build(SAMPLERS["mns"], 5, 7, 1, counts)
    drawn = np.random.default_rng(0).choice(6, size=(2000, 3), p=counts / counts.sum()).astype(np.int32)
    function = tf.function(lambda target, step: sampler(target, step).ids)
    seen = np.bincount(np.concatenate([function(tf.constant(row), tf.constant(i)) for i, row in enumerate(drawn)]))
    expected = np.exp(sampler(tf.range(1, 6), tf.constant(0)).log_q(tf.range(1, 6)))  # of a batch of 5: B f + N' / I
    np.testing.assert_allclose(expected, 5 * counts[1:] / 16 + (7 - 4) / 5, rtol=1e-6)
    np.testing.assert_allclose(seen[1:] / 2000, 3 * counts[1:] / 16 + (7 - 2) / 5, rtol=0.05)


def test_a_correction_by_frequency_needs_the_counts():
    sampler = SAMPLERS["in_batch"](ObjectiveSettings(), TargetShares(5), 1)
    with pytest.raises(ValueError, match="frequencies"):
        sampler(TARGET, tf.constant(0))
