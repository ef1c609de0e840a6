"""The model as it is trained: every switch of the objective reaches the loss, and the parts fit together."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.errors import InputError
from remi_tf.model import MultiInterestModel
from remi_tf.objective.negatives import Negatives
from remi_tf.settings.presets import compose
from remi_tf.settings.settings import Settings

BATCH = {
    "history": tf.constant([[1, 2, 3, 0, 0], [4, 5, 6, 7, 8], [9, 3, 0, 0, 0]]),
    "target": tf.constant([4, 9, 1]),
}
NEGATIVES = np.array([2, 4, 0, 9, 7, 7, 10])  # holds hits of rows 0 and 1, padding and a repeat
SMALL = {"embedding_dim": 8, "max_history": 5, "num_interests": 3, "num_negatives": 7, "sampler": "uniform"}


def model_with(**settings) -> MultiInterestModel:
    model = MultiInterestModel(Settings().replace(**{**SMALL, **settings}), num_items=10)
    model.sampler = lambda target, step: Negatives(tf.constant(NEGATIVES, tf.int32))
    return model


def losses(model: MultiInterestModel) -> tuple[float, float]:
    """Loss of the batch, and what add_loss adds."""
    return float(model.compute_loss(BATCH, training=True)), float(sum(model.losses))


def in_numpy(model: MultiInterestModel, beta: float, mask_hits: bool) -> float:
    """REMI's loss term by term, from the model's own interests."""
    table, rows = model.item_table.numpy().astype(np.float64), []
    for interests, target in zip(model.interests(BATCH["history"]).numpy(), BATCH["target"].numpy(), strict=True):
        chosen = interests[np.argmax(interests @ table[target])].astype(np.float64)
        ids = NEGATIVES[target != NEGATIVES] if mask_hits else NEGATIVES
        scores = table[ids] @ chosen
        weights = np.exp(beta * scores) / np.exp(beta * scores).mean()
        positive = np.exp(chosen @ table[target])
        rows.append(-np.log(positive / (positive + (weights * np.exp(scores)).sum())))
    return float(np.mean(rows))


@pytest.mark.parametrize("beta", [0.0, 1.0])
@pytest.mark.parametrize("mask_hits", [True, False])
def test_the_loss_is_remis_with_and_without_accidental_hits(beta, mask_hits):
    model = model_with(beta=beta, mask_accidental_hits=mask_hits)
    assert losses(model) == (pytest.approx(in_numpy(model, beta, mask_hits), rel=1e-5), 0.0)


def test_each_switch_changes_what_it_is_there_for():
    def gradient(**settings):
        model = model_with(beta=1.0, **settings)
        with tf.GradientTape() as tape:
            loss = model.compute_loss(BATCH) + sum(model.losses)
        return tf.convert_to_tensor(tape.gradient(loss, model.item_table)).numpy()

    plain = gradient()
    for switch in ({"stop_gradient_weights": False}, {"mask_accidental_hits": False}, {"rr_lambda": 100.0}):
        assert np.abs(gradient(**switch) - plain).max() > 1e-4, switch
    summed, mean = gradient(rr_lambda=100.0, rr_reduction="sum"), gradient(rr_lambda=100.0)
    assert np.abs(summed - mean).max() > 1e-4


def test_features_may_be_of_any_integer_type_and_those_needed_must_be_given():
    model = MultiInterestModel(Settings().replace(**{**SMALL, "model_type": "PIMI"}), num_items=10)
    days = np.array([[1, 2, 9, 0, 0], [4, 5, 6, 7, 8], [9, 9, 0, 0, 0]])
    wide, narrow = (model.interests(BATCH["history"], days=days.astype(t)) for t in (np.int64, np.int32))
    np.testing.assert_array_equal(wide, narrow)
    for features, given in (({}, "none"), ({"days": days, "profile": days}, "days, profile")):
        with pytest.raises(InputError, match=f"needs days, given: {given}"):
            model.interests(BATCH["history"], **features)


def test_padding_is_drawn_only_if_it_may_be_a_negative():
    for padding, smallest in ((False, 1), (True, 0)):
        model = MultiInterestModel(Settings().replace(**SMALL, padding_is_negative=padding), num_items=10)
        drawn = [model.sampler(BATCH["target"], tf.constant(step)).ids.numpy().min() for step in range(50)]
        assert min(drawn) == smallest


def test_the_plain_baseline_is_tensorflows_sampled_softmax_loss():
    settings = Settings().replace(**{**SMALL, "sampler": "log_uniform"})
    model = MultiInterestModel(settings, num_items=10)
    drawn = model.sampler(BATCH["target"], tf.constant(0))
    interests = model.interests(BATCH["history"])
    target = BATCH["target"]
    by_target = tf.einsum("bkd,bd->bk", interests, tf.gather(model.item_table, target))
    chosen = tf.gather(interests, tf.argmax(by_target, axis=1), batch_dims=1)
    expected = tf.nn.sampled_softmax_loss(
        model.item_table,
        tf.zeros([11]),
        tf.cast(target, tf.int64)[:, tf.newaxis],
        chosen,
        num_sampled=7,
        num_classes=11,
        sampled_values=(
            tf.cast(drawn.ids, tf.int64),
            tf.exp(drawn.log_q(target))[:, tf.newaxis],
            tf.exp(drawn.log_q(drawn.ids)),
        ),
    )
    assert losses(model)[0] == pytest.approx(float(tf.reduce_mean(expected)), rel=1e-5)


@pytest.mark.shared
@pytest.mark.parametrize(("beta", "rr_lambda"), [(0, 0), (1, 100), (10, 100)])
@pytest.mark.parametrize("name", ["remi_small", "remi_wide"])
def test_under_the_released_profile_loss_and_gradients_are_the_releases(shared_dir: Path, name, beta, rr_lambda):
    golden = np.load(shared_dir / "golden" / f"{name}.npz", allow_pickle=False)
    (num_interests, length), (rows, dim) = golden["attention"].shape[1:], golden["w.embeddings.weight"].shape
    options = {"embedding_dim": dim, "max_history": length, "num_interests": num_interests}
    losses = {"beta": float(beta), "rr_lambda": float(rr_lambda)} if rr_lambda else {}
    settings = compose("toy", "released", False, {"model_type": "SA", **options, **losses})
    model = MultiInterestModel(settings, num_items=rows - 1)
    model.interests(tf.zeros([1, length], tf.int32))
    encoder = model.encoder
    variables = [model.item_table, encoder.positions, encoder.hidden.kernel, encoder.logits.kernel]
    names = ["embeddings.weight", "position_embedding", "linear1.0.weight", "linear2.weight"]
    for variable, weight in zip(variables, names, strict=True):
        value = golden[f"w.{weight}"]
        variable.assign(value.T if weight.startswith("linear") else value.reshape(variable.shape))
    model.sampler = lambda target, step: Negatives(tf.constant(golden["negatives"], tf.int32))

    with tf.GradientTape() as tape:
        batch = {"history": tf.constant(golden["hist"], tf.int32), "target": tf.constant(golden["target"], tf.int32)}
        total = model.compute_loss(batch, training=True) + sum(model.losses)
    case = f"beta{beta}_lambda{rr_lambda}"
    np.testing.assert_allclose(total, golden[f"total.{case}"], rtol=1e-4, atol=1e-5)
    for weight, gradient in zip(names, tape.gradient(total, variables), strict=True):
        expected = golden[f"grad.{case}.{weight}"]
        ours = tf.convert_to_tensor(gradient).numpy()
        ours = ours.T if weight.startswith("linear") else ours.reshape(expected.shape)
        np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-5, err_msg=weight)


def test_weights_start_with_the_releases_spread():
    """Untruncated normal with std sqrt(2 / fan-in): the tails beyond two sigma are there."""
    model = MultiInterestModel(Settings(), num_items=2000)
    model.interests(tf.zeros([1, 20], tf.int32))
    encoder = model.encoder
    for weight, fan_in in (
        (model.item_table, 64),
        (encoder.positions, 20 * 64),
        (encoder.hidden.kernel, 64),
        (encoder.logits.kernel, 256),
    ):
        expected = np.sqrt(2 / fan_in)
        assert float(tf.math.reduce_std(weight)) == pytest.approx(expected, rel=0.1)
        assert np.abs(weight.numpy()).max() > 2.3 * expected


def test_the_loss_sums_tell_which_part_stopped_being_finite_and_when():
    model = model_with(rr_lambda=1.0)
    for softmax, rr in ((1.0, 0.5), (3.0, np.inf), (np.nan, np.nan)):
        model._record(tf.constant(softmax), tf.constant(rr))
    means, finite, steps = model.read_loss_sums()
    assert (finite, steps) == ({"softmax": 2, "rr": 1}, 3)
    model.reset_loss_sums()
    model._record(tf.constant(2.0), tf.constant(1.0))
    assert model.read_loss_sums() == ({"softmax": 2.0, "rr": 1.0}, {"softmax": 1, "rr": 1}, 1)
    assert np.isnan(means["softmax"])


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_under_a_16_bit_policy_loss_and_gradients_are_near_those_of_32_bits(policy):
    def step():
        model = model_with(beta=1.0, rr_lambda=100.0, re4_contrast=0.1)
        with tf.GradientTape() as tape:
            loss = model.compute_loss(BATCH, training=True) + sum(model.losses)
        return float(loss), tf.convert_to_tensor(tape.gradient(loss, model.item_table)).numpy()

    loss, gradient = step()
    tf.keras.mixed_precision.set_global_policy(policy)
    try:
        loss_16, gradient_16 = step()
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")
    assert loss_16 == pytest.approx(loss, rel=0.02) and loss_16 != loss
    assert np.abs(gradient_16 - gradient).max() < 0.05 * np.abs(gradient).max()


TWO_REPLICAS = """
import remi_tf, numpy as np, tensorflow as tf
two_cpus = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], two_cpus)
from remi_tf.settings.settings import Settings
from remi_tf.model import MultiInterestModel
from remi_tf.training.run_folder import build
common = {"sampler": "uniform", "num_negatives": 9, "embedding_dim": 8, "max_history": 5}
systems = {
    "REMI": {"beta": 1.0, "rr_lambda": 100.0},
    "REMI as released": {"beta": 1.0, "rr_lambda": 100.0, "rr_reduction": "sum"},
    "SINE": {"model_type": "SINE", "num_interests": 1, "num_concepts": 10, "concept_lambda": 10.0},
    "Re4": {"model_type": "Re4", "re4_attend": 1.0, "re4_construct": 1.0},
    "PIMI": {"model_type": "PIMI", "dropout": 0.0},
    "MTMI": {"model_type": "MTMI-Q2S", "loss": "idw"},
    "SASRec": {"model_type": "SASRec", "num_interests": 1, "loss": "bce", "dropout": 0.0},
}
generator = np.random.default_rng(0)
lengths = np.array([5, 1, 3, 2, 4, 4, 5, 5])
valid = np.arange(5) < lengths[:, np.newaxis]
history, days = (np.where(valid, generator.integers(1, 31, (8, 5)), 0).astype(np.int32) for _ in range(2))
batch = {"history": history, "target": np.arange(1, 9, dtype=np.int32), "days": np.sort(days)}
def trained(settings, strategy):
    with strategy.scope():
        model = MultiInterestModel(settings, 30)
        build(model)
        model.compile(optimizer=tf.keras.optimizers.SGD(1.0))
    before = [weight.numpy() for weight in model.trainable_variables]
    model.fit(tf.data.Dataset.from_tensors(batch), verbose=0)
    steps = [weight.numpy() - start for weight, start in zip(model.trainable_variables, before)]
    return steps, model.read_loss_sums()[0]
