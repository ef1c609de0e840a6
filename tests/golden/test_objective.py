"""Losses, penalties, readouts and negatives against their equations in plain NumPy, with gradients."""

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.encoders.base import Interests
from remi_tf.model import MultiInterestModel
from remi_tf.objective.example import Example
from remi_tf.objective.losses import LOSSES
from remi_tf.objective.negatives import LogUniformNegatives, Negatives, TargetShares
from remi_tf.objective.readout import READOUTS
from remi_tf.objective.regularizers import RepresentationRegularizer, RoutingRegularizer
from remi_tf.objective.remi_loss import sampled_softmax
from remi_tf.settings.presets import compose
from remi_tf.settings.settings import Settings
from tests.golden import generate

SEED = tf.constant([1, 2])


def close(ours, expected, what: str = "") -> None:
    np.testing.assert_allclose(tf.convert_to_tensor(ours), expected, rtol=1e-4, atol=1e-5, err_msg=what)


def variables(golden, *names: str) -> dict[str, tf.Variable]:
    return {name: tf.Variable(golden[f"in.{name}"]) for name in names}


def compare(golden, inputs: dict[str, tf.Variable], function) -> None:
    """The total that `function()` gives of these inputs, and its gradient in each."""
    with tf.GradientTape() as tape:
        total = function()
    close(total, golden["out.total"], "total")
    for name, gradient in tape.gradient(total, inputs).items():
        close(gradient, golden[f"grad.{name}"], name)


def settings(**values) -> Settings:
    return Settings().replace(
        **{"embedding_dim": 4, "max_history": 5, "num_interests": 2, "sampler": "uniform", **values}
    )


def example(golden, inputs: dict[str, tf.Variable], negatives: Negatives, **values) -> Example:
    """A step whose history only the losses that read it are given."""
    fields = {
        "history": None,
        "history_rows": None,
        "target": tf.constant(golden["in.target_ids"]),
        "target_rows": inputs.get("targets"),
        "negatives": negatives,
        "negative_rows": inputs.get("negatives"),
        "interests": Interests(inputs.get("interests")),
        "seed": SEED,
    }
    return Example(**{**fields, **values})


@pytest.mark.parametrize("place", range(5))
def test_ihn_at_each_beta_with_and_without_the_gradient_of_its_weights(place):
    golden = generate.load("ihn")
    inputs, beta = variables(golden, "positive", "negatives"), float(golden["in.betas"][place])
    for kind, detached in (("attached", False), ("detached", True)):
        with tf.GradientTape() as tape:
            losses = sampled_softmax(*inputs.values(), beta=beta, stop_gradient_weights=detached)
        to_positive, to_negatives = tape.gradient(losses, list(inputs.values()))
        close(losses, golden["out.losses"][place], kind)
        close(to_positive, golden["out.gradient_positive"][place], kind)
        close(to_negatives, golden[f"out.gradient_{kind}"][place], kind)
    losses = sampled_softmax(*inputs.values(), excluded=tf.constant(golden["in.excluded"] > 0), beta=beta)
    close(losses, golden["out.losses_without_excluded"][place])


@pytest.mark.parametrize("form", ["sum", "mean", "valid"])
def test_routing_regularisation_in_each_reduction(form):
    golden = generate.load(f"rr_{form}")
    inputs, mask = variables(golden, "routing"), tf.sequence_mask(golden["in.lengths"], 5)
    penalty = RoutingRegularizer(100.0, 8, form)
    with tf.GradientTape() as tape:
        total = penalty(inputs["routing"], mask)
    close(total, golden["out.total"])
    ours = tape.gradient(total, inputs["routing"]).numpy()
    counted = mask[:, tf.newaxis] if form == "valid" else True  # there the equations do not read padding
    close(np.where(counted, ours, 0), golden["grad.routing"])


@pytest.mark.parametrize("form", ["covariance", "cosine"])
def test_the_penalty_on_interests_that_are_alike(form):
    golden = generate.load(f"rep_{form}")
    inputs = variables(golden, "vectors")
    compare(golden, inputs, lambda: RepresentationRegularizer(2.0, form)(inputs["vectors"]))


@pytest.mark.parametrize("kind", ["hard", "scale", "power", "per_candidate", "logsumexp"])
def test_readouts_give_the_scores_of_their_equations(kind):
    golden = generate.load(f"readout_{kind}")
    inputs = variables(golden, "interests", "targets", "negatives")
    options = {
        "scale": {"readout": "label_aware", "label_power": 2.0},
        "power": {"readout": "label_aware", "label_power": 3.0, "label_attention": "power"},
    }
    values = settings(**options.get(kind, {"readout": kind}))
    readout = READOUTS[values.objective.readout](values, 0)

    def scores():
        return readout(Interests(inputs["interests"]), inputs["targets"], inputs["negatives"], SEED)

    for ours, name in zip(scores(), ("positive", "negative"), strict=True):
        close(ours, golden[f"out.{name}"], name)
    compare(golden, inputs, lambda: tf.reduce_mean(sampled_softmax(*scores())))


