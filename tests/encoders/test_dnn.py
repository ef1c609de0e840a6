"""DNN: conformance with both releases, and what holds without them."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.encoders import make_encoder
from remi_tf.settings.encoders import encoder_settings

HISTORY = np.array([[3, 1, 2, 0, 0], [4, 0, 0, 0, 0], [0, 0, 0, 0, 0]])
TABLE = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)


def encoder_with(**settings):
    settings = encoder_settings(model_type="DNN", num_interests=1, **settings)
    encoder = make_encoder(settings, seed=1)
    encoder(tf.zeros([1, settings.max_history, settings.embedding_dim]), tf.ones([1, settings.max_history], tf.bool))
    return encoder


@pytest.mark.shared
@pytest.mark.parametrize(
    ("case", "settings", "names"),
    [
        ("comirec_dnn", {"use_bias": True}, ["mid_embedding_var", "dense/kernel", "dense/bias"]),
        ("remiport_dnn", {"mask_padding": False}, ["embeddings.weight", "linear.weight"]),
    ],
)
def test_interests_and_gradients_are_those_of_the_releases(shared_dir: Path, case, settings, names):
    golden = np.load(shared_dir / "golden" / f"{case}.npz", allow_pickle=False)
    history, dim = golden["hist"], golden["user"].shape[1]
    encoder = encoder_with(embedding_dim=dim, max_history=history.shape[1], **settings)

    def in_our_layout(kind: str, name: str) -> np.ndarray:
        return golden[f"{kind}.{name}"].T if name == "linear.weight" else golden[f"{kind}.{name}"]

    table = tf.Variable(golden[f"w.{names[0]}"])
    for variable, name in zip(encoder.weights, names[1:], strict=True):
        variable.assign(in_our_layout("w", name))
    with tf.GradientTape() as tape:
        user = encoder(tf.gather(table, history), tf.constant(history > 0)).vectors[:, 0]
        score = tf.reduce_sum(user * tf.gather(table, golden["target"]))
    np.testing.assert_allclose(user, golden["user"], rtol=1e-4, atol=1e-5)
    for name, gradient in zip(names, tape.gradient(score, [table, *encoder.weights]), strict=True):
        expected, ours = in_our_layout("grad", name), tf.convert_to_tensor(gradient)
        np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-5, err_msg=name)


def test_the_interest_is_a_linear_map_of_the_mean_item():
    encoder = encoder_with(embedding_dim=4, max_history=5, use_bias=True)
    encoder.towers.bias.assign([1.0, 2.0, 3.0, 4.0])
    vectors = encoder(tf.gather(TABLE, HISTORY), tf.constant(HISTORY > 0)).vectors[:, 0]
    means = np.stack([TABLE[1:4].mean(axis=0), TABLE[4], np.zeros(4)])  # the last user has no items
    np.testing.assert_allclose(vectors, means @ encoder.towers.kernel.numpy() + [1, 2, 3, 4], rtol=1e-5, atol=1e-6)


def test_as_released_padding_is_summed_but_neither_counted_nor_trained():
    encoder = encoder_with(embedding_dim=4, max_history=5, mask_padding=False)
    table = tf.Variable(TABLE)
    with tf.GradientTape() as tape:
        vectors = encoder(tf.gather(table, HISTORY), tf.constant(HISTORY > 0)).vectors[:, 0]
        loss = tf.reduce_sum(tf.square(vectors))
    sums = TABLE[HISTORY].sum(axis=1) / [[3], [1], [1]]
    np.testing.assert_allclose(vectors, sums @ encoder.towers.kernel.numpy(), rtol=1e-5, atol=1e-6)
    gradient = tf.convert_to_tensor(tape.gradient(loss, table)).numpy()
    assert not gradient[0].any() and gradient[1:].any(axis=1).all()


def test_with_a_profile_the_towers_map_the_mean_item_and_the_profile():
    settings = encoder_settings("MTMI-DNN", num_interests=2, embedding_dim=4, max_history=5, read_profile="concat")
    encoder, profile = make_encoder(settings, 1, (2, 3)), tf.constant([[1, 3], [2, 0], [1, 1]])
    vectors = encoder(tf.gather(TABLE, HISTORY), tf.constant(HISTORY > 0), profile=profile).vectors
    read = np.concatenate([[TABLE[1:4].mean(axis=0), TABLE[4]], encoder.profile(profile)[:2]], axis=1)
    np.testing.assert_allclose(
        vectors[:2], (read @ encoder.towers.kernel.numpy()).reshape([2, 2, 4]), rtol=1e-5, atol=1e-6
    )
    assert not vectors[2].numpy().any()  # the last user has no items
