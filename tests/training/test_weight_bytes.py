"""Weights that are never made have the sizes of those that are."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.data.dataset.folder import load_dataset
from remi_tf.settings.encoders import ENCODERS
from remi_tf.settings.presets import compose
from remi_tf.training.new_model import new_model
from remi_tf.training.run_folder import build
from remi_tf.training.weight_bytes import features_bytes, weight_bytes
from tests.featured_runs import prepared

TRAINED = [name for name, entry in ENCODERS.items() if not entry.counted and "profile" not in name and name != "UMI"]


def nbytes(variables) -> int:
    return sum(variable.numpy().nbytes for variable in variables)


def made(settings, dataset):
    model = new_model(settings, dataset, lambda: np.ones(dataset.num_items + 1))
    build(model)
    return model


def settings_of(dataset, **values):
    has_features = dataset.features is not None
    return compose("toy", "default", False, {"num_negatives": 5, **values}, dataset.num_items, 0.0, has_features)


@pytest.mark.parametrize("model_type", TRAINED)
def test_every_models_weights_have_the_size_of_real_ones(toy_dataset, model_type):
    dataset = load_dataset(toy_dataset)
    settings = settings_of(dataset, model_type=model_type, embedding_dim=8)
    model, found = made(settings, dataset), weight_bytes(settings, dataset)
    assert found.items == 61 * 8 * 4
    assert found.trained == nbytes(model.trainable_variables)
    assert found.trained + found.others == nbytes(model.variables)
    assert found.largest == max(variable.numpy().nbytes for variable in model.trainable_variables)


def test_weights_that_only_the_loss_has_are_not_among_the_best(toy_dataset):
    dataset = load_dataset(toy_dataset)
    settings = settings_of(dataset, model_type="Re4", embedding_dim=8)
    found, model = weight_bytes(settings, dataset), made(settings, dataset)
    assert found.loss == nbytes(model.backward_flow.trainable_variables) > 0


def test_the_memory_of_a_sampler_is_saved_with_the_weights(toy_dataset):
    dataset = load_dataset(toy_dataset)
    plain = settings_of(dataset, model_type="SA", sampler="uniform")
    srns = settings_of(dataset, model_type="SA", sampler="srns")
    assert weight_bytes(srns, dataset).others - weight_bytes(plain, dataset).others == 61 * 2 * 4


@pytest.mark.parametrize("item_tower", ["sum", "mlp"])
def test_a_towers_weights_and_what_it_knows_have_their_sizes(tmp_path_factory, item_tower):
    dataset = load_dataset(prepared(tmp_path_factory.mktemp("featured")))
    settings = settings_of(dataset, model_type="SA", embedding_dim=8, item_tower=item_tower)
    model, found = made(settings, dataset), weight_bytes(settings, dataset)
    assert found.items == model.items.id_table.numpy().nbytes
    assert found.tower == nbytes(model.items.tower.trainable_variables)
    assert found.trained == nbytes(model.trainable_variables)
    assert found.finished == model.item_table.numpy().nbytes
    assert found.trained + found.others == nbytes(model.variables)
    known = model.items.tower._known
    tensors = [known.codes, known.offsets, *known.vectors.values()]
    assert features_bytes(dataset.features) == sum(tensor.numpy().nbytes for tensor in tensors)


def test_a_catalogue_that_no_machine_could_hold_is_sized_without_memory(toy_dataset):
    huge = dataclasses.replace(load_dataset(toy_dataset), num_items=10**12)
    found = weight_bytes(settings_of(huge, model_type="DNN", sampler="uniform", embedding_dim=64), huge)
    assert found.items == (10**12 + 1) * 64 * 4
    assert tf.executing_eagerly()
