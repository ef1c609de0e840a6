"""What weights start from under the recipe comirec: TensorFlow's defaults, as ComiRec's release has them."""

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.model import MultiInterestModel
from remi_tf.settings.presets import compose
from remi_tf.training.run_folder import build

ITEMS, DIM, LENGTH, INTERESTS = 400, 16, 10, 4


def weights(model_type: str) -> dict[str, np.ndarray]:
    settings = compose("shop", "comirec", False, {"model_type": model_type, **SIZES}, ITEMS)
    model = MultiInterestModel(settings, ITEMS)
    build(model)
    return {variable.name.split(":")[0].split("encoder/")[-1]: variable.numpy() for variable in model.variables}


SIZES = {"embedding_dim": DIM, "max_history": LENGTH}


def assert_uniform(values: np.ndarray, rows: int, columns: int) -> None:
    """All of it within Glorot's limit, and as spread as a uniform draw."""
    limit = (6 / (rows + columns)) ** 0.5
    assert np.abs(values).max() <= limit
    assert values.std() == pytest.approx(limit / 3**0.5, rel=0.15)


@pytest.mark.parametrize("model_type", ["SA", "DR", "MIND", "DNN", "GRU4REC"])
def test_the_item_table_is_glorot_uniform(model_type):
    assert_uniform(weights(model_type)["item_table"], ITEMS + 1, DIM)


def test_the_dense_layers_of_sa_and_its_positions_are_glorot_uniform_with_biases_of_zero():
    found = weights("SA")
    assert_uniform(found["positions"], LENGTH, DIM)
    assert_uniform(found["hidden/kernel"], DIM, 4 * DIM)
    assert_uniform(found["logits/kernel"], 4 * DIM, INTERESTS)
    assert not found["hidden/bias"].any() and not found["logits/bias"].any()


def test_drs_maps_are_standard_normal():
    maps = weights("DR")["maps"]
    assert maps.std() == pytest.approx(1, rel=0.05) and np.abs(maps).max() > 3


def test_minds_logits_are_cut_at_two_deviations_in_training_and_outside():
    settings = compose("shop", "comirec", False, {"model_type": "MIND", **SIZES}, ITEMS)
    encoder = MultiInterestModel(settings, ITEMS).encoder
    drawn = encoder.initial_logits(tf.ones([50, LENGTH], tf.bool), tf.constant([1, 2])).numpy()
    for logits in (encoder.served_logits.numpy(), drawn):
        assert 0.5 < np.abs(logits).max() <= 2
    assert drawn.std() == pytest.approx(0.88, abs=0.03)  # of a normal that is cut at 2


def test_the_gru_starts_as_tensorflow_1s_unit_with_one_matrix_for_the_gates_and_one_for_the_candidate():
    found = weights("GRU4REC")
    for name in ("input_kernel", "recurrent_kernel"):
        gates, candidate = np.split(found[name], [2 * DIM], axis=-1)
        assert_uniform(gates, 2 * DIM, 2 * DIM)
        assert_uniform(candidate, 2 * DIM, DIM)
    assert (found["gate_bias"] == 1).all() and not found["candidate_bias"].any()
    assert "projection" not in found
