"""GRU4REC: conformance with both releases, and what holds without them."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.encoders import make_encoder
from remi_tf.settings.encoders import encoder_settings

LENGTH, DIM = 6, 8
GENERATOR = np.random.default_rng(3)
EMBEDDINGS = GENERATOR.normal(size=(4, LENGTH, DIM)).astype(np.float32)
MASK = np.arange(LENGTH) < np.array([[6], [4], [1], [0]])


def encoder_with(towers: int = 1, **settings):
    name = "GRU4REC" if towers == 1 else "MTMI-GRU"
    settings = encoder_settings(
        model_type=name, num_interests=towers, **{"embedding_dim": DIM, "max_history": LENGTH, **settings}
    )
    return make_encoder(settings, seed=1)


def of_the_release(golden, kind: str) -> dict[str, np.ndarray]:
    """ComiRec's cell takes [x, h] in one kernel, and has one for the gates and one for the candidate."""
    gates, candidate = (golden[f"{kind}.gru1/gru_cell/{part}/kernel"] for part in ("gates", "candidate"))
    inputs, recurrent = np.split(np.concatenate([gates, candidate], axis=1), 2)
    names = {"gate_bias": "gates", "candidate_bias": "candidate"}
    biases = {ours: golden[f"{kind}.gru1/gru_cell/{theirs}/bias"] for ours, theirs in names.items()}
    return {"input_kernel": inputs, "recurrent_kernel": recurrent, **biases}


def of_the_port(golden, kind: str) -> dict[str, np.ndarray]:
    names = {"input_kernel": "gru.weight_ih_l0", "recurrent_kernel": "gru.weight_hh_l0", "projection": "dense.weight"}
    weights = {ours: golden[f"{kind}.{theirs}"].T for ours, theirs in names.items()}
    return {**weights, "projection_bias": golden[f"{kind}.dense.bias"]}


@pytest.mark.shared
@pytest.mark.parametrize(
    ("case", "table_name", "weights_of"),
    [("comirec_gru", "mid_embedding_var", of_the_release), ("remiport_gru", "embeddings.weight", of_the_port)],
)
def test_interests_and_gradients_are_those_of_the_releases(shared_dir: Path, case, table_name, weights_of):
    golden = np.load(shared_dir / "golden" / f"{case}.npz", allow_pickle=False)
    history, dim = golden["hist"], golden["user"].shape[1]
    encoder = encoder_with(embedding_dim=dim, max_history=history.shape[1], gru_projection=weights_of is of_the_port)
    weights = weights_of(golden, "w")
    variables = [getattr(encoder, name) for name in weights]
    assert len(variables) == len(encoder.trainable_variables)
    for variable, value in zip(variables, weights.values(), strict=True):
        variable.assign(value.reshape(variable.shape))
    table = tf.Variable(golden[f"w.{table_name}"])
    with tf.GradientTape() as tape:
        user = encoder(tf.gather(table, history), tf.constant(history > 0)).vectors[:, 0]
        score = tf.reduce_sum(user * tf.gather(table, golden["target"]))
    expected = {"table": golden[f"grad.{table_name}"], **weights_of(golden, "grad")}
    np.testing.assert_allclose(user, golden["user"], rtol=1e-4, atol=1e-5)
    for (name, value), gradient in zip(expected.items(), tape.gradient(score, [table, *variables]), strict=True):
        ours = tf.reshape(tf.convert_to_tensor(gradient), value.shape)
        np.testing.assert_allclose(ours, value, rtol=1e-4, atol=1e-5, err_msg=name)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def read_item_by_item(encoder, tower: int, items: np.ndarray) -> np.ndarray:
    """The equations of the class, for one user."""
    weights = {weight.name.split(":")[0].split("/")[-1]: weight.numpy() for weight in encoder.weights}
    inputs, recurrent = weights["input_kernel"][:, tower], weights["recurrent_kernel"][tower]
    size = recurrent.shape[0]
    state, reset_first = np.zeros(size), "projection" not in weights
    biases = np.repeat([1.0, 0.0], [2 * size, size]) if reset_first else np.zeros(3 * size)
    for item in items:
        x = item @ inputs + biases
        reset, update = np.split(sigmoid(x[: 2 * size] + state @ recurrent[:, : 2 * size]), 2)
        of_state = recurrent[:, 2 * size :]
        memory = (reset * state) @ of_state if reset_first else reset * (state @ of_state)
        state = update * state + (1 - update) * np.tanh(x[2 * size :] + memory)
    return state if reset_first else state @ weights["projection"][tower] + weights["projection_bias"][tower, 0]


