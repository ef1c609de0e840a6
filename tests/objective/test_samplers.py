"""Every sampler works with every readout, and the model hands each what it needs."""

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.model import MultiInterestModel
from remi_tf.objective.readout import READOUTS
from remi_tf.objective.samplers import SAMPLERS
from remi_tf.settings.settings import Settings
from remi_tf.training.optimizers import LazyAdam

GROUPS = [np.arange(1 + 20 * group, 21 + 20 * group) for group in range(3)]


def shares() -> np.ndarray:
    """Of the targets of `batches`: all items alike."""
    return np.repeat([0, 1 / 60], [1, 60])


def batches(steps: int):
    """Users who stay within one of three groups of items."""
    generator = np.random.default_rng(0)
    rows = np.stack(
        [generator.choice(GROUPS[user % 3], 6, replace=False) for user in range(steps * 32)], dtype=np.int32
    )
    data = tf.data.Dataset.from_tensor_slices({"history": rows[:, :5], "target": rows[:, 5]})
    return data.batch(32, drop_remainder=True)


@pytest.mark.trains
@pytest.mark.parametrize("sampler", sorted(SAMPLERS))
@pytest.mark.parametrize("readout", ["hard", "per_candidate"])
def test_it_teaches_the_model_which_items_belong_together(sampler, readout):
    settings = Settings().replace(
        sampler=sampler, readout=readout, embedding_dim=8, max_history=5, num_interests=2, num_negatives=40,
        batch_size=32, pool_factor=2,
    )  # fmt: skip
    model = MultiInterestModel(settings, 60, target_shares=shares)
    model.compile(optimizer=LazyAdam(0.03), steps_per_execution=20)
    model.fit(batches(120), verbose=0)
    history = np.stack([group[:5] for group in GROUPS])
    scores = np.asarray(tf.reduce_max(tf.matmul(model.interests(history), model.item_vectors(), transpose_b=True), 1))
    for group, row in zip(GROUPS, scores, strict=True):
        best = 1 + np.argsort(-row[1:])[:20]
        assert np.isin(best, group).mean() > 0.9


def toy_model(**settings) -> MultiInterestModel:
    sizes = {"embedding_dim": 8, "max_history": 5, "num_interests": 2, "num_negatives": 40, "batch_size": 32}
    model = MultiInterestModel(Settings().replace(**{**sizes, "pool_factor": 2, **settings}), 60, target_shares=shares)
    model.interests(tf.zeros([1, 5], tf.int32))
    return model


def check_a_step_with_large_scores(model: MultiInterestModel) -> None:
    """Loss and gradients are finite with scores beyond 1e4."""
    model.item_table.assign(model.item_table * 150)
    batch = next(iter(batches(1)))
    scores = tf.matmul(model.interests(batch["history"]), model.item_vectors(), transpose_b=True)
    assert float(tf.reduce_max(scores)) > 1e4 and float(tf.reduce_min(scores)) < -1e4
    with tf.GradientTape() as tape:
        loss = model.compute_loss(batch, training=True)
    assert np.isfinite(loss)
    for gradient in tape.gradient(loss, model.trainable_variables):
        assert np.isfinite(tf.convert_to_tensor(gradient)).all()


@pytest.mark.parametrize("sampler", sorted(SAMPLERS))
@pytest.mark.parametrize("readout", sorted(READOUTS))
def test_its_loss_and_gradients_are_finite_also_with_large_scores(sampler, readout):
    check_a_step_with_large_scores(toy_model(sampler=sampler, readout=readout))


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("readout", sorted(READOUTS))
def test_so_are_those_of_ihn_under_a_16_bit_policy(policy, readout):
    tf.keras.mixed_precision.set_global_policy(policy)
    try:
        model = toy_model(sampler="uniform", readout=readout, beta=1.0, rr_lambda=100.0)
        check_a_step_with_large_scores(model)
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")


@pytest.mark.parametrize("sampler", ["uniform", "log_uniform"])
def test_the_loss_is_what_numpy_computes_from_the_ids_alone(sampler):
    """Scores, hits and, for log-uniform, the expected counts 1 − (1 − P)^T all computed anew."""
    model = toy_model(sampler=sampler)
    batch = next(iter(batches(1)))
    table, target = model.item_table.numpy().astype(np.float64), batch["target"].numpy()
    drawn = model.sampler(batch["target"], tf.constant(0))
    ids = drawn.ids.numpy()
    log_q, target_log_q = np.zeros(len(ids)), np.zeros(len(target))
    if sampler == "log_uniform":
        one_try = np.log((np.arange(60) + 2) / (np.arange(60) + 1)) / np.log(61)  # of items 1..60
        rarest = int(np.argmax(ids))
        tries = np.log1p(-np.exp(float(drawn.log_q(drawn.ids)[rarest]))) / np.log1p(-one_try[ids[rarest] - 1])
        assert tries == pytest.approx(round(tries), rel=1e-3) and tries >= 40  # a whole number, no less than the ids
        expected = np.log(1 - (1 - one_try) ** round(tries))
        log_q, target_log_q = expected[ids - 1], expected[target - 1]
    losses = []
    for user, interests in enumerate(model.interests(batch["history"]).numpy().astype(np.float64)):
        answering = interests[np.argmax(interests @ table[target[user]])]
        positive = answering @ table[target[user]] - target_log_q[user]
        negative = (table[ids] @ answering - log_q)[ids != target[user]]
        losses.append(np.log(np.exp(positive) + np.exp(negative).sum()) - positive)
    assert float(model.compute_loss(batch, training=True)) == pytest.approx(np.mean(losses), rel=1e-4)
