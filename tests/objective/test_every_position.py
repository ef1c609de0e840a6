"""Training on every position: which item each state is trained to find, and what competes with it."""

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.encoders.base import Interests
from remi_tf.objective import every_position
from remi_tf.objective.example import Example
from remi_tf.objective.losses import LOSSES
from remi_tf.objective.negatives import Negatives
from remi_tf.settings.settings import Settings

HISTORY = np.array([[1, 2, 3, 4], [5, 0, 0, 0], [6, 7, 0, 0]])  # the second user has one item
TARGET = np.array([8, 9, 2])
PAIRS = [(0, 0, 2), (0, 1, 3), (0, 2, 4), (0, 3, 8), (1, 0, 9), (2, 0, 7), (2, 1, 2)]  # user, slot, what comes next
NEGATIVES = np.array([3, 10, 2, 11, 2])  # 3 and 2 are what some positions look for
LOG_Q = np.linspace(-3, -0.5, 12)  # by item id
RANDOM = np.random.default_rng(0)
TABLE = RANDOM.normal(size=(12, 3)).astype(np.float32)
STATES = RANDOM.normal(size=(3, 4, 3)).astype(np.float32)


def softmax_of_every_position(**settings):
    chosen = {"model_type": "SASRec", "num_interests": 1, "targets": "every", "sampler": "uniform", **settings}
    return LOSSES["softmax"](Settings().replace(**chosen), 0)


def example(states, table, history=HISTORY, log_q=False, full=False) -> Example:
    counts, table = tf.constant(LOG_Q, tf.float32), tf.convert_to_tensor(table)
    drawn = Negatives(tf.constant(NEGATIVES, tf.int32), (lambda ids: tf.gather(counts, ids)) if log_q else None)
    return Example(
        history=tf.constant(history, tf.int32),
        history_rows=tf.gather(table, history),
        target=tf.constant(TARGET, tf.int32),
        target_rows=tf.gather(table, TARGET),
        negatives=Negatives(None) if full else drawn,
        negative_rows=table if full else tf.gather(table, NEGATIVES),
        interests=Interests(states[:, -1:], states=states),
        seed=tf.constant([1, 2]),
    )


def one_by_one(states=STATES, table=TABLE, *, beta=0.0, log_q="", masked=True, ids=NEGATIVES) -> float:
    """The mean over the pairs of PAIRS, each computed apart."""
    losses = []
    for user, slot, following in PAIRS:
        scores = table.astype(np.float64) @ states[user, slot]
        competing = np.array([item for item in ids if item != following or not masked])
        positive, negative = scores[following], scores[competing]
        if log_q:
            negative = negative - LOG_Q[competing]
            positive -= LOG_Q[following] if log_q == "subtract" else 0
        weights = np.exp(beta * negative) / np.exp(beta * negative).mean()
        losses.append(np.log(1 + (weights * np.exp(negative)).sum() / np.exp(positive)))
    return float(np.mean(losses))


@pytest.mark.parametrize("beta", [0.0, 1.0])
@pytest.mark.parametrize("masked", [True, False])
def test_each_state_finds_the_item_that_follows_among_the_batchs_negatives(beta, masked):
    (value,) = softmax_of_every_position(beta=beta, mask_accidental_hits=masked)(example(STATES, TABLE))
    assert float(value) == pytest.approx(one_by_one(beta=beta, masked=masked), rel=1e-5)


@pytest.mark.parametrize("log_q", ["subtract", "corrected"])
def test_the_correction_is_made_for_each_positions_own_target(log_q):
    (value,) = softmax_of_every_position(sampler="log_uniform", log_q=log_q)(example(STATES, TABLE, log_q=True))
    assert float(value) == pytest.approx(one_by_one(log_q=log_q), rel=1e-5)


def test_all_items_may_compete():
    (value,) = softmax_of_every_position(sampler="full")(example(STATES, TABLE, full=True))
    assert float(value) == pytest.approx(one_by_one(ids=np.arange(1, 12)), rel=1e-5)


def test_padding_changes_nothing():
    other = np.where(HISTORY[..., np.newaxis] > 0, STATES, 1e3).astype(np.float32)
    longer = np.pad(HISTORY, [[0, 0], [0, 2]])
    loss = softmax_of_every_position()
    for states, history in ((other, HISTORY), (np.pad(STATES, [[0, 0], [0, 2], [0, 0]]), longer)):
        assert float(loss(example(states, TABLE, history))[0]) == float(loss(example(STATES, TABLE))[0])


def test_every_real_position_learns_and_padding_does_not():
    states = tf.Variable(STATES)
    with tf.GradientTape() as tape:
        (value,) = softmax_of_every_position()(example(states, TABLE))
    np.testing.assert_array_equal(tape.gradient(value, states).numpy().any(axis=2), HISTORY > 0)


@pytest.mark.parametrize("rows", [1, 3, 100])
def test_gradients_do_not_depend_on_the_pieces_and_are_those_of_the_loss(rows):
    """Against the loss of all positions at once, differentiated by TensorFlow; with an upstream gradient of 3."""
    loss = softmax_of_every_position(beta=1.0)

    def by_row(part: Example) -> tf.Tensor:
        return loss._rows(loss.readout, part)[0]

    def gradients(mean) -> list[np.ndarray]:
        inputs = [tf.Variable(STATES), tf.Variable(TABLE)]
        with tf.GradientTape() as tape:
            value = 3 * mean(example(*inputs))
        return [np.array(value), *(tf.convert_to_tensor(each).numpy() for each in tape.gradient(value, inputs))]

    piece_bytes = rows * 4 * len(NEGATIVES)
    ours = gradients(tf.function(lambda batch: every_position.mean_over_positions(by_row, batch, piece_bytes)))
    expected = gradients(lambda batch: tf.reduce_mean(by_row(every_position.each_position(batch))))
    for one, other in zip(ours, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_users_without_history_add_nothing():
    assert float(softmax_of_every_position()(example(STATES, TABLE, np.zeros_like(HISTORY)))[0]) == 0.0
