"""The item tower: an item's vector is its row and what its features say, put together once for each distinct item."""

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.encoders.base import kaiming_normal
from remi_tf.errors import InputError
from remi_tf.item_tower import ItemTower, TowerItems
from remi_tf.model import MultiInterestModel
from remi_tf.settings.items import ItemSettings
from remi_tf.settings.settings import Settings
from tests.feature_toys import by_hand, toy_features

NUM_ITEMS, DIM = 10, 8
FEATURES = toy_features(NUM_ITEMS)
ROWS = tf.range(NUM_ITEMS + 1)


def randomized(layer: tf.keras.layers.Layer) -> tf.keras.layers.Layer:
    generator = np.random.default_rng(0)
    for weight in layer.trainable_weights:
        weight.assign(generator.normal(size=weight.shape))
    return layer


def test_the_tower_adds_the_means_of_each_columns_codes_and_projected_vectors():
    tower = randomized(ItemTower(FEATURES, DIM, hidden=False, seed=0))
    projections = {int(number): weight.numpy() for number, weight in tower.projections.items()}
    inside = by_hand(FEATURES, tower.code_table.numpy(), projections)
    np.testing.assert_allclose(tower(ROWS), inside @ tower.out.kernel.numpy(), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(tower(ROWS[3:5]), tower(ROWS)[3:5], rtol=1e-6)


def test_the_hidden_layer_comes_on_top():
    tower = randomized(ItemTower(FEATURES, DIM, hidden=True, seed=0))
    projections = {int(number): weight.numpy() for number, weight in tower.projections.items()}
    inside = by_hand(FEATURES, tower.code_table.numpy(), projections)
    hidden = np.maximum(inside @ tower.hidden.kernel.numpy() + tower.hidden.bias.numpy(), 0)
    expected = inside @ tower.out.kernel.numpy() + hidden @ tower.hidden_out.kernel.numpy()
    np.testing.assert_allclose(tower(ROWS), expected, rtol=1e-4, atol=1e-4)


def items_with(**settings) -> TowerItems:
    items = TowerItems(ItemSettings(item_tower="sum", **settings), FEATURES, DIM, kaiming_normal(DIM, 1), 2)
    randomized(items.tower)
    return items


def test_an_item_that_no_training_user_has_is_what_its_features_say():
    items = items_with()
    occurrences = np.ones(NUM_ITEMS + 1)
    occurrences[[4, 7]] = 0
    items.learns(occurrences)
    of_features, ids = items.tower(ROWS).numpy(), items.id_table.numpy()
    ids[[4, 7]] = 0
    np.testing.assert_allclose(items(ROWS), ids + of_features, rtol=1e-5, atol=1e-6)


def test_in_training_some_targets_and_negatives_lose_their_row_and_no_history_does():
    items, seed = items_with(id_dropout=1.0), tf.constant([3, 4])
    asked = tf.constant([1, 2, 3, 4, 5, 6, 7, 8, 2, 2, 5, 1, 2, 3])
    vectors = items.lookup(asked, 3, seed).numpy()
    bare, whole = items.tower(asked).numpy(), items.lookup(asked, 0).numpy()
    dropped = np.isclose(vectors, bare, atol=1e-6).all(axis=1)
    kept = np.isclose(vectors, whole, atol=1e-6).all(axis=1)
    assert (dropped ^ kept).all() and kept[:3].all() and 0 < dropped.sum() < len(asked) - 3
    np.testing.assert_array_equal(vectors[[8, 8, 4]], vectors[[9, 12, 10]])


def test_the_rarer_an_item_the_more_often_it_loses_its_row():
    items = items_with(id_dropout=3.0)
    items.learns(np.array([0, 1, 9, 1e9, 0, 1, 1, 1, 1, 1, 1]))
    rows = tf.constant([1, 2, 3])
    bare = items.tower(rows).numpy()
    draws = [items.lookup(rows, 0, tf.constant([step, 7])).numpy() for step in range(400)]
    dropped = np.mean([np.isclose(drawn, bare, atol=1e-6).all(axis=1) for drawn in draws], axis=0)
    np.testing.assert_allclose(dropped, [3 / 4, 3 / 12, 0], atol=0.07)


def test_a_step_reads_and_moves_only_the_codes_of_its_items():
    items = items_with()
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(items.lookup(tf.constant([3, 3, 1]), 0) ** 2)
    gradient = tape.gradient(loss, items.tower.code_table)
    assert isinstance(gradient, tf.IndexedSlices)
    columns = len(FEATURES.columns)
    read = np.concatenate([FEATURES.codes[slice(*FEATURES.offsets[[r * columns, (r + 1) * columns]])] for r in (1, 3)])
    assert sorted(gradient.indices.numpy()) == sorted(set(read))


def test_finished_vectors_are_the_items_and_become_takes_them_back():
    items, table = items_with(), tf.Variable(tf.zeros([NUM_ITEMS + 1, DIM]))
    items.finish(table)
    np.testing.assert_allclose(table, items(ROWS), rtol=1e-6)
    wanted = np.random.default_rng(1).normal(size=table.shape).astype(np.float32)
    items.become(wanted)
    np.testing.assert_allclose(items(ROWS), wanted, rtol=1e-4, atol=1e-5)


SMALL = {"embedding_dim": DIM, "max_history": 5, "num_interests": 3, "num_negatives": 7, "sampler": "uniform"}


def test_a_model_with_a_new_tower_gives_the_losses_of_one_without():
    batch = {"history": tf.constant([[1, 2, 3, 0, 0], [4, 5, 6, 7, 8]]), "target": tf.constant([4, 9])}
    settings = Settings().replace(**SMALL)
    plain = MultiInterestModel(settings, NUM_ITEMS)
    towered = MultiInterestModel(settings.replace(item_tower="sum", id_dropout=0.0), NUM_ITEMS, features=FEATURES)
    towered.finish_items()
    assert float(towered.compute_loss(batch, training=True)) == pytest.approx(
        float(plain.compute_loss(batch)), rel=1e-6
    )
    np.testing.assert_allclose(towered.interests(batch["history"]), plain.interests(batch["history"]), rtol=1e-5)


def test_a_tower_needs_features():
    settings = Settings().replace(**SMALL, item_tower="mlp")
    with pytest.raises(InputError, match=r"--item_tower mlp: .* the dataset has none; prepare it with --items"):
        MultiInterestModel(settings, NUM_ITEMS)


def test_items_hidden_from_training_are_no_negatives():
    model = MultiInterestModel(Settings().replace(**{**SMALL, "num_negatives": 500}), NUM_ITEMS, num_cold=4)
    drawn = model.sampler(tf.constant([1]), tf.constant(0)).ids.numpy()
    assert drawn.max() == NUM_ITEMS - 4
    full = MultiInterestModel(Settings().replace(**{**SMALL, "sampler": "full"}), NUM_ITEMS, num_cold=4)
    with tf.GradientTape() as tape:
        loss = full.compute_loss({"history": tf.constant([[1, 2, 0, 0, 0]]), "target": tf.constant([3])})
    gradient = tf.convert_to_tensor(tape.gradient(loss, full.item_table)).numpy()
    moved = np.abs(gradient).sum(axis=1) > 0
    assert moved[1 : NUM_ITEMS - 3].all() and not moved[NUM_ITEMS - 3 :].any()


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_under_a_16_bit_policy_items_stay_in_32_bits(policy):
    before = tf.keras.mixed_precision.global_policy()
    tf.keras.mixed_precision.set_global_policy(policy)
    try:
        model = MultiInterestModel(Settings().replace(**SMALL, item_tower="mlp"), NUM_ITEMS, features=FEATURES)
        batch = {"history": tf.constant([[1, 2, 3, 0, 0]]), "target": tf.constant([4])}
        loss = model.compute_loss(batch, training=True)
        model.finish_items()
        assert np.isfinite(float(loss)) and model.items([1]).dtype == tf.float32
    finally:
        tf.keras.mixed_precision.set_global_policy(before)
