"""MIND and ComiRec-DR: conformance with both releases, and the routing term by term."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.encoders import make_encoder
from remi_tf.encoders.capsules import dynamic_routing, squash
from remi_tf.model import MultiInterestModel
from remi_tf.settings.encoders import CapsuleSettings, encoder_settings
from remi_tf.settings.presets import compose
from remi_tf.settings.recipes import RECIPES
from remi_tf.settings.settings import Settings

TENSORFLOW_MIND = {
    "map.kernel": "capsule_network/bilinear/dense/kernel",
    "map.bias": "capsule_network/bilinear/dense/bias",
}
RELU = {"output_layer.kernel": "capsule_network/proj/kernel", "output_layer.bias": "capsule_network/proj/bias"}
PORT = {name: RECIPES["released"][name] for name in ("mask_padding", "routing_softmax")}
PORT_OF_DR = {**PORT, "map_fan_in": RECIPES["released"]["map_fan_in"]}
GOLDEN = {
    "comirec_mind": ({"model_type": "MIND", "use_bias": True}, TENSORFLOW_MIND),
    "comirec_mind_relu": ({"model_type": "MIND", "use_bias": True, "relu_layer": True}, {**TENSORFLOW_MIND, **RELU}),
    "comirec_dr": ({"model_type": "DR"}, {"maps": "capsule_network/bilinear/weights"}),
    "remiport_mind": ({"model_type": "MIND", **PORT}, {"map.kernel": "capsule_network.linear.weight"}),
    "remiport_dr": (
        {"model_type": "DR", **PORT_OF_DR},
        {"maps": "capsule_network.w"},
    ),
}


@pytest.mark.shared
@pytest.mark.parametrize("case", GOLDEN)
def test_interests_and_gradients_are_those_of_the_releases(shared_dir: Path, case):
    golden = np.load(shared_dir / "golden" / f"{case}.npz", allow_pickle=False)
    values, names = GOLDEN[case]
    (_, num_interests, dim), history = golden["user"].shape, golden["hist"]
    settings = encoder_settings(
        **values, embedding_dim=dim, max_history=history.shape[1], num_interests=num_interests, routing_iterations=3
    )
    encoder = make_encoder(settings, seed=0)
    encoder(tf.zeros([1, *history.shape[1:], dim]), tf.ones([1, *history.shape[1:]], tf.bool))
    if "initial_routing_logits" in golden:
        encoder.initial_logits = lambda mask, seed: tf.constant(golden["initial_routing_logits"])

    def in_our_layout(name: str, kind: str) -> np.ndarray:
        value = golden[f"{kind}.{name}"]
        if value.ndim == 4:  # maps [1, L, K d, d]
            return value[0].transpose(0, 2, 1)
        return value.T if name.endswith(".linear.weight") else value

    variables = []
    for ours, theirs in names.items():
        variable = encoder
        for part in ours.split("."):
            variable = getattr(variable, part)
        variable.assign(in_our_layout(theirs, "w"))
        variables.append(variable)
    table_name = "embeddings.weight" if "w.embeddings.weight" in golden else "mid_embedding_var"
    table = tf.Variable(golden[f"w.{table_name}"])
    with tf.GradientTape() as tape:
        interests = encoder(tf.gather(table, history), tf.constant(history > 0)).vectors
        target = tf.gather(table, golden["target"])
        chosen = tf.gather(interests, tf.argmax(tf.einsum("bkd,bd->bk", interests, target), axis=1), batch_dims=1)
        score = tf.reduce_sum(chosen * target)
    gradients = tape.gradient(score, [table, *variables])

    np.testing.assert_allclose(interests, golden["user"], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(chosen, golden["readout"], rtol=1e-4, atol=1e-5)
    for name, gradient in zip([table_name, *names.values()], gradients, strict=True):
        expected = in_our_layout(name, "grad")
        np.testing.assert_allclose(tf.convert_to_tensor(gradient), expected, rtol=1e-4, atol=1e-5, err_msg=name)


LENGTH, DIM, INTERESTS = 6, 4, 3
BOTH, AXES = pytest.mark.parametrize("model_type", ["MIND", "DR"]), ("interests", "sequence")


def small(model_type: str = "DR", **values) -> CapsuleSettings:
    sizes = {"embedding_dim": DIM, "max_history": LENGTH, "num_interests": INTERESTS}
    return encoder_settings(**{"model_type": model_type, **sizes, **values})


@pytest.fixture
def maps():
    return tf.Variable(np.random.default_rng(0).normal(size=(2, INTERESTS, LENGTH, DIM)), dtype=tf.float32)


@pytest.fixture
def initial():
    return tf.constant(np.random.default_rng(1).normal(size=(2, INTERESTS, LENGTH)), tf.float32)


MASK = np.arange(LENGTH) < np.array([[6], [4]])


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


def routed_one_by_one(maps, mask, logits, rounds, axis, mask_padding):
    """MIND's algorithm 1 for one user, item by item: capsules and the weights of the last round."""
    logits = np.array(logits, np.float64)
    for _ in range(rounds):
        weights, capsules = np.zeros_like(logits), []
        if axis == "interests":
            for item in np.flatnonzero(mask):
                weights[:, item] = softmax(logits[:, item])
        else:
            for interest in range(len(logits)):
                slots = mask if mask_padding else np.ones_like(mask)
                weights[interest, slots] = softmax(logits[interest, slots])
            weights[:, ~mask] = 0
        for interest in range(len(logits)):
            total = sum(weights[interest, item] * maps[interest, item] for item in range(len(mask)))
            norm = np.linalg.norm(total)
            capsules.append(norm**2 / (1 + norm**2) * total / norm)
        for interest, item in np.ndindex(*logits.shape):
            logits[interest, item] += maps[interest, item] @ capsules[interest]
    return np.array(capsules), weights


