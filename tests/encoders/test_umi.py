"""UMI: its equations term by term, what the profile does. test_profile.py trains, saves and serves it."""

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.encoders import make_encoder
from remi_tf.errors import InputError
from remi_tf.objective.regularizers import RoutingRegularizer
from remi_tf.settings.encoders import encoder_settings
from train import main

SETTINGS = encoder_settings(model_type="UMI", embedding_dim=8, max_history=5, num_interests=3, profile_dim=4)
SIZES = (2, 5)
MASK = tf.constant(np.arange(5) < np.array([[5], [3], [1], [4]]))
PROFILE = tf.constant([[1, 5], [2, 0], [0, 0], [2, 3]])


@pytest.fixture
def encoder():
    encoder = make_encoder(SETTINGS, 3, SIZES)
    encoder(tf.zeros([1, 5, 8]), MASK[:1], profile=PROFILE[:1])
    generator = np.random.default_rng(4)  # biases count, too
    encoder.set_weights([generator.normal(scale=0.5, size=weight.shape) for weight in encoder.get_weights()])
    return encoder


@pytest.fixture
def embeddings():
    return tf.constant(np.random.default_rng(0).normal(size=(4, 5, 8)), tf.float32)


def softmax(logits, axis):
    powers = np.exp(logits - logits.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def in_numpy(encoder, items, profile, logits):
    """One user, every mapped item formed: items [n, d], profile [P], logits [K, n] → interests, capsules, shares."""

    def dense(layer, rows):
        rows = rows @ layer.kernel.numpy() + layer.bias.numpy()
        name = layer.activation.__name__
        return np.maximum(rows, 0) if name == "relu" else 1 / (1 + np.exp(-rows)) if name == "sigmoid" else rows

    table = encoder.profile_table.numpy()
    starts = (0, *np.cumsum(SIZES))
    columns = [table[start + code] if code else 0 * table[0] for start, code in zip(starts, profile, strict=False)]
    flat = np.concatenate(columns)
    mapped = np.einsum("lc,kcd->kld", items, encoder.maps.numpy())
    gate = dense(encoder.item_gate, dense(encoder.item_gate_hidden, np.array([[*item, *flat] for item in items])))[:, 0]
    for _ in range(3):
        shares = softmax(logits, axis=0)
        summed = np.einsum("kl,l,kld->kd", shares, gate, mapped)
        norm = np.linalg.norm(summed, axis=1, keepdims=True)
        capsules = norm / (1 + norm**2) * summed
        logits = np.einsum("kld,kd->kl", mapped, capsules)
    gates = dense(
        encoder.profile_gate, dense(encoder.profile_gate_hidden, np.array([[*row, *flat] for row in capsules]))
    )
    refined = [
        [*row, *np.concatenate([g * c for g, c in zip(gate, columns, strict=True)])]
        for row, gate in zip(capsules, gates, strict=True)
    ]
    interests = dense(encoder.output_layer, dense(encoder.output_hidden, np.array(refined)))
    return interests, capsules, shares / shares.sum(axis=1, keepdims=True)


def test_interests_are_those_of_the_equations(encoder, embeddings):
    ours = encoder(embeddings, MASK, profile=PROFILE)
    for user in range(4):
        n = int(tf.reduce_sum(tf.cast(MASK[user], tf.int32)))
        items, logits = embeddings[user, :n].numpy().astype(np.float64), encoder.served_logits.numpy()[:, :n]
        interests, capsules, shares = in_numpy(encoder, items, PROFILE[user].numpy(), logits)
        np.testing.assert_allclose(ours.vectors[user], interests, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(ours.capsules[user], capsules, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(ours.routing[user, :, :n], shares, rtol=1e-4, atol=1e-5)


def test_the_profile_steers_routing_and_interests_and_unknown_values_say_nothing(encoder, embeddings):
    def of(profile):
        return encoder(embeddings, MASK, profile=tf.constant([profile] * 4))

    for other in ([2, 3], [1, 2], [1, 0], [0, 3]):
        assert np.abs(of([1, 3]).capsules - of(other).capsules).max() > 1e-4
        assert np.abs(of([1, 3]).vectors - of(other).vectors).max() > 1e-3
    unknown = of([0, 0])
    encoder.profile_table.assign(encoder.profile_table + 7.0)
    np.testing.assert_array_equal(of([0, 0]).vectors, unknown.vectors)


def test_the_draw_is_anew_for_every_user_and_step_in_training_and_one_for_all_outside(encoder, embeddings):
    same = tf.repeat(embeddings[:1], 4, axis=0), tf.repeat(MASK[:1], 4, axis=0)
    profile = tf.repeat(PROFILE[:1], 4, axis=0)
    served = encoder(*same, profile=profile).vectors
    np.testing.assert_allclose(served, tf.repeat(served[:1], 4, axis=0), rtol=1e-5, atol=1e-6)
    steps = [encoder(*same, training_seed=tf.constant([1, step]), profile=profile).vectors for step in (1, 1, 2)]
    np.testing.assert_array_equal(steps[0], steps[1])
    assert np.abs(steps[0] - steps[2]).max() > 1e-4 and np.abs(steps[0][1:] - steps[0][:1]).max() > 1e-4


def gradients(encoder, loss_of, variables, embeddings):
    with tf.GradientTape() as tape:
        tape.watch(embeddings)
        loss = loss_of(encoder(embeddings, MASK, profile=PROFILE))
    return tape.gradient(loss, [*variables, embeddings])


def test_the_gradient_passes_the_last_round_alone(encoder, embeddings):
    """With the shares of the last round given, one weighted sum has the same gradient as the three rounds."""
    weights = tf.random.stateless_normal([4, 3, 8], [1, 2])

    def loss_of(interests):
        return tf.reduce_sum(weights * interests.vectors)

    variables = [encoder.maps, encoder.item_gate.kernel, encoder.profile_table]
    ours = gradients(encoder, loss_of, variables, embeddings)
    shares, logits = encoder(embeddings, MASK, profile=PROFILE).routing, []
    for user in range(4):  # logits whose softmax over the interests is what the last round began with
        n = int(tf.reduce_sum(tf.cast(MASK[user], tf.int32)))
        last = last_logits(encoder, embeddings[user, :n].numpy(), PROFILE[user].numpy(), n)
        logits.append(np.pad(last, ((0, 0), (0, 5 - n))))
    encoder.settings = encoder_settings(**{**vars(SETTINGS), "routing_iterations": 1})
    encoder.initial_logits = lambda mask, seed: tf.constant(np.stack(logits), tf.float32)
    np.testing.assert_allclose(encoder(embeddings, MASK, profile=PROFILE).routing, shares, rtol=1e-4, atol=1e-5)
    for expected, gradient in zip(gradients(encoder, loss_of, variables, embeddings), ours, strict=True):
        expected, gradient = (tf.convert_to_tensor(x) for x in (expected, gradient))
        np.testing.assert_allclose(gradient, expected, rtol=1e-3, atol=1e-5)


def last_logits(encoder, items, profile, n):
    """[K, n] logits of the last round: what agrees with the capsules of the round before."""
    iterations = encoder.settings
    encoder.settings = encoder_settings(**{**vars(SETTINGS), "routing_iterations": 2})
    capsules = encoder(
        tf.constant(items[np.newaxis]), tf.ones([1, n], tf.bool), profile=tf.constant([profile])
    ).capsules
    encoder.settings = iterations
    return np.einsum("lc,kcd,kd->kl", items, encoder.maps.numpy(), capsules[0].numpy())


def test_routing_regularisation_reaches_maps_and_items(encoder, embeddings):
    regularizer = RoutingRegularizer(1.0, 8, "mean")

    def penalty(interests):
        return regularizer(interests.routing, MASK)

    for gradient in gradients(encoder, penalty, [encoder.maps], embeddings):
        assert np.abs(gradient).max() > 1e-4
    mapped, _ = gradients(encoder, penalty, [encoder.maps], embeddings)
    before = float(regularizer(encoder(embeddings, MASK, profile=PROFILE).routing, MASK))
    encoder.maps.assign_sub(0.05 * mapped / tf.norm(mapped))
    assert float(regularizer(encoder(embeddings, MASK, profile=PROFILE).routing, MASK)) < before


SMALL = ["--num_negatives", "20", "--embedding_dim", "8", "--batch_size", "16", "--max_steps", "4", "--eval_every", "4"]


@pytest.mark.trains
def test_a_log_without_profiles_is_refused_with_both_remedies(toy_dataset, tmp_path):
    with pytest.raises(InputError, match=r"UMI: it reads user profiles.* --users TABLE --user_features .* UMI_HN"):
        main(["--dataset", str(toy_dataset), "--run_dir", str(tmp_path / "run"), "--model_type", "UMI", *SMALL])
    assert not (tmp_path / "run").exists()
    arguments = ["--dataset", str(toy_dataset), "--run_dir", str(tmp_path / "run"), "--model_type", "UMI_HN", *SMALL]
    assert main(arguments) == 0


def test_one_dimension_is_enough():
    encoder = make_encoder(
        encoder_settings(model_type="UMI", embedding_dim=1, max_history=5, num_interests=3), 3, SIZES
    )
    assert encoder(tf.ones([4, 5, 1]), MASK, profile=PROFILE).vectors.shape == (4, 3, 1)
