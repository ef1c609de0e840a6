"""Re4: the release's interests, losses and gradients, and what holds without it."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.encoders import make_encoder
from remi_tf.encoders.base import Interests
from remi_tf.objective.re4_losses import BackwardFlow
from remi_tf.settings.encoders import encoder_settings


def encoder_for(dim: int, length: int, num_interests: int):
    settings = encoder_settings(model_type="Re4", embedding_dim=dim, max_history=length, num_interests=num_interests)
    encoder = make_encoder(settings, seed=0)
    encoder(tf.zeros([1, length, dim]), tf.ones([1, length], tf.bool))
    return encoder


def released_contrast(items: tf.Tensor, mask: tf.Tensor, interests: Interests) -> tf.Tensor:
    """Re-contrast with the release's gradient, term by term in 32 bits.

    It takes −log(e^c / D) by division. The gradient of D is then e^c / D², which is below the smallest 32-bit number
    where c is small: there D gets no gradient. (Ours takes the logarithm of the sum and loses nothing.)
    """
    unit = [tf.math.l2_normalize(part, axis=-1) for part in (interests.capsules, items, tf.roll(items, -1, axis=0))]
    own, others, strangers = (tf.matmul(unit[0], part, transpose_b=True) / 0.02 for part in (unit[1], unit[0], unit[2]))
    counted = tf.exp(own) * mask[:, np.newaxis], tf.exp(strangers) * np.roll(mask, -1, axis=0)[:, np.newaxis]
    others = tf.exp(others) * (1 - np.eye(others.shape[1], dtype=np.float32))
    total = sum(tf.reduce_sum(part, axis=2, keepdims=True) for part in (counted[0], others, counted[1]))
    positive = interests.routing.numpy() > (1 / mask.sum(axis=1))[:, np.newaxis, np.newaxis]
    ratio = np.where(positive, tf.exp(own) / total, 1).astype(np.float32)
    by_total = np.where(positive, 1 / ratio * (ratio / total.numpy()), 0)
    return tf.reduce_mean(tf.where(positive, by_total * total - own, 0.0))


@pytest.mark.shared
def test_interests_losses_and_gradients_are_those_of_the_release(shared_dir: Path):
    golden = np.load(shared_dir / "golden" / "re4.npz", allow_pickle=False)
    (_, length), (_, num_interests, dim) = golden["hist"].shape, golden["interests"].shape
    encoder = encoder_for(dim, length, num_interests)
    attend, contrast, construct = (BackwardFlow(*weights, dim, length, seed=1) for weights in np.eye(3))
    table = tf.Variable(golden["w.table"])
    transposed = {
        "W1": encoder.hidden.kernel, "W1_2": encoder.logits.kernel, "fc1.weight": encoder.output_layer.kernel,
        "W3": construct.hidden, "fc_cons.weight": construct.expand,
    }  # fmt: skip
    variables = transposed | {
        "W2": encoder.map.kernel, "fc1.bias": encoder.output_layer.bias, "fc_cons.bias": construct.expand_bias,
        "W3_2": construct.slots, "W5": construct.map, "table": table,
    }  # fmt: skip
    for name, variable in variables.items():  # zeros beyond its hidden layer, which is narrower than ours
        value = golden[f"w.{name}"].T if name in transposed else golden[f"w.{name}"]
        beyond = [(0, ours - theirs) for ours, theirs in zip(variable.shape, value.shape, strict=True)]
        variable.assign(np.pad(value, beyond))

    mask = golden["hist"] > 0
    with tf.GradientTape() as tape:
        rows = tf.gather(tf.concat([tf.zeros([1, dim]), table], axis=0), golden["hist"])  # its padding stays zero
        interests = encoder(rows, tf.constant(mask))
        losses = [loss(rows, tf.constant(mask), interests) for loss in (attend, contrast, construct)]
        score = tf.einsum("bkd,bd->", interests.vectors, tf.gather(table, golden["target"] - 1))
        with_its_gradient = released_contrast(rows, mask.astype(np.float32), interests)
        total = score + 1e-3 * losses[0] + 0.1 * with_its_gradient + 0.1 * losses[2]
    np.testing.assert_allclose(interests.vectors, golden["interests"], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(interests.capsules, golden["interests_before_projection"], rtol=1e-4, atol=1e-5)
    expected = [golden[name] for name in ("re_attend", "re_contrast", "re_construct")]
    np.testing.assert_allclose(losses, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(score + np.dot([1e-3, 0.1, 0.1], losses), golden["total"], rtol=1e-4, atol=1e-5)
    gradients = tape.gradient(total, variables)
    assert {f"grad.{name}" for name in gradients} == {name for name in golden.files if name.startswith("grad.")}
    for name, gradient in gradients.items():
        wanted = golden[f"grad.{name}"].T if name in transposed else golden[f"grad.{name}"]
        ours = tf.convert_to_tensor(gradient).numpy()[tuple(map(slice, wanted.shape))]
        np.testing.assert_allclose(ours, wanted, rtol=1e-4, atol=1e-5, err_msg=name)


@pytest.fixture
def embeddings():
    return tf.constant(np.random.default_rng(0).normal(size=(5, 6, 8)), tf.float32)


def test_capsules_mix_the_mapped_items_and_interests_are_an_output_layer_on_them(embeddings):
    encoder = encoder_for(8, 6, 3)
    interests = encoder(embeddings, tf.ones([5, 6], tf.bool))
    np.testing.assert_allclose(tf.reduce_sum(interests.routing, axis=2), np.ones((5, 3)), rtol=1e-6)
    mapped = tf.tensordot(embeddings, encoder.map.kernel, 1)
    np.testing.assert_allclose(interests.capsules, interests.routing @ mapped, rtol=1e-4, atol=1e-5)
    output = encoder.output_layer
    expected = np.tanh(np.tensordot(interests.capsules, output.kernel, 1) + output.bias)
    np.testing.assert_allclose(interests.vectors, expected, rtol=1e-4, atol=1e-5)


def test_the_order_of_the_history_is_not_read(embeddings):
    encoder, mask = encoder_for(8, 6, 3), tf.ones([5, 6], tf.bool)
    np.testing.assert_allclose(
        encoder(embeddings, mask).vectors, encoder(embeddings[:, ::-1], mask).vectors, rtol=1e-4, atol=1e-5
    )


def test_an_empty_history_has_zero_interests_and_finite_losses(embeddings):
    encoder, mask = encoder_for(8, 6, 3), tf.zeros([5, 6], tf.bool)
    interests = encoder(embeddings, mask)
    assert not interests.vectors.numpy().any() and not interests.routing.numpy().any()
    assert float(BackwardFlow(1, 1, 1, 8, 6, seed=1)(embeddings, mask, interests)) == 0


def test_weights_start_as_in_the_release():
    encoder = encoder_for(64, 20, 4)
    for layer in (encoder.hidden, encoder.logits, encoder.map):
        assert float(tf.math.reduce_std(layer.kernel)) == pytest.approx(1, rel=0.1)
    for weight in encoder.output_layer.weights:
        assert 0.11 < np.abs(weight).max() <= 1 / 8
