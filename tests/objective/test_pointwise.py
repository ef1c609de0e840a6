"""SASRec's loss: which item each state is scored with, and which negatives count."""

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.encoders.base import Interests
from remi_tf.errors import InputError
from remi_tf.objective.example import Example
from remi_tf.objective.losses import LOSSES
from remi_tf.objective.negatives import Negatives
from remi_tf.settings.presets import compose
from remi_tf.settings.settings import Settings

HISTORY = np.array([[1, 2, 3, 0], [4, 0, 0, 0]])
TARGET = np.array([5, 6])
# In turn over the 2 × 4 slots: the first user's are 7, 2 (in the history), 5 (the target), the second's 8.
NEGATIVES = np.array([7, 2, 5, 9, 8])
TABLE = np.random.default_rng(0).normal(size=(10, 3)).astype(np.float32)
STATES = np.random.default_rng(1).normal(size=(2, 4, 3)).astype(np.float32)


def loss(history=HISTORY, **settings) -> float:
    example = Example(
        history=tf.constant(history),
        history_rows=tf.constant(TABLE[history]),
        target=tf.constant(TARGET),
        target_rows=tf.constant(TABLE[TARGET]),
        negatives=Negatives(tf.constant(NEGATIVES)),
        negative_rows=tf.constant(TABLE[NEGATIVES]),
        interests=Interests(tf.constant(STATES[:, :1]), states=tf.constant(STATES)),
        seed=tf.constant([1, 2]),
    )
    chosen = Settings().replace(model_type="SASRec", num_interests=1, loss="bce", sampler="uniform", **settings)
    (value,) = LOSSES["bce"](chosen, 0)(example)
    return float(value)


def entropy(user: int, slot: int, following: int, negative: int | None) -> float:
    """Binary cross-entropy at a position."""
    sigmoid = 1 / (1 + np.exp(-(TABLE @ STATES[user, slot])))
    return -np.log(sigmoid[following]) - (np.log(1 - sigmoid[negative]) if negative else 0)


def test_each_state_is_scored_with_the_next_item_and_a_negative_the_user_does_not_know():
    first = [entropy(0, 0, 2, 7), entropy(0, 1, 3, None), entropy(0, 2, 5, None)]
    assert loss() == pytest.approx((np.mean(first) + entropy(1, 0, 6, 8)) / 2, rel=1e-5)


def test_hits_count_where_they_are_asked_to():
    first = [entropy(0, 0, 2, 7), entropy(0, 1, 3, 2), entropy(0, 2, 5, 5)]
    assert loss(mask_accidental_hits=False) == pytest.approx((np.mean(first) + entropy(1, 0, 6, 8)) / 2, rel=1e-5)


def test_users_without_history_add_nothing():
    assert loss(history=np.zeros_like(HISTORY)) == 0.0


def test_popular_negatives_are_refused_with_the_remedy():
    with pytest.raises(InputError, match=r"--loss bce with --sampler log_uniform.*add --sampler uniform"):
        compose("book", "default", False, {"model_type": "SASRec", "loss": "bce"})