def test_sampled_interests_are_drawn_as_often_as_their_equation_says():
    golden, copies = generate.load("readout_sampled"), 20_000
    interests, targets, negatives = (golden[f"in.{name}"] for name in ("interests", "targets", "negatives"))
    readout = READOUTS["sampled"](settings(readout="sampled", correlation_scale=1.5), 0)
    rows = [tf.constant(np.repeat(part, copies, axis=0)) for part in (interests, targets)]
    positive, negative = readout(Interests(rows[0]), rows[1], tf.constant(negatives), SEED)
    everyone = np.column_stack([positive, negative]).reshape(len(targets), copies, -1)
    for user, drawn in enumerate(everyone):
        of_each = interests[user] @ np.vstack([targets[user], negatives]).T  # [K, 1 + N]
        distances = np.abs(drawn[:, np.newaxis] - of_each).max(axis=2)  # one interest answers for all candidates
        assert distances.min(axis=1).max() < 1e-4
        shares = np.bincount(distances.argmin(axis=1), minlength=2) / copies
        np.testing.assert_allclose(shares, golden["out.chances"][user], atol=0.015)


def test_mtmis_triplets_and_repel():
    golden = generate.load("mtmi")
    inputs = variables(golden, "interests", "targets", "negatives")
    loss = LOSSES["idw"](settings(loss="idw", idw_alpha=2.0, idw_margin=0.4, idw_repel=0.5), 0)
    batch = example(golden, inputs, Negatives(tf.constant(golden["in.negative_ids"])))
    close(tf.stack(loss(batch)), golden["out.parts"])
    compare(golden, inputs, lambda: tf.add_n(loss(batch)))


def test_the_log_uniform_correction_is_by_expected_counts():
    golden = generate.load("log_uniform")
    options = SimpleNamespace(padding_is_negative=False, num_negatives=6)
    drawn = LogUniformNegatives(options, TargetShares(10), seed=1)(tf.range(1, 11), tf.constant(3))
    expected = np.log(golden["out.expected_counts"])  # [tries, rank]
    (row,) = np.flatnonzero(
        np.abs(expected - drawn.log_q(tf.range(1, 11))).max(axis=1) < 1e-4
    )  # that many tries it took
    assert golden["in.tries"][row] >= 6
    close(drawn.log_q(drawn.ids), expected[row][drawn.ids.numpy() - 1])

    inputs = variables(golden, "interests", "targets", "negatives")
    ids = golden["in.negative_ids"]
    after_nine_tries = tf.constant(expected[8])
    batch = example(golden, inputs, Negatives(tf.constant(ids), lambda ids: tf.gather(after_nine_tries, ids - 1)))
    compare(golden, inputs, lambda: tf.add_n(LOSSES["softmax"](settings(readout="hard"), 0)(batch)))


def test_the_full_softmax_is_over_all_items():
    golden = generate.load("full_softmax")
    inputs = variables(golden, "interests", "table")
    loss = LOSSES["softmax"](settings(sampler="full"), 0)

    def total():
        table = tf.convert_to_tensor(inputs["table"])
        rows = {"target_rows": tf.gather(table, golden["in.target_ids"]), "negative_rows": table}
        return tf.add_n(loss(example(golden, inputs, Negatives(None), **rows)))

    compare(golden, inputs, total)


def test_sasrecs_loss_is_of_every_position():
    golden = generate.load("pointwise")
    inputs, history = variables(golden, "states", "table"), golden["in.history"]

    def total():
        table = tf.convert_to_tensor(inputs["table"])
        negatives = golden["in.negative_ids"]
        rows = {"history_rows": history, "target_rows": golden["in.target_ids"], "negative_rows": negatives}
        rows = {name: tf.gather(table, ids) for name, ids in rows.items()}
        interests = Interests(inputs["states"][:, -1:], states=inputs["states"])
        batch = example(golden, {}, Negatives(tf.constant(negatives)), history=history, interests=interests, **rows)
        return tf.add_n(LOSSES["bce"](settings(loss="bce", model_type="SASRec", num_interests=1), 0)(batch))

    compare(golden, inputs, total)


def test_the_whole_of_remi_under_the_released_recipe():
    golden = generate.load("remi")
    sizes = {"embedding_dim": 4, "max_history": 5, "num_interests": 2}
    model = MultiInterestModel(
        compose("toy", "released", False, {"model_type": "SA", **sizes, "beta": 1.0, "rr_lambda": 100.0}), num_items=10
    )
    model.interests(tf.zeros([1, 5], tf.int32))
    encoder = model.encoder
    weights = {
        "table": model.item_table,
        "positions": encoder.positions,
        "hidden": encoder.hidden.kernel,
        "logits": encoder.logits.kernel,
    }
    for name, variable in weights.items():
        variable.assign(golden[f"w.{name}"])
    model.sampler = lambda target, step: Negatives(tf.constant(golden["in.negative_ids"]))
    batch = {"history": tf.constant(golden["in.history"]), "target": tf.constant(golden["in.target_ids"])}
    compare(golden, weights, lambda: model.compute_loss(batch, training=True) + tf.add_n(model.losses))