@pytest.mark.parametrize("towers", [1, 3])
@pytest.mark.parametrize("projection", [True, False])
def test_an_interest_is_the_state_after_the_last_item(projection, towers):
    encoder = encoder_with(towers, gru_projection=projection)
    vectors = encoder(tf.constant(EMBEDDINGS), tf.constant(MASK)).vectors
    for user in range(4):
        expected = [read_item_by_item(encoder, tower, EMBEDDINGS[user][MASK[user]]) for tower in range(towers)]
        np.testing.assert_allclose(vectors[user], np.stack(expected), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("projection", [True, False])
def test_a_state_is_the_vector_of_the_history_so_far(projection):
    encoder = encoder_with(gru_projection=projection)
    states = encoder(tf.constant(EMBEDDINGS), tf.constant(MASK)).states
    for length in (1, 3, 6):
        mask = tf.constant(MASK & (np.arange(LENGTH) < length))
        shorter = encoder(tf.constant(EMBEDDINGS), mask).vectors[:, 0]
        np.testing.assert_allclose(states[:, length - 1], shorter, rtol=1e-5, atol=1e-6)


def test_several_towers_have_no_state_of_one_user():
    assert encoder_with(towers=2)(tf.constant(EMBEDDINGS), tf.constant(MASK)).states is None


def test_a_batch_of_unknown_length_gives_the_same_interests():
    encoder = encoder_with()
    call = tf.function(
        lambda embeddings, mask: encoder(embeddings, mask).vectors,
        input_signature=[tf.TensorSpec([None, None, DIM]), tf.TensorSpec([None, None], tf.bool)],
    )
    expected = encoder(tf.constant(EMBEDDINGS), tf.constant(MASK)).vectors
    np.testing.assert_allclose(call(EMBEDDINGS, MASK), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(call(EMBEDDINGS[1:, :4], MASK[1:, :4]), expected[1:], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("policy", ["float32", "mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("projection", [True, False])
def test_padding_leaves_the_state_bit_for_bit(projection, policy):
    tf.keras.mixed_precision.set_global_policy(policy)
    try:
        short, long = (
            make_encoder(encoder_with(2, gru_projection=projection, max_history=length).settings, seed=1)
            for length in (2, LENGTH)
        )
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")
    for weight, value in zip(long.trainable_variables, short.trainable_variables, strict=True):
        weight.assign(value)
    mask = MASK & (np.arange(LENGTH) < 2)
    expected = short(tf.constant(EMBEDDINGS[:, :2]), tf.constant(mask[:, :2])).vectors
    padded = long(tf.constant(EMBEDDINGS), tf.constant(mask)).vectors
    assert padded.dtype == {"mixed_float16": tf.float16, "mixed_bfloat16": tf.bfloat16}.get(policy, tf.float32)
    np.testing.assert_array_equal(padded, expected)


def test_dropout_is_a_function_of_the_seed_and_only_in_training():
    encoder = encoder_with(dropout=0.5)

    def vectors(seed):
        return encoder(tf.constant(EMBEDDINGS), tf.constant(MASK), training_seed=seed).vectors.numpy()

    np.testing.assert_array_equal(vectors(tf.constant([1, 2])), vectors(tf.constant([1, 2])))
    assert np.abs(vectors(tf.constant([1, 2])) - vectors(tf.constant([1, 3]))).max() > 1e-3
    assert np.abs(vectors(tf.constant([1, 2])) - vectors(None)).max() > 1e-3


def test_the_kernels_start_with_the_ports_spread():
    """Xavier uniform for the two kernels, ±1/√fan-in for the dense layer; every tower has its own draw."""
    encoder = encoder_with(2, embedding_dim=32, gru_projection=True)
    for weight, limit in (
        (encoder.input_kernel, (6 / (32 + 192)) ** 0.5),
        (encoder.recurrent_kernel, (6 / (64 + 192)) ** 0.5),
        (encoder.projection, 64**-0.5),
    ):
        assert 0.97 * limit < np.abs(weight.numpy()).max() <= limit
    assert np.abs(encoder.recurrent_kernel[0] - encoder.recurrent_kernel[1]).max() > 0.1


@pytest.mark.parametrize(("towers", "projection"), [(1, True), (1, False), (3, False)])
def test_with_a_profile_a_dense_layer_reads_the_state_and_the_profile(towers, projection):
    name = "GRU4REC" if towers == 1 else "MTMI-GRU"
    small = {"embedding_dim": DIM, "max_history": LENGTH, "num_interests": towers, "gru_projection": projection}
    encoder = make_encoder(encoder_settings(name, read_profile="concat", **small), 1, (2, 3))
    profile = tf.constant([[1, 3], [2, 0], [0, 0], [1, 1]])
    interests, told = encoder(EMBEDDINGS, tf.constant(MASK), profile=profile), encoder.profile(profile).numpy()
    unknown = encoder(EMBEDDINGS, tf.constant(MASK), profile=tf.zeros_like(profile))
    for tower in range(towers):
        expected = unknown.vectors[:3, tower] + told[:3] @ encoder.profile_projection[tower].numpy()
        np.testing.assert_allclose(interests.vectors[:3, tower], expected, rtol=1e-4, atol=1e-5)
    if projection:  # of nobody known, it is the GRU as it is without profiles
        plain = make_encoder(encoder_settings(name, **small), 1)(EMBEDDINGS, tf.constant(MASK))
        np.testing.assert_array_equal(unknown.vectors[:3], plain.vectors[:3])
