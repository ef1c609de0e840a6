"""SA: conformance with both reference releases, and what holds without them."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.encoders import make_encoder
from remi_tf.settings.encoders import encoder_settings


def encoder_with(weights: dict[str, np.ndarray], num_interests: int):
    length, dim = weights["positions"].shape
    settings = encoder_settings(
        embedding_dim=dim, max_history=length, num_interests=num_interests, use_bias="hidden_bias" in weights
    )
    encoder = make_encoder(settings, seed=0)
    encoder(tf.zeros([1, length, dim]), tf.ones([1, length], tf.bool))
    encoder.positions.assign(weights["positions"])
    for layer in ("hidden", "logits"):
        dense = getattr(encoder, layer)
        dense.kernel.assign(weights[f"{layer}_kernel"])
        if dense.use_bias:
            dense.bias.assign(weights[f"{layer}_bias"])
    return encoder


def embed(table: tf.Tensor, history: np.ndarray) -> tf.Tensor:
    return tf.gather(table, history) * tf.cast(history > 0, tf.float32)[..., tf.newaxis]


@pytest.mark.shared
def test_interests_and_gradients_are_those_of_comirecs_tensorflow_release(shared_dir: Path):
    golden = np.load(shared_dir / "golden" / "comirec_sa.npz", allow_pickle=False)
    names = {
        "hidden_kernel": "self_atten/dense/kernel",
        "hidden_bias": "self_atten/dense/bias",
        "logits_kernel": "self_atten/dense_1/kernel",
        "logits_bias": "self_atten/dense_1/bias",
    }
    weights = {ours: golden[f"w.{theirs}"] for ours, theirs in names.items()}
    encoder = encoder_with({"positions": golden["w.position_embedding"][0], **weights}, golden["user"].shape[1])
    table, history = tf.Variable(golden["w.mid_embedding_var"]), golden["hist"]
    with tf.GradientTape() as tape:
        interests = encoder(embed(table, history), tf.constant(history > 0)).vectors
        target = tf.gather(table, golden["target"])
        chosen = tf.gather(interests, tf.argmax(tf.einsum("bkd,bd->bk", interests, target), axis=1), batch_dims=1)
        score = tf.reduce_sum(chosen * target)
    hidden, logits = encoder.hidden, encoder.logits
    variables = [table, encoder.positions, hidden.kernel, hidden.bias, logits.kernel, logits.bias]
    gradients = tape.gradient(score, variables)

    np.testing.assert_allclose(interests, golden["user"], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(chosen, golden["readout"], rtol=1e-4, atol=1e-5)
    theirs = ["mid_embedding_var", "position_embedding", *names.values()]
    for name, gradient in zip(theirs, gradients, strict=True):
        expected = golden[f"grad.{name}"]
        np.testing.assert_allclose(
            tf.reshape(tf.convert_to_tensor(gradient), expected.shape), expected, rtol=1e-4, atol=1e-5, err_msg=name
        )


@pytest.fixture
def encoder():
    return make_encoder(encoder_settings(embedding_dim=8, max_history=6, num_interests=3), seed=4)


@pytest.fixture
def embeddings():
    return tf.constant(np.random.default_rng(0).normal(size=(5, 6, 8)), tf.float32)


def test_interests_are_the_items_mixed_by_the_routing_without_positions(encoder, embeddings):
    interests = encoder(embeddings, tf.ones([5, 6], tf.bool))
    np.testing.assert_allclose(tf.reduce_sum(interests.routing, axis=2), np.ones((5, 3)), rtol=1e-6)
    np.testing.assert_allclose(interests.vectors, interests.routing @ embeddings, rtol=1e-5, atol=1e-6)


def test_routing_depends_on_the_order_of_the_history(encoder, embeddings):
    mask = tf.ones([5, 6], tf.bool)
    forwards, backwards = encoder(embeddings, mask), encoder(embeddings[:, ::-1], mask)
    assert np.abs(forwards.vectors - backwards.vectors).max() > 1e-3


def test_an_empty_history_has_zero_interests(encoder, embeddings):
    interests = encoder(embeddings, tf.zeros([5, 6], tf.bool))
    assert not interests.vectors.numpy().any() and not interests.routing.numpy().any()


SEED = tf.constant([3, 4])


def small(**options):
    return make_encoder(encoder_settings(embedding_dim=8, max_history=6, num_interests=3, **options), seed=4)


def test_with_positions_from_the_newest_item_older_items_leave_the_others_shares_as_they_were(embeddings):
    """Shares of the last three items among themselves, with and without the three items before them."""
    for positions, same in (("newest", True), ("oldest", False)):
        encoder = small(positions=positions)
        whole = encoder(embeddings, tf.ones([5, 6], tf.bool)).routing.numpy()[..., 3:]
        late = tf.concat([embeddings[:, 3:], tf.zeros([5, 3, 8])], axis=1)
        part = encoder(late, tf.sequence_mask([3] * 5, 6)).routing.numpy()[..., :3]
        assert np.allclose(whole / whole.sum(axis=2, keepdims=True), part, atol=1e-5) == same


def test_values_begin_as_the_embeddings_and_then_read_each_item_with_those_before_it(embeddings):
    encoder, mask = small(value_width=2), tf.sequence_mask([6, 4, 2, 1, 0], 6)
    begins = encoder(embeddings, mask)
    np.testing.assert_allclose(begins.vectors, begins.routing @ embeddings, rtol=1e-5, atol=1e-6)
    own, before = np.random.default_rng(2).normal(size=(2, 3, 8, 8)).astype(np.float32)
    encoder.kernels.assign(np.stack([own, before], axis=1))
    vectors, routing = (x.numpy() for x in encoder(embeddings, mask)[:2])
    items = embeddings.numpy() * mask.numpy()[..., np.newaxis]
    for user in range(5):
        for k in range(3):
            expected = np.zeros(8)
            for slot in range(6):
                previous = items[user, slot - 1] if slot else np.zeros(8)
                value = items[user, slot] + items[user, slot] @ own[k] + previous @ before[k]
                expected += routing[user, k, slot] * value
            np.testing.assert_allclose(vectors[user, k], expected, rtol=1e-4, atol=1e-5)


def test_items_of_a_history_are_left_out_in_training_only_and_never_the_newest():
    encoder, mask = small(history_dropout=0.5, value_width=2), tf.sequence_mask([6] * 400 + [1, 3], 6)
    embeddings = tf.random.stateless_normal([402, 6, 8], [1, 2])
    assert (encoder(embeddings, mask).routing.numpy()[mask[:, tf.newaxis] & tf.ones([1, 3, 1], tf.bool)] > 0).all()
    seen = encoder(embeddings, mask, training_seed=SEED).routing.numpy() > 0  # [402, 3, 6]
    assert (seen == seen[:, :1]).all()  # all interests see the same items
    np.testing.assert_allclose(seen[:400, 0, :5].mean(axis=0), 0.5, atol=0.12)
    assert seen[:400, 0, 5].all() and seen[400, 0, 0] and seen[401, 0, 2]
    assert not seen[401, 0, 3:].any()


def test_an_item_that_is_left_out_is_not_read_by_those_after_it_either():
    encoder, mask = small(history_dropout=0.5, value_width=3), tf.ones([1, 6], tf.bool)
    encoder.kernels.assign(tf.ones_like(encoder.kernels))
    embeddings = tf.random.stateless_normal([1, 6, 8], [1, 2])
    before = encoder(embeddings, mask, training_seed=SEED)
    left_out = before.routing.numpy()[0, 0] == 0
    assert 0 < left_out.sum() < 6
    changed = tf.where(left_out[np.newaxis, :, np.newaxis], embeddings + 5.0, embeddings)
    np.testing.assert_array_equal(before.vectors, encoder(changed, mask, training_seed=SEED).vectors)


def test_values_of_the_convolution_are_dropped_in_training_only(embeddings):
    mask = tf.ones([5, 6], tf.bool)
    plain, dropping = small(value_width=2), small(value_width=2, value_dropout=0.5)
    for encoder in (plain, dropping):
        encoder.kernels.assign(tf.random.stateless_normal(encoder.kernels.shape, [5, 6]))
    whole, routing = (x.numpy() for x in plain(embeddings, mask)[:2])
    np.testing.assert_array_equal(dropping(embeddings, mask).vectors, whole)
    convolved = whole - routing @ embeddings.numpy()
    in_training = dropping(embeddings, mask, training_seed=SEED).vectors.numpy() - routing @ embeddings.numpy()
    dropped = np.isclose(in_training, 0, atol=1e-5)
    assert 0.3 < dropped.mean() < 0.7
    np.testing.assert_allclose(in_training[~dropped], 2 * convolved[~dropped], rtol=1e-3, atol=1e-4)


OURS = {"positions": "newest", "history_dropout": 0.3, "value_width": 3, "value_dropout": 0.5}
LENGTHS = [6, 4, 2, 1, 0]


def test_neither_padding_nor_how_much_of_it_there_is_changes_anything(embeddings):
    encoder = small(**OURS)
    encoder.kernels.assign(tf.random.stateless_normal(encoder.kernels.shape, [5, 6]))
    whole = encoder(embeddings, tf.sequence_mask(LENGTHS, 6)).vectors
    other = tf.where(tf.sequence_mask(LENGTHS, 6)[..., tf.newaxis], embeddings, 9.0)
    np.testing.assert_array_equal(encoder(other, tf.sequence_mask(LENGTHS, 6)).vectors, whole)
    short = encoder(embeddings[1:, :4], tf.sequence_mask(LENGTHS[1:], 4)).vectors
    np.testing.assert_allclose(short, whole[1:], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("policy", "tolerance"), [("mixed_float16", 0.01), ("mixed_bfloat16", 0.08)])
def test_in_16_bits_interests_are_near_those_of_32_bits(embeddings, policy, tolerance):
    mask = tf.sequence_mask(LENGTHS, 6)

    def interests() -> np.ndarray:
        encoder = small(**{**OURS, "value_dropout": 0.0})  # what is drawn for it depends on the policy
        encoder.kernels.assign(0.1 * tf.random.stateless_normal(encoder.kernels.shape, [5, 6]))
        return tf.cast(encoder(embeddings, mask, training_seed=SEED).vectors, tf.float32).numpy()

    exact = interests()
    tf.keras.mixed_precision.set_global_policy(policy)
    try:
        rounded = interests()
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")
    assert 0 < np.abs(rounded - exact).max() < tolerance * np.abs(exact).max()
