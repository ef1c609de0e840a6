"""The profile in the encoders: what it is made of, how it joins, and runs that train, save and serve with it."""

import shutil

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.encoders import make_encoder
from remi_tf.encoders.profile import embed, of_known, with_profile
from remi_tf.errors import InputError
from remi_tf.serving import export as serving
from remi_tf.settings.encoders import encoder_settings
from remi_tf.systems import recommend
from remi_tf.training.run_folder import load_saved_run
from tests.profile_toys import with_parity
from tests.serving_toys import Exported
from tests.small_runs import assert_same_run, train

LENGTH, DIM, SIZES = 5, 6, (2, 5)
MASK = tf.constant(np.arange(LENGTH) < np.array([[5], [3], [1], [4]]))
EMBEDDINGS = tf.constant(np.random.default_rng(0).normal(size=(4, LENGTH, DIM)), tf.float32)
PROFILE = tf.constant([[1, 5], [2, 0], [0, 0], [2, 3]])


def made(model_type: str, features: str = "concat", **values):
    small = {"embedding_dim": DIM, "max_history": LENGTH, "read_profile": features, **values}
    return make_encoder(encoder_settings(model_type, **small), 3, SIZES)


def told_of(layer) -> np.ndarray:
    """[4, P · profile_dim] E_p of PROFILE, column by column, out of the layer's table."""
    table = layer.table.numpy()
    rows = [
        [table[s + code] if code else 0 * table[0] for s, code in zip((0, 2), user, strict=True)] for user in PROFILE
    ]
    return np.reshape(rows, [4, -1])


def test_every_value_of_every_column_has_a_row_and_unknown_is_zero():
    table = tf.constant(np.arange(16).reshape(8, 2), tf.float32)
    codes = tf.constant([[1, 1], [2, 5], [0, 3], [0, 0]])
    np.testing.assert_array_equal(
        embed(table, SIZES, codes), [[[2, 3], [6, 7]], [[4, 5], [14, 15]], [[0, 0], [10, 11]], [[0, 0], [0, 0]]]
    )


def test_only_rows_of_values_that_occur_get_a_gradient():
    table = tf.Variable(tf.ones([8, 2]))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(embed(table, SIZES, tf.constant([[2, 4], [0, 4]])))
    gradient = tape.gradient(loss, table)
    assert isinstance(gradient, tf.IndexedSlices)
    np.testing.assert_array_equal(tf.convert_to_tensor(gradient)[:, 0], [0, 0, 1, 0, 0, 0, 2, 0])


def test_every_row_is_followed_by_the_users_profile():
    joined = with_profile(tf.reshape(tf.range(8), [2, 2, 2]), tf.constant([[10], [20]]))
    np.testing.assert_array_equal(joined, [[[0, 1, 10], [2, 3, 10]], [[4, 5, 20], [6, 7, 20]]])
    empty = of_known(tf.ones([2, 1, 3]), tf.constant([[True], [False]]))
    np.testing.assert_array_equal(empty, [[[1, 1, 1]], [[0, 0, 0]]])


@pytest.mark.parametrize("model_type", ["SA", "MTMI-Q2S", "DR", "Re4", "SINE", "Que2Search"])
def test_each_interest_gets_a_linear_map_of_itself_and_the_profile(model_type):
    ours, plain = made(model_type), made(model_type, "none")
    joined, interests = ours(EMBEDDINGS, MASK, profile=PROFILE), plain(EMBEDDINGS, MASK)
    before, profile = interests.vectors.numpy(), told_of(ours.profile)
    for user in range(4):
        for k, vector in enumerate(before[user]):
            expected = vector + np.concatenate([vector, profile[user]]) @ ours.join[k].numpy()
            np.testing.assert_allclose(joined.vectors[user, k], expected, rtol=1e-4, atol=1e-5)
    if interests.routing is not None:
        np.testing.assert_array_equal(joined.routing, interests.routing)
    np.testing.assert_array_equal(joined.capsules, before if interests.capsules is None else interests.capsules)


def test_an_interest_that_a_user_does_not_have_still_repeats_the_first():
    interests = made("DR", adaptive_interests=True)(EMBEDDINGS, MASK, profile=PROFILE)
    assert not interests.active.numpy().all()
    for vectors, active in zip(interests.vectors.numpy(), interests.active.numpy(), strict=True):
        np.testing.assert_array_equal(vectors[~active], np.repeat(vectors[:1], (~active).sum(), axis=0))


def test_every_state_is_joined_as_the_vector_is():
    ours, plain = made("SASRec"), made("SASRec", "none")
    states = plain(EMBEDDINGS, MASK).states.numpy()
    profile = np.repeat(told_of(ours.profile)[:, np.newaxis], LENGTH, axis=1)
    expected = states + np.concatenate([states, profile], axis=2) @ ours.join[0].numpy()
    found = ours(EMBEDDINGS, MASK, profile=PROFILE).states.numpy()
    np.testing.assert_allclose(found[MASK], expected[MASK], rtol=1e-4, atol=1e-5)


SA = ("--model_type", "SA", "--read_profile", "concat")


@pytest.mark.trains
@pytest.mark.parametrize("model", [SA, ("--model_type", "UMI")], ids=["SA", "UMI"])
def test_a_run_keeps_its_profile_columns_and_serves_them_without_the_dataset(toy_dataset, tmp_path, model):
    path, data = tmp_path / "run", with_parity(toy_dataset, tmp_path / "data")
    assert train(data, path, *model, "--max_steps", "20") == 0
    shutil.rmtree(data)
    run = load_saved_run(path)
    assert run.model.needs == ("profile",) and run.model.profile_sizes == (2,)
    serving.export_run(run, path / "export")
    exported = Exported(path / "export")
    assert exported.card["profile_columns"] == [{"name": "parity", "values": ["even", "odd"]}]
    history = tf.constant([[3, 4] + [0] * (run.model.max_history - 2)])
    for value, code in (("odd", 2), ("", 0)):
        ids, scores = recommend(run.model, history, 5, profile=tf.constant([[code]]))
        items, found, _ = exported.recommend(["item-3", "item-4"], 5, profile=[value])
        assert items == run.catalogue.vocabulary.raw_ids(ids[0].numpy())
        np.testing.assert_allclose(found, scores[0], rtol=1e-4)


@pytest.mark.trains
def test_a_resumed_run_that_reads_profiles_equals_one_that_never_stopped(toy_dataset, tmp_path):
    data = with_parity(toy_dataset, tmp_path / "data")
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert train(data, whole, *SA, "--max_steps", "40") == train(data, parts, *SA, "--max_steps", "20") == 0
    from train import main

    assert main(["--resume", "--run_dir", str(parts), "--max_steps", "40"]) == 0
    assert_same_run(parts, whole)


@pytest.mark.trains
def test_a_log_without_profiles_is_refused_by_the_flag_that_asks_for_them(toy_dataset, tmp_path):
    with pytest.raises(InputError, match=r"--read_profile concat: it reads user profiles.* --users TABLE .*leave it"):
        train(toy_dataset, tmp_path / "run", *SA)
    assert not (tmp_path / "run").exists()
