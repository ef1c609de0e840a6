"""Re4's backward losses, against the same term by term in 64 bits."""

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.encoders import make_encoder
from remi_tf.encoders.base import Interests
from remi_tf.model import MultiInterestModel
from remi_tf.objective.re4_losses import BackwardFlow
from remi_tf.settings.encoders import encoder_settings
from remi_tf.settings.settings import Settings

BATCH, INTERESTS, LENGTH, DIM = 3, 2, 4, 3
MASK = np.arange(LENGTH) < np.array([[4], [2], [3]])


@pytest.fixture
def case():
    """History rows (something on padding, too), and interests with a routing."""
    generator = np.random.default_rng(0)
    items = generator.normal(size=(BATCH, LENGTH, DIM)).astype(np.float32)
    routing = np.where(MASK[:, np.newaxis], generator.random((BATCH, INTERESTS, LENGTH)), 0)
    routing = (routing / routing.sum(axis=2, keepdims=True)).astype(np.float32)
    capsules = generator.normal(size=(BATCH, INTERESTS, DIM)).astype(np.float32)
    vectors = tf.constant(generator.normal(size=capsules.shape), tf.float32)
    return items, Interests(vectors, tf.constant(routing), capsules=tf.constant(capsules))


def layer(*weights: float) -> BackwardFlow:
    return BackwardFlow(*weights, DIM, LENGTH, seed=1)


def softmax(logits):
    return np.exp(logits) / np.exp(logits).sum()


def cosine(a, b):
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


def attend(items, interests):
    """Mean over users and interests of the cross-entropy of the routing against softmax(V Xᵀ)."""
    entropies = []
    for b in range(BATCH):
        n = MASK[b].sum()
        for v, a in zip(interests.capsules[b].numpy(), interests.routing[b].numpy(), strict=True):
            entropies.append(-softmax(items[b, :n] @ v) @ np.log(a[:n]))
    return np.mean(entropies)


def contrast(items, interests):
    """−log share of each item of an interest, over the user's items, other interests and the next user's items."""
    total = 0.0
    for b in range(BATCH):
        n, following = MASK[b].sum(), (b + 1) % BATCH
        for k, v in enumerate(interests.capsules[b].numpy().astype(np.float64)):
            others = [cosine(v, w) for j, w in enumerate(interests.capsules[b].numpy()) if j != k]
            strangers = [cosine(v, x) for x in items[following, : MASK[following].sum()]]
            own = [cosine(v, x) for x in items[b, :n]]
            denominator = np.exp(np.array([*own, *others, *strangers]) / 0.02).sum()
            for c, a in zip(own, interests.routing[b, k].numpy(), strict=False):
                total -= np.log(np.exp(c / 0.02) / denominator) if a > 1 / n else 0
    return total / (BATCH * INTERESTS * LENGTH)


def construct(items, interests, flow):
    """Squared error of each item of an interest against what the expanded interest makes of its slot."""
    expand, bias, hidden, slots, output = (weight.numpy().astype(np.float64) for weight in flow.trainable_variables)
    total = 0.0
    for b in range(BATCH):
        n = MASK[b].sum()
        for v, a in zip(interests.capsules[b].numpy(), interests.routing[b].numpy(), strict=True):
            pseudo = (v @ expand + bias).reshape(LENGTH, DIM)
            for slot in range(n):
                weights = softmax(np.tanh(pseudo[:n] @ hidden) @ slots[slot])
                error = weights @ pseudo[:n] @ output - items[b, slot]
                total += error @ error if a[slot] > 1 / n else 0
    return total / (BATCH * INTERESTS * LENGTH * DIM)


def test_each_loss_is_the_papers_sum_over_items_that_are_not_padding(case):
    items, interests = case
    for flow, expected in (
        (layer(1, 0, 0), attend(items, interests)),
        (layer(0, 1, 0), contrast(items, interests)),
        (layer(0, 0, 1), construct(items, interests, layer(0, 0, 1))),
    ):
        assert float(flow(tf.constant(items), tf.constant(MASK), interests)) == pytest.approx(expected, rel=1e-5)


def test_the_losses_are_weighted_and_arrive_by_add_loss(case):
    items, interests = case
    flow = layer(0.5, 2, 3)
    value = float(flow(tf.constant(items), tf.constant(MASK), interests))
    parts = attend(items, interests), contrast(items, interests), construct(items, interests, flow)
    assert value == pytest.approx(np.dot([0.5, 2, 3], parts), rel=1e-5)
    assert [float(loss) for loss in flow.losses] == [value]


def test_neither_what_padding_holds_nor_how_much_there_is_changes_losses_or_gradients(case):
    items, interests = case
    flow, noise = layer(1, 1, 1), np.where(MASK[..., np.newaxis], items, 1e3)
    short = slice(0, 3)
    shorter = interests._replace(routing=interests.routing[1:, :, short], capsules=interests.capsules[1:])
    for (a, mask_a, on_a), (b, mask_b, on_b) in (
        ((items, MASK, interests), (noise, MASK, interests)),
        ((items[1:], MASK[1:], interests._replace(routing=interests.routing[1:], capsules=interests.capsules[1:])),
         (items[1:, short], MASK[1:, short], shorter)),
    ):  # fmt: skip
        values = []
        for rows, mask, on in ((a, mask_a, on_a), (b, mask_b, on_b)):
            with tf.GradientTape() as tape:
                tape.watch(on.capsules)
                value = flow(tf.constant(rows, tf.float32), tf.constant(mask), on)
            values.append(np.concatenate([[value], np.ravel(tape.gradient(value, on.capsules))]))
        np.testing.assert_allclose(*values, rtol=1e-4, atol=1e-5)


