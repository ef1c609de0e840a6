"""SASRec: what a state may depend on, and its equations on a small case."""

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.encoders import make_encoder
from remi_tf.errors import InputError
from remi_tf.settings.encoders import encoder_settings
from remi_tf.settings.settings import Settings

LENGTH, DIM = 6, 8


def encoder_with(**settings):
    values = {"embedding_dim": DIM, "max_history": LENGTH, "num_interests": 1, **settings}
    encoder = make_encoder(encoder_settings(model_type="SASRec", **values), seed=4)
    encoder(tf.zeros([1, LENGTH, DIM]), tf.ones([1, LENGTH], tf.bool))
    generator = np.random.default_rng(5)  # away from gains of 1 and biases of 0
    for variable in encoder.trainable_variables:
        variable.assign(variable + generator.normal(0, 0.2, variable.shape))
    return encoder


@pytest.fixture
def embeddings():
    return np.random.default_rng(0).normal(size=(1, LENGTH, DIM)).astype(np.float32)


def run(encoder, embeddings, number, seed=None):
    """Vector [d] and states [L, d] of a history of the first `number` items."""
    mask = tf.range(embeddings.shape[1])[tf.newaxis] < number
    interests = encoder(tf.constant(embeddings), mask, training_seed=seed)
    return interests.vectors.numpy()[0, 0], interests.states.numpy()[0]


def test_a_state_depends_on_its_item_and_those_before_it_alone(embeddings):
    encoder = encoder_with(num_heads=2)
    _, states = run(encoder, embeddings, 6)
    for changed in range(LENGTH):
        other = embeddings.copy()
        other[0, changed] += np.arange(DIM)
        difference = np.abs(run(encoder, other, 6)[1] - states).max(axis=1)
        assert not difference[:changed].any()
        assert (difference[changed:] > 1e-3).all()


def test_the_vector_is_the_state_after_the_last_item_and_padding_has_none(embeddings):
    vector, states = run(encoder_with(), embeddings, 4)
    np.testing.assert_array_equal(vector, states[3])
    assert not states[4:].any()


def test_positions_count_from_the_end(embeddings):
    encoder = encoder_with()
    before = [run(encoder, embeddings, number)[0] for number in (2, 6)]
    encoder.positions.assign(tf.concat([encoder.positions[:4] + np.arange(DIM), encoder.positions[4:]], axis=0))
    after = [run(encoder, embeddings, number)[0] for number in (2, 6)]
    np.testing.assert_array_equal(before[0], after[0])  # two items have the last two positions
    assert np.abs(before[1] - after[1]).max() > 1e-3


def test_one_block_computes_its_equations(embeddings):
    encoder = encoder_with(num_blocks=1, num_heads=2)
    (block,), number = encoder.blocks, 4

    def norm(x, layer):
        scaled = (x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, keepdims=True)
        return scaled * layer.gamma.numpy() + layer.beta.numpy()

    states = np.sqrt(DIM) * embeddings[0, :number] + encoder.positions.numpy()[-number:]
    normed = norm(states, block.attention_norm)
    query = normed @ block.query.kernel.numpy()
    key, value = np.split(states @ block.key_value.kernel.numpy(), 2, axis=1)
    mixed = np.zeros_like(states)
    for head in (slice(0, 4), slice(4, 8)):
        for item in range(number):
            weights = np.exp(key[: item + 1, head] @ query[item, head] / np.sqrt(4))
            mixed[item, head] = weights / weights.sum() @ value[: item + 1, head]
    normed = norm(normed + mixed, block.feed_forward_norm)
    hidden = np.maximum(normed @ block.inner.kernel.numpy() + block.inner.bias.numpy(), 0)
    states = norm(normed + hidden @ block.outer.kernel.numpy() + block.outer.bias.numpy(), encoder.norm)

    vector, ours = run(encoder, embeddings, number)
    np.testing.assert_allclose(ours[:number], states, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(vector, states[-1], rtol=1e-4, atol=1e-5)


def test_dropout_is_of_training_alone_and_follows_the_seed(embeddings):
    encoder = encoder_with(dropout=0.5)
    first, second, other = (run(encoder, embeddings, 6, tf.constant(seed))[0] for seed in ([1, 2], [1, 2], [1, 3]))
    np.testing.assert_array_equal(first, second)
    assert np.abs(first - other).max() > 1e-3
    np.testing.assert_array_equal(run(encoder, embeddings, 6)[0], run(encoder_with(dropout=0.0), embeddings, 6)[0])


def test_heads_that_do_not_share_the_size_evenly_are_refused():
    with pytest.raises(InputError, match=r"--num_heads 3.*--embedding_dim 64"):
        Settings().replace(model_type="SASRec", num_interests=1, num_heads=3)