one_cpu, two_cpus = tf.distribute.OneDeviceStrategy("CPU:0"), tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
for name, chosen in systems.items():
    settings = Settings().replace(**common, **chosen)
    one, parts_of_one = trained(settings, one_cpu)
    two, parts_of_two = trained(settings, two_cpus)
    assert any(step.any() for step in one), name
    for left, right in zip(one, two):
        np.testing.assert_allclose(left, right, rtol=1e-3, atol=1e-5, err_msg=name)
    for part, value in parts_of_one.items():
        np.testing.assert_allclose(value, parts_of_two[part], rtol=1e-4, err_msg=f"{name} {part}")
    print(name, parts_of_one)
"""


@pytest.mark.slow
def test_two_replicas_make_the_step_that_one_makes():
    """Weights and loss parts. Re4 without its re-contrast loss, which looks at the next user of the same replica."""
    result = subprocess.run([sys.executable, "-c", TWO_REPLICAS], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr[-2000:]
    assert "concepts" in result.stdout  # SINE's penalty is told beside its loss


def test_penalties_on_the_encoders_weights_are_recorded_and_added_once():
    model = model_with(model_type="SINE", num_interests=1, num_concepts=10, concept_lambda=10.0)
    loss, added = losses(model)
    assert model.read_loss_sums()[0] == pytest.approx({"softmax": loss, "concepts": added}) and added > 0
    assert model_with(model_type="SINE", num_interests=1, concept_lambda=0.0).loss_parts == ("softmax",)


def test_routing_regularisation_leaves_out_interests_that_a_user_does_not_have():
    settings = {"model_type": "MIND", "adaptive_interests": True, "rr_lambda": 100.0}
    model = model_with(**settings)
    assert losses(model)[1] > 0
    seen = []

    def regularizer(routing, mask, active):
        seen.append(active.numpy().sum(axis=1))
        return tf.constant(0.0)

    model.routing_regularizer = regularizer
    losses(model)
    assert seen[0].tolist() == [1, 2, 1]  # histories of 3, 5 and 2 items
