"""MTMI: K towers over one item table, each the single-vector model with weights of its own."""

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.encoders import make_encoder
from remi_tf.model import MultiInterestModel
from remi_tf.settings.presets import compose
from remi_tf.systems import recommend

PAIRS = {"MTMI-DNN": "DNN", "MTMI-GRU": "GRU4REC", "MTMI-Q2S": "Que2Search"}
SMALL = {"embedding_dim": 8, "max_history": 5}
BATCH = {"history": tf.constant([[1, 2, 3, 0, 0], [4, 5, 6, 7, 8]]), "target": tf.constant([4, 9])}


def settings_of(name: str, **values):
    return compose("any", "default", False, {"model_type": name, **SMALL, **values}, 10)


def one_tower(weight: np.ndarray, tower: int, name: str) -> np.ndarray:
    """A tower's share of a weight: the towers' axis is that of size 3, or the columns of a dense kernel."""
    if "towers/" in name:
        return np.split(weight, 3, axis=-1)[tower]
    return np.take(weight, [tower], axis=weight.shape.index(3))


@pytest.mark.parametrize("name", PAIRS)
def test_each_tower_is_the_single_vector_model_with_its_own_weights(name):
    embeddings = tf.constant(np.random.default_rng(1).normal(size=(3, 5, 8)), tf.float32)
    mask = tf.sequence_mask([5, 2, 1], 5)
    towers = make_encoder(settings_of(name, num_interests=3).encoder, seed=1)
    vectors = towers(embeddings, mask).vectors.numpy()
    assert np.abs(vectors[:, 0] - vectors[:, 1]).max() > 1e-2
    form = {"gru_projection": towers.settings.gru_projection} if name == "MTMI-GRU" else {}
    single = make_encoder(settings_of(PAIRS[name], **form).encoder, seed=1)
    single(embeddings, mask)
    for tower in range(3):
        for ours, theirs in zip(single.weights, towers.weights, strict=True):
            ours.assign(one_tower(theirs.numpy(), tower, theirs.name))
        np.testing.assert_allclose(single(embeddings, mask).vectors[:, 0], vectors[:, tower], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", PAIRS)
def test_mtmi_trains_by_inverse_distances(name):
    settings = settings_of(name)
    assert (settings.objective.loss, settings.objective.sampler) == ("idw", "uniform")
    model = MultiInterestModel(settings, num_items=10)
    assert model.loss_parts == ("idw", "repel") and np.isfinite(model.compute_loss(BATCH, training=True))


def test_items_are_ranked_by_the_cosine_to_the_nearest_tower():
    model = MultiInterestModel(settings_of("MTMI-DNN"), num_items=10)
    history, table = BATCH["history"], model.item_table.numpy()
    towers = model.encoder(tf.gather(model.item_table, history), history > 0).vectors.numpy()
    ids, scores = recommend(model, history, 10)
    for user in range(2):
        cosines = towers[user] @ table[1:].T / np.linalg.norm(table[1:], axis=1)
        nearest = (cosines / np.linalg.norm(towers[user], axis=1, keepdims=True)).max(axis=0)
        np.testing.assert_array_equal(ids[user], np.argsort(-nearest) + 1)
        np.testing.assert_allclose(scores[user], np.sort(nearest)[::-1], rtol=1e-5, atol=1e-6)
