"""The full softmax in pieces is the full softmax."""

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.model import MultiInterestModel
from remi_tf.objective.full_softmax import log_sum_exp
from remi_tf.objective.readout import READOUTS
from remi_tf.settings.settings import Settings

BATCH = {
    "history": tf.constant([[1, 2, 3, 0], [4, 5, 6, 7], [9, 3, 0, 0]]),
    "target": tf.constant([4, 9, 1]),
}


def best_scores(vectors, target_rows, rows):
    """Scores of a readout that also looks at the target, so that its gradient is checked too."""
    return tf.reduce_max(tf.einsum("bkd,nd->bkn", vectors, rows), axis=1) + tf.reduce_sum(
        target_rows, axis=1, keepdims=True
    )


@pytest.mark.parametrize("rows_a_piece", [1, 7, 23, 10_000])
def test_value_and_gradients_do_not_depend_on_the_pieces(rows_a_piece):
    generator = np.random.default_rng(0)
    vectors, targets, table = (
        tf.Variable(generator.normal(size=shape), dtype=tf.float32) for shape in ((3, 2, 4), (3, 4), (24, 4))
    )
    target = tf.constant([1, 5, 23])
    with tf.GradientTape(persistent=True) as tape:
        whole = tf.where(target[:, tf.newaxis] == tf.range(1, 24), -np.inf, best_scores(vectors, targets, table[1:]))
        direct = tf.reduce_logsumexp(whole, axis=1)
        pieces = log_sum_exp(best_scores, vectors, targets, table, target, piece_bytes=4 * 3 * 2 * rows_a_piece)
        weighted = [tf.reduce_sum(value * tf.constant([1.0, -2.0, 0.5])) for value in (direct, pieces)]
    np.testing.assert_allclose(pieces, direct, rtol=1e-6)
    for variable in (vectors, targets, table):
        expected, ours = (tf.convert_to_tensor(tape.gradient(value, variable)) for value in weighted)
        np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("readout", sorted(READOUTS))
def test_the_models_loss_is_the_cross_entropy_over_all_items(readout):
    settings = Settings().replace(sampler="full", readout=readout, embedding_dim=8, max_history=4, num_interests=3)
    model = MultiInterestModel(settings, num_items=10)
    captured = {}
    inner = model.objective.readout

    def watched(interests, target, negatives, seed):
        captured.update(interests=interests, target=target, seed=seed)
        return inner(interests, target, negatives, seed)

    model.objective.readout = watched
    loss = model.compute_loss(BATCH)
    _, scores = inner(captured["interests"], captured["target"], model.item_table, captured["seed"])  # [3, 11]
    expected = tf.keras.losses.sparse_categorical_crossentropy(BATCH["target"] - 1, scores[:, 1:], from_logits=True)
    assert float(loss) == pytest.approx(float(tf.reduce_mean(expected)), rel=1e-5)


def test_a_training_step_with_every_item_changes_every_item_but_padding():
    settings = Settings().replace(sampler="full", embedding_dim=8, max_history=4, num_interests=3)
    model = MultiInterestModel(settings, num_items=10)
    model.compile(optimizer=tf.keras.optimizers.SGD(1.0))
    before = model.item_table.numpy()
    model.fit(tf.data.Dataset.from_tensors(BATCH), verbose=0)
    changed = (model.item_table.numpy() != before).any(axis=1)
    assert changed[1:].all() and not changed[0]
