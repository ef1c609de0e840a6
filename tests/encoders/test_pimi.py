"""PIMI: conformance with its TensorFlow release, and what the release does otherwise than the default."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.encoders import make_encoder
from remi_tf.encoders.pimi import time_matrix
from remi_tf.settings.encoders import encoder_settings

LENGTH, DIM = 6, 8


def encoder_with(**settings):
    values = {"embedding_dim": DIM, "max_history": LENGTH, "num_interests": 3, "num_heads": 4, "time_threshold": 16}
    encoder = make_encoder(encoder_settings(model_type="PIMI", **{**values, **settings}), seed=4)
    length = encoder.settings.max_history
    encoder(tf.zeros([1, length, DIM]), tf.ones([1, length], tf.bool), days=tf.zeros([1, length], tf.int32))
    generator = np.random.default_rng(5)  # zero biases would hide where they act
    for variable in encoder.trainable_variables:
        variable.assign(variable + generator.normal(0, 0.2, variable.shape))
    return encoder


def test_weights_start_as_in_the_release():
    """Glorot uniform, √(6 / (fan-in + fan-out)) at most, each of the three attention kernels by itself; biases 0."""
    settings = encoder_settings(model_type="PIMI", embedding_dim=64, num_heads=4, max_history=20)
    encoder = make_encoder(settings, seed=1)
    encoder(tf.zeros([1, 20, 64]), tf.ones([1, 20], tf.bool), days=tf.zeros([1, 20], tf.int32))
    for weight in encoder.trainable_variables:
        if "bias" in weight.name:
            np.testing.assert_array_equal(weight, tf.zeros_like(weight))
            continue
        columns = 64 if "query_key_value" in weight.name else weight.shape[1]
        limit = (6 / (weight.shape[0] + columns)) ** 0.5
        assert 0.9 * limit < np.abs(weight).max() <= limit
        assert float(tf.math.reduce_std(weight)) == pytest.approx(limit / 3**0.5, rel=0.1)


@pytest.fixture
def batch():
    generator = np.random.default_rng(0)
    lengths = np.array([[6], [4], [1], [3]])
    mask = np.arange(LENGTH) < lengths
    days = np.where(mask, np.sort(generator.integers(19_000, 19_030, (4, LENGTH)), axis=1), 0)
    embeddings = generator.normal(size=(4, LENGTH, DIM))
    return tf.constant(embeddings, tf.float32), tf.constant(mask), tf.constant(days, tf.int32)


@pytest.mark.shared
def test_interests_and_gradients_are_those_of_the_release(shared_dir: Path):
    golden = np.load(shared_dir / "golden" / "pimirec.npz", allow_pickle=False)
    encoder = encoder_with(mask_padding=False, num_interests=4)
    history, mask, days = golden["hist"], golden["hist"] > 0, golden["days"]
    gaps = time_matrix(tf.constant(days), int(golden["time_span"]))
    pairs = mask[:, :, np.newaxis] & mask[:, np.newaxis]
    np.testing.assert_array_equal(gaps.numpy()[pairs], golden["time_matrix"][pairs])

    def theirs(kind: str) -> list[np.ndarray]:
        """Values or gradients in the order of `variables`."""
        layers = []
        for layer in range(3):
            name = f"{kind}.gcn_interaction/num_blocks_{layer}/star_multihead_attention/dense"
            for part in ("kernel", "bias"):
                layers.append(np.concatenate([golden[f"{name}{i}/{part}"] for i in ("", "_1", "_2")], axis=-1))
                layers.append(golden[f"{name}_3/{part}"])
        table, *rest = (
            golden[f"{kind}.item_embedding/{name}"]
            for name in ("item_id_embedding_var", "abs_pos/lookup_table", "time_matrix/lookup_table", "time_W_var")
        )
        dense = [golden[f"{kind}.extract_interset/dense{i}/{p}"] for i in ("", "_1") for p in ("kernel", "bias")]
        return [table, *rest, *layers, *dense]

    table = tf.Variable(golden["w.item_embedding/item_id_embedding_var"])
    variables = [table, encoder.positions, encoder.times, encoder.time_weight]
    for layer in encoder.graph:
        variables += [layer.kernel, layer.out.kernel, layer.bias, layer.out.bias]
    variables += [*encoder.hidden.trainable_variables, *encoder.logits.trainable_variables]
    assert len(variables) == len(encoder.trainable_variables) + 1
    for variable, value in zip(variables, theirs("w"), strict=True):
        variable.assign(value)

    with tf.GradientTape() as tape:
        embeddings = tf.gather(table, history) * tf.cast(mask, tf.float32)[..., tf.newaxis]
        interests = encoder(embeddings, tf.constant(mask), days=tf.constant(days)).vectors
        target = tf.gather(table, golden["target"])
        chosen = tf.gather(interests, tf.argmax(tf.einsum("bkd,bd->bk", interests, target), axis=1), batch_dims=1)
        score = tf.reduce_sum(chosen * target)
    np.testing.assert_allclose(interests, golden["user"], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(chosen, golden["readout"], rtol=1e-4, atol=1e-5)
    for variable, gradient, expected in zip(variables, tape.gradient(score, variables), theirs("grad"), strict=True):
        ours = tf.convert_to_tensor(gradient)
        np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-5, err_msg=variable.name)


def padded(batch, by: int):
    """The same histories with `by` more slots of padding."""
    embeddings, mask, days = batch
    return (
        tf.pad(embeddings, [[0, 0], [0, by], [0, 0]]),
        tf.pad(mask, [[0, 0], [0, by]]),
        tf.pad(days, [[0, 0], [0, by]]),
    )


@pytest.mark.parametrize("next_item_edges", [True, False])
def test_how_much_padding_there_is_changes_the_releases_interests_but_not_ours(batch, next_item_edges):
    for mask_padding in (True, False):
        encoder = encoder_with(max_history=9, mask_padding=mask_padding, next_item_edges=next_item_edges)
        (short, mask, days), (long, long_mask, long_days) = batch, padded(batch, by=3)
        difference = np.abs(encoder(short, mask, days=days).vectors - encoder(long, long_mask, days=long_days).vectors)
        assert difference.max() < 1e-5 if mask_padding else difference.max() > 1e-3


def test_only_the_days_between_items_matter_and_only_up_to_the_threshold(batch):
    embeddings, mask, days = batch
    encoder = encoder_with(time_threshold=16)
    plain = encoder(embeddings, mask, days=days).vectors
    np.testing.assert_array_equal(plain, encoder(embeddings, mask, days=days + 365).vectors)
    assert np.abs(plain - encoder(embeddings, mask, days=days // 2).vectors)[0].max() > 1e-3
    far, farther = (encoder(embeddings, mask, days=tf.range(6)[tf.newaxis] * gap).vectors for gap in (16, 900))
    np.testing.assert_array_equal(far, farther)


def test_periodicity_is_attention_over_the_embeddings_of_all_pairs(batch):
    _, mask, days = (x.numpy() for x in batch)
    encoder = encoder_with()
    gaps = np.minimum(np.abs(days[:, :, np.newaxis] - days[:, np.newaxis]), 16)
    embedded = encoder.times.numpy()[gaps]  # [B, L, L, d]
    weights = np.exp(embedded @ encoder.time_weight.numpy()[:, 0]) * mask[:, np.newaxis]
    weights /= weights.sum(axis=2, keepdims=True)
    expected = np.einsum("bij,bijd->bid", weights, embedded)
    np.testing.assert_allclose(encoder._periodicity(*batch[:0:-1])[mask], expected[mask], rtol=1e-4, atol=1e-5)


def test_dropout_is_of_training_alone_and_follows_the_seed(batch):
    embeddings, mask, days = batch
    encoder = encoder_with(dropout=0.5)
    first, second, other = (
        encoder(embeddings, mask, days=days, training_seed=tf.constant(seed)).vectors
        for seed in ([1, 2], [1, 2], [1, 3])
    )
    np.testing.assert_array_equal(first, second)
    assert np.abs(first - other).max() > 1e-3
    without = encoder_with(dropout=0.0)(embeddings, mask, days=days).vectors
    np.testing.assert_array_equal(encoder(embeddings, mask, days=days).vectors, without)
