"""Every sampler works with every readout, and the model hands each what it needs."""

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.config import Settings
from remi_tf.model import MultiInterestModel
from remi_tf.objective.readout import READOUTS
from remi_tf.objective.samplers import SAMPLERS
from remi_tf.optimizers import LazyAdam

COUNTS = np.arange(61)[::-1].copy()
GROUPS = [np.arange(1 + 20 * group, 21 + 20 * group) for group in range(3)]


def batches(steps: int):
    """Users who stay within one of three groups of items."""
    generator = np.random.default_rng(0)
    rows = np.stack(
        [generator.choice(GROUPS[user % 3], 6, replace=False) for user in range(steps * 32)], dtype=np.int32
    )
    data = tf.data.Dataset.from_tensor_slices({"history": rows[:, :5], "target": rows[:, 5]})
    return data.batch(32, drop_remainder=True)


@pytest.mark.parametrize("sampler", sorted(SAMPLERS))
@pytest.mark.parametrize("readout", ["hard", "per_candidate"])
def test_it_teaches_the_model_which_items_belong_together(sampler, readout):
    settings = Settings().replace(
        sampler=sampler, readout=readout, embedding_dim=8, max_history=5, num_interests=2, num_negatives=40,
        batch_size=32, pool_factor=2,
    )  # fmt: skip
    model = MultiInterestModel(settings, 60, item_counts=COUNTS)
    model.compile(optimizer=LazyAdam(0.03), steps_per_execution=20)
    model.fit(batches(120), verbose=0)
    history = np.stack([group[:5] for group in GROUPS])
    scores = np.asarray(tf.reduce_max(tf.matmul(model.interests(history), model.item_vectors(), transpose_b=True), 1))
    for group, row in zip(GROUPS, scores, strict=True):
        best = 1 + np.argsort(-row[1:])[:20]
        assert np.isin(best, group).mean() > 0.9


@pytest.mark.parametrize("sampler", sorted(SAMPLERS))
@pytest.mark.parametrize("readout", sorted(READOUTS))
def test_its_loss_and_gradients_are_finite_also_with_large_scores(sampler, readout):
    settings = Settings().replace(
        sampler=sampler, readout=readout, embedding_dim=8, max_history=5, num_interests=2, num_negatives=40,
        batch_size=32, pool_factor=2,
    )  # fmt: skip
    model = MultiInterestModel(settings, 60, item_counts=COUNTS)
    model.interests(tf.zeros([1, 5], tf.int32))
    model.item_table.assign(model.item_table * 100)
    batch = next(iter(batches(1)))
    with tf.GradientTape() as tape:
        loss = model.compute_loss(batch, training=True)
    assert np.isfinite(loss)
    for gradient in tape.gradient(loss, model.trainable_variables):
        assert np.isfinite(tf.convert_to_tensor(gradient)).all()