def test_an_interest_that_a_user_does_not_have_takes_no_part(case):
    items, interests = case
    flow = layer(1, 1, 1)
    one = Interests(interests.vectors[:, :1], interests.routing[:, :1], capsules=interests.capsules[:, :1])
    active = tf.constant([[True, False]] * BATCH)
    with_inactive = float(flow(tf.constant(items), tf.constant(MASK), interests._replace(active=active)))
    attend_alone = float(layer(1, 0, 0)(tf.constant(items), tf.constant(MASK), one))
    alone = float(flow(tf.constant(items), tf.constant(MASK), one))
    assert with_inactive == pytest.approx(attend_alone + (alone - attend_alone) / 2, rel=1e-5)  # of twice the cells


def test_gradients_stay_finite_with_opposite_cosines_vanishing_routing_and_empty_histories():
    items = tf.constant([[[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, 0, 1]], [[0.0, 1, 0]] * 4])
    mask = tf.constant([[True] * 4, [False] * 4])
    logits = tf.Variable([[[0.0, 200, 0, 0], [0, 0, 300, 0]], [[0.0] * 4] * 2])
    vectors = tf.Variable([[[1.0, 0, 0], [1, 0, 0]], [[0.0] * 3] * 2])
    flow = layer(1, 1, 1)
    with tf.GradientTape() as tape:
        loss = flow(items, mask, Interests(vectors, tf.nn.softmax(logits) * tf.cast(mask, tf.float32)[:, tf.newaxis]))
    gradients = tape.gradient(loss, [logits, vectors, *flow.trainable_variables])
    assert np.isfinite(loss) and all(np.isfinite(gradient).all() for gradient in gradients)
    assert np.abs(gradients[1][0]).max() > 0


def test_it_works_on_an_encoder_without_an_output_layer_and_changes_its_routing():
    settings = encoder_settings(embedding_dim=DIM, max_history=LENGTH, num_interests=INTERESTS)
    encoder, items = make_encoder(settings, seed=2), tf.random.stateless_normal([BATCH, LENGTH, DIM], [1, 2])
    for weights in np.eye(3):
        with tf.GradientTape() as tape:
            loss = layer(*weights)(items, tf.constant(MASK), encoder(items, tf.constant(MASK)))
        for gradient in tape.gradient(loss, encoder.trainable_variables):
            assert np.abs(gradient).max() > 0


def test_a_loss_of_weight_zero_is_not_computed(case):
    items, interests = case
    assert layer(1, 1, 0).weights == []
    graph = tf.function(
        lambda: layer(1, 0, 0)(tf.constant(items), tf.constant(MASK), interests)
    ).get_concrete_function()
    products = [operation.type for operation in graph.graph.get_operations()].count("BatchMatMulV2")
    assert products == 1


@pytest.mark.parametrize("model_type", ["SA", "Re4"])
def test_the_model_trains_and_reports_them(model_type):
    small = {"embedding_dim": 8, "max_history": 5, "num_negatives": 3, "model_type": model_type}
    weights = {"re4_attend": 1.0, "re4_contrast": 0.1, "re4_construct": 0.1}
    model = MultiInterestModel(Settings().replace(**small, **weights), num_items=10)
    batch = {"history": tf.constant([[1, 2, 3, 0, 0], [4, 5, 6, 7, 8]]), "target": tf.constant([4, 9])}
    with tf.GradientTape() as tape:
        model.compute_loss(batch, training=True)
        added = sum(model.losses)
    assert model.loss_parts == ("softmax", "re4")
    assert model.read_loss_sums()[0]["re4"] == pytest.approx(float(added)) and float(added) > 0
    assert all(gradient is not None for gradient in tape.gradient(added, model.backward_flow.trainable_variables))
    assert "re4" not in MultiInterestModel(Settings().replace(**small), num_items=10).loss_parts


def test_an_interest_that_reads_one_item_of_one_has_no_positive_for_the_softmaxs_rounding():
    """1/n is even: not above it. A softmax may give a little more than 1."""
    routing = tf.constant([[[np.nextafter(np.float32(1), np.float32(2)), 0, 0, 0]]])
    items, mask = tf.ones([1, LENGTH, DIM]), tf.constant([[True, False, False, False]])
    assert float(layer(0, 1, 1)(items, mask, Interests(tf.ones([1, 1, DIM]), routing))) == 0


def test_under_float16_routing_that_underflows_neither_swamps_the_loss_nor_breaks_its_gradient():
    """A weight that float16 holds as 0 counts as 1e-4, in the model as in the layer."""
    settings = Settings().replace(embedding_dim=8, max_history=5, num_negatives=3, re4_attend=1.0)
    tf.keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        model = MultiInterestModel(settings, num_items=10)
        batch = {"history": tf.constant([[1, 2, 3, 4, 5]]), "target": tf.constant([4])}
        model.compute_loss(batch)
        model.encoder.logits.kernel.assign(200 * model.encoder.logits.kernel)
        model.reset_loss_sums()
        with tf.GradientTape() as tape:
            model.compute_loss(batch, training=True)
            added = sum(model.losses)
        routing = model.encode(batch["history"]).routing.numpy()
        gradients = tape.gradient(added, model.trainable_variables)
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")
    assert (routing == 0).any()
    assert 0 < float(added) <= -np.log(1e-4)
    assert all(np.isfinite(tf.convert_to_tensor(gradient)).all() for gradient in gradients)