@pytest.mark.parametrize(("rounds", "groups"), [(1, INTERESTS), (3, INTERESTS), (3, 1)])
@pytest.mark.parametrize(("axis", "mask_padding"), [("interests", True), ("sequence", True), ("sequence", False)])
def test_the_routing_is_the_papers_item_by_item(maps, initial, axis, mask_padding, rounds, groups):
    settings = small(routing_softmax=axis, mask_padding=mask_padding, routing_iterations=rounds)
    vectors, shares = dynamic_routing(maps[:, :groups], tf.constant(MASK), initial, settings)
    for user in range(2):
        of_each = np.repeat(maps[user, :groups], INTERESTS // groups, axis=0)
        expected, weights = routed_one_by_one(of_each, MASK[user], initial[user], rounds, axis, mask_padding)
        padded = axis == "sequence" and not mask_padding and user == 1
        totals = weights.sum(axis=0)[MASK[user]] if axis == "interests" else weights.sum(axis=1)
        assert (totals < 0.95).any() if padded else np.allclose(totals, 1)
        np.testing.assert_allclose(vectors[user], expected, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(shares[user], weights / weights.sum(axis=1, keepdims=True), rtol=1e-4, atol=1e-6)


def test_squash_keeps_the_direction_and_bounds_the_length():
    vectors = tf.Variable([[3.0, 4.0], [0.0, 0.0]])
    with tf.GradientTape() as tape:
        squashed = squash(vectors)
    np.testing.assert_allclose(squashed, [[0.6 * 25 / 26, 0.8 * 25 / 26], [0, 0]], rtol=1e-5)
    assert np.isfinite(tape.gradient(squashed, vectors)).all()


@pytest.mark.parametrize("axis", AXES)
def test_capsules_train_the_maps_through_the_last_sum_alone(maps, initial, axis):
    """Their gradient is that of squash(Σ c ê) with the weights of the last round as constants."""
    settings, mask = small(routing_softmax=axis), tf.constant(MASK)
    direction = tf.random.stateless_normal([2, INTERESTS, DIM], [1, 2])
    weights = np.stack(
        [routed_one_by_one(maps[u].numpy(), MASK[u], initial[u], 3, axis, True)[1] for u in range(2)]
    ).astype(np.float32)
    with tf.GradientTape(persistent=True) as tape:
        ours = tf.reduce_sum(direction * dynamic_routing(maps, mask, initial, settings)[0])
        expected = tf.reduce_sum(direction * squash(tf.einsum("bkl,bkld->bkd", weights, maps)))
    np.testing.assert_allclose(tape.gradient(ours, maps), tape.gradient(expected, maps), rtol=1e-4, atol=1e-5)


@BOTH
@pytest.mark.parametrize("recipe", RECIPES)
def test_routing_regularisation_trains_the_maps(model_type, recipe):
    """The released capsules hold their weights constant, and a penalty on those would do nothing."""
    base = {"model_type": model_type, "embedding_dim": 8, "max_history": 5, "num_interests": 3, "num_negatives": 7}
    settings = compose("toy", recipe, False, {**base, "sampler": "uniform", "rr_lambda": 100.0})
    model = MultiInterestModel(settings, num_items=10)
    model.compile(optimizer=tf.keras.optimizers.SGD(1.0))
    history = {"history": tf.constant([[1, 2, 3, 4, 5], [6, 7, 8, 0, 0]]), "target": tf.constant([4, 9])}

    def penalty() -> tf.Tensor:
        model.compute_loss(history)
        return tf.add_n(model.losses)

    with tf.GradientTape() as tape:
        before = penalty()
    (weight,) = (w for w in model.encoder.trainable_weights if "map" in w.name and "bias" not in w.name)
    gradient = tape.gradient(before, weight)
    assert np.abs(gradient).max() > 0
    weight.assign_sub(1e-3 * gradient / tf.norm(gradient))
    assert penalty() < before


@BOTH
def test_short_histories_have_fewer_interests_whose_copies_never_change_a_maximum(model_type):
    encoder = make_encoder(small(model_type, max_history=16, num_interests=4, adaptive_interests=True), seed=3)
    lengths, numbers = [0, 1, 3, 4, 7, 8, 15, 16], [1, 1, 1, 2, 2, 3, 3, 4]  # max(1, min(4, ⌊log₂ n⌋))
    embeddings = tf.random.stateless_normal([len(lengths), 16, DIM], [0, 1])
    interests = encoder(embeddings, tf.sequence_mask(lengths, 16))
    np.testing.assert_array_equal(interests.active, tf.sequence_mask(numbers, 4))
    for vectors, number in zip(interests.vectors, numbers, strict=True):
        scores = tf.matmul(vectors, embeddings[-1], transpose_b=True).numpy()  # [4, 16 items]
        np.testing.assert_allclose(scores.max(axis=0), scores[:number].max(axis=0), rtol=1e-6)


@pytest.mark.parametrize("axis", AXES)
def test_interests_that_a_user_does_not_have_take_no_part_in_the_routing(maps, initial, axis):
    settings, mask = small(routing_softmax=axis), tf.constant(MASK)
    all_of_them = dynamic_routing(maps, mask, initial, settings, tf.sequence_mask([2, 2], INTERESTS))
    two = dynamic_routing(maps[:, :2], mask, initial[:, :2], small(routing_softmax=axis, num_interests=2))
    for ours, expected in zip(all_of_them, two, strict=True):
        np.testing.assert_allclose(ours[:, :2], expected, rtol=1e-5, atol=1e-6)


def test_mind_draws_its_logits_anew_in_training_and_once_for_serving():
    encoder = make_encoder(small("MIND"), seed=3)
    embeddings = tf.repeat(tf.random.stateless_normal([1, LENGTH, DIM], [0, 1]), 2, axis=0)
    mask = tf.ones([2, LENGTH], tf.bool)
    served = encoder(embeddings, mask).vectors
    np.testing.assert_allclose(served[0], served[1], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(served, encoder(embeddings, mask).vectors)
    first, second = (encoder(embeddings, mask, tf.constant([7, step])).vectors for step in (0, 1))
    for one, other in ((first[0], first[1]), (first, second), (first, served)):
        assert np.abs(one - other).max() > 1e-3
    logits = encoder.initial_logits(tf.ones([100, LENGTH], tf.bool), tf.constant([7, 0]))
    assert float(tf.math.reduce_std(logits)) == pytest.approx(1, abs=0.1)


def test_minds_output_layer_stands_on_the_capsules():
    encoder = make_encoder(small("MIND", relu_layer=True), seed=3)
    interests = encoder(tf.random.stateless_normal([2, LENGTH, DIM], [0, 1]), tf.constant(MASK))
    np.testing.assert_allclose(
        interests.vectors, tf.nn.relu(interests.capsules @ encoder.output_layer.kernel), rtol=1e-5, atol=1e-6
    )


def test_minds_output_layer_reads_each_capsule_and_the_profile():
    encoder = make_encoder(small("MIND", read_profile="concat"), 3, (2, 3))
    profile = tf.constant([[1, 3], [2, 0]])
    interests = encoder(tf.random.stateless_normal([2, LENGTH, DIM], [0, 1]), tf.constant(MASK), profile=profile)
    told = np.repeat(encoder.profile(profile)[:, np.newaxis], interests.capsules.shape[1], axis=1)
    read = np.concatenate([interests.capsules, told], axis=2)
    np.testing.assert_allclose(
        interests.vectors, np.maximum(read @ encoder.output_layer.kernel.numpy(), 0), rtol=1e-5, atol=1e-6
    )


def test_drs_maps_belong_to_the_slot_and_start_with_the_chosen_spread():
    encoder = make_encoder(small(), seed=3)
    embeddings = tf.random.stateless_normal([1, LENGTH, DIM], [0, 1])
    mask = tf.ones([1, LENGTH], tf.bool)
    backwards = encoder(embeddings[:, ::-1], mask).vectors
    assert np.abs(encoder(embeddings, mask).vectors - backwards).max() > 1e-3
    for map_fan_in, fan_in in (("item", 32), ("tensor", 20 * 4 * 32 * 32)):
        wide = encoder_settings(model_type="DR", embedding_dim=32, map_fan_in=map_fan_in)
        assert float(tf.math.reduce_std(make_encoder(wide, seed=3).maps)) == pytest.approx(
            (2 / fan_in) ** 0.5, rel=0.02
        )


@BOTH
def test_an_empty_history_has_zero_interests(model_type):
    for axis in AXES:
        encoder = make_encoder(small(model_type, routing_softmax=axis), seed=3)
        interests = encoder(tf.ones([2, LENGTH, DIM]), tf.zeros([2, LENGTH], tf.bool))
        assert not interests.vectors.numpy().any() and not interests.routing.numpy().any()


@pytest.mark.trains
@pytest.mark.parametrize("axis", AXES)
def test_dr_learns_which_items_go_together(axis):
    """Five groups of six items: from five of a group, in any order, follows the sixth."""
    generator = np.random.default_rng(0)
    items = np.stack([1 + group + 5 * generator.permutation(6) for group in np.arange(1200) % 5]).astype(np.int32)
    settings = small(embedding_dim=8, max_history=5, routing_softmax=axis)
    model = MultiInterestModel(Settings(encoder=settings).replace(num_negatives=15), num_items=30)
    model.compile(optimizer=tf.keras.optimizers.Adam(0.02))
    trained = tf.data.Dataset.from_tensor_slices({"history": items[:1000, :5], "target": items[:1000, 5]})
    model.fit(trained.batch(100).repeat(), steps_per_epoch=300, verbose=0)
    scores = tf.einsum("bkd,id->bki", model.interests(items[1000:, :5]), model.item_table[1:])
    best = tf.math.top_k(tf.reduce_max(scores, axis=1), 6).indices + 1  # [200, 6]
    found = (best == items[1000:, 5:]).numpy().any(axis=1).mean()
    assert found >= 0.9
