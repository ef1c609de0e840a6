"""The floor of a step: its shapes by hand, and that it computes them."""

import dataclasses
import math
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import op_callbacks

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
import encoders
import floor
from floor_shapes import FLOORS, Activation, Product, Sizes, floor_of
from systems import settings_of

from remi_tf.model import MultiInterestModel
from remi_tf.settings.encoders import ENCODERS
from remi_tf.training.run_folder import build


def work_of(flags: str):
    settings = settings_of(flags.split(), "random")
    return floor_of(settings, Sizes.of(settings, negatives=1280, items_read=1500, columns=3))


def flops(flags: str) -> int:
    return sum(each.flops for each in work_of(flags) if isinstance(each, Product))


def test_a_product_counts_its_passes():
    assert Product(2, 3, 5).flops == 3 * (2 * 2 * 3 * 5)
    assert Product(2, 3, 5, count=7, rounds=11, backward=0).flops == 7 * 11 * (2 * 2 * 3 * 5)


def test_the_floor_of_sa_by_hand():
    # 128 users, 20 items, 4 interests of 64 numbers, 1280 negatives
    hidden = 128 * 20 * 64 * 256
    logits = 128 * 20 * 256 * 4
    mixed = 128 * 4 * 20 * 64
    scores = 128 * 64 * 1280
    assert flops("SA") == 2 * 3 * (hidden + logits + mixed + scores)
    activations = [(each.function, each.rows * each.columns) for each in work_of("SA") if isinstance(each, Activation)]
    assert activations == [("tanh", 128 * 20 * 256), ("softmax", 128 * 4 * 20), ("exp", 128 * 1280)]


def test_remi_scores_every_interest_and_convolves_three_items():
    hidden = 128 * 20 * 64 * 256
    logits = 128 * 20 * 256 * 4
    mixed = 3 * 128 * 4 * 20 * 64
    convolved = 4 * 128 * (3 * 64) * 64
    scores = 128 * 4 * 64 * 1280
    alike = 128 * 4 * 64 * 4
    assert flops("SA --remi") == 2 * 3 * (hidden + logits + mixed + convolved + scores + alike)
    functions = {
        each.function: each.rows * each.columns for each in work_of("SA --remi") if isinstance(each, Activation)
    }
    assert functions["exp"] == 128 * 1280  # after the maximum over the interests


def test_models_by_every_position_score_the_real_items_only():
    scored = [each for each in work_of("GRU4REC") if isinstance(each, Product) and each.columns == 1280]
    assert scored == [Product(1500, 64, 1280)]
    rounds = [each for each in work_of("GRU4REC") if each.rounds > 1 and isinstance(each, Product)]
    assert rounds == [Product(128, 128, 3 * 128, rounds=20)]
    assert flops("GRU4REC --targets last") < flops("GRU4REC")


def test_every_trained_encoder_has_a_floor_that_grows_with_the_batch():
    assert set(FLOORS) == {name for name, entry in ENCODERS.items() if not entry.counted}
    for name in FLOORS:
        settings = settings_of([name], "random")
        small = Sizes.of(settings, 1280, 1500, 3)
        large = dataclasses.replace(small, B=2 * small.B, positions=2 * small.positions)
        one, two = (
            sum(each.flops for each in floor_of(settings, sizes) if isinstance(each, Product))
            for sizes in (small, large)
        )
        assert 0 < one < two <= 2 * one


def multiplied(operation, inputs, attributes, output) -> int:
    """Multiplications and additions of a matrix product as TensorFlow runs it; 0 of other operations."""
    operation = tf.compat.as_str(operation)  # the forward pass and the backward pass name it differently
    if operation == "Einsum":
        equation = tf.compat.as_str(attributes[attributes.index("equation") + 1])
        letters, sizes = equation.split("->")[0].split(","), {}
        for names, each in zip(letters, inputs, strict=True):
            sizes |= dict(zip(names, each.shape, strict=True))
        return 2 * math.prod(sizes.values())
    if operation not in ("MatMul", "BatchMatMulV2"):
        return 0
    turned = attributes[attributes.index("transpose_a" if operation == "MatMul" else "adj_x") + 1]
    return 2 * math.prod(output.shape) * inputs[0].shape[-2 if turned else -1]


@pytest.mark.trains
@pytest.mark.parametrize("name", ["SA --remi", *FLOORS])
def test_a_floor_has_nearly_the_products_that_a_step_runs_and_no_more(name):
    settings = settings_of([*name.split(), "--batch_size", "16"], "random")
    model = MultiInterestModel(settings, 5000, encoders.PROFILE_SIZES)
    build(model)
    generator, counted = np.random.default_rng(0), []
    batch = {"history": tf.constant(generator.integers(1, 5000, (16, 20)), tf.int32)}
    batch |= {"target": tf.constant(generator.integers(1, 5000, 16), tf.int32)}
    batch |= {"days": tf.sort(tf.constant(generator.integers(0, 50, (16, 20)), tf.int32), axis=1)}
    batch |= {"profile": tf.constant(generator.integers(0, 3, (16, 3)), tf.int32)}

    def count(operation, inputs, attributes, outputs, op_name=None, graph=None):
        counted.append(multiplied(operation, inputs, attributes, outputs[0]) if outputs else 0)

    op_callbacks.add_op_callback(count)
    try:
        with tf.GradientTape() as tape:
            loss = model.compute_loss(batch, training=True) + sum(model.losses)
        tape.gradient(loss, model.trainable_variables)
    finally:
        op_callbacks.remove_op_callback(count)
    sizes = Sizes.of(settings, negatives=1280, items_read=16 * 20, columns=3)
    floor_flops = sum(each.flops for each in floor_of(settings, sizes) if isinstance(each, Product))
    assert 0.9 * sum(counted) < floor_flops <= sum(counted)


@pytest.mark.trains
def test_every_round_of_a_part_is_computed_and_gives_its_result():
    part = floor.Floor([Product(2, 3, 4, count=5, rounds=3), Product(2, 3, 4, backward=0), Activation("softmax", 2, 3)])
    shapes = [tuple(result.shape) for result in part._step()]
    assert shapes == 3 * [(5, 2, 4)] + 3 * [(5, 2, 3), (5, 3, 4)] + [(2, 4)] + 2 * [(2, 3)]
    assert part._run().shape == [len(shapes)] and part.round() > 0
