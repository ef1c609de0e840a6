"""Evaluation over the whole catalogue, user by user."""

import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.data.dataset.views import features
from remi_tf.errors import InputError, TrainingDiverged
from remi_tf.evaluation import tally
from remi_tf.evaluation.evaluate import Evaluator, evaluate
from tests.evaluation_toys import NUM_ITEMS, TinyModel, interactions, random_users


def test_days_and_profiles_are_those_of_the_histories_and_given_to_the_model():
    data = interactions(([1, 2, 3, 4], [5]), ([7], [8]), ([], [3]))
    day = np.array([10, 11, 12, 13, 99, 20, 99, 99])
    data = replace(data, timestamps=86_400 * day, profiles=np.array([[1, 2], [0, 1], [3, 3]], np.int32))
    users = np.array([1, 0, 2])
    given = features(data, users, 3, ("days", "profile"))
    assert given["days"].tolist() == [[20, 0, 0], [11, 12, 13], [0, 0, 0]]
    assert given["profile"].tolist() == [[0, 1], [1, 2], [3, 3]]
    assert {values.dtype for values in given.values()} == {np.dtype(np.int32)}
    assert features(data, users, 3, ()) == {}

    class Told(TinyModel):
        """The only interest: the row of the profile's first code after the newest day."""

        needs = ("days", "profile")

        def interests(self, history, days, profile):
            row = (tf.reduce_max(days, axis=1) + profile[:, 0]) % (NUM_ITEMS + 1)
            return 9.0 * tf.gather(self.item_table, row)[:, None]

    model = Told()
    best = [np.argmax((model.item_table.numpy() @ model.item_table.numpy()[row])[1:]) + 1 for row in (14, 20)]
    target = np.array([1, 2, 3, 4, best[0], 7, best[1], 1], np.int32)  # without a history the most popular
    assert evaluate(model, replace(data, items=target), (1,)).means["recall@1"] == 1
    with pytest.raises(InputError, match="these users have none; prepare them with --users"):
        evaluate(model, replace(data, profiles=None), (1,))


def plain_recall(model, history, after, n, exclude):
    """recall@n of one user by a full sort over the whole catalogue."""
    seen = history[-model.max_history :]
    table = model.item_table.numpy()
    scores = (table[[seen[0], seen[-1]]] @ table.T).max(axis=0)
    scores[[0, *(history if exclude else [])]] = -np.inf
    best = np.argsort(-scores, kind="stable")[:n]
    return len(set(best) & set(after)) / len(after)


@pytest.mark.parametrize("exclude", [False, True])
@pytest.mark.parametrize("batch_size", [1, 7, 100])
def test_equals_a_full_sort_of_the_catalogue_user_by_user(exclude, batch_size):
    model, users = TinyModel(), random_users(30)
    result = evaluate(model, interactions(*users), (5, 20), exclude_history=exclude, batch_size=batch_size)
    for n in (5, 20):
        expected = [plain_recall(model, history, after, n, exclude) for history, after in users]
        np.testing.assert_allclose(result.per_user[f"recall@{n}"], expected)
        assert result.means[f"recall@{n}"] == pytest.approx(np.mean(expected))


def test_histories_of_very_different_lengths_are_excluded_whole_in_batches_of_bounded_size(monkeypatch):
    users = random_users(30)
    users[7] = ([*range(1, 41), 3, 3], [2, 50, 51])  # fourteen times what the model reads
    expected = evaluate(TinyModel(), interactions(*users), (5,), exclude_history=True)
    wanted = [plain_recall(TinyModel(), history, after, 5, True) for history, after in users]
    np.testing.assert_allclose(expected.per_user["recall@5"], wanted)
    sizes, histories = [], tally.histories
    monkeypatch.setattr(tally, "HISTORY_PLACES", 64)
    monkeypatch.setattr(tally, "histories", lambda *given: sizes.append(histories(*given).size) or histories(*given))
    result = evaluate(TinyModel(), interactions(*users), (5,), exclude_history=True)
    np.testing.assert_array_equal(result.per_user["ndcg@5"], expected.per_user["ndcg@5"])
    assert max(sizes) <= 64


def test_a_user_who_knows_the_whole_catalogue_gets_an_empty_list_and_no_alarm():
    everything = list(range(1, NUM_ITEMS + 1))
    result = evaluate(TinyModel(), interactions((everything, [5]), ([1], [5])), (10, 60), exclude_history=True)
    assert result.per_user["recall@60"].tolist() == [0, 1]


def test_users_without_targets_are_left_out_and_counted():
    users = random_users(5)
    whole = evaluate(TinyModel(), interactions(*users), (10,))
    users.insert(2, ([1, 2], []))
    result = evaluate(TinyModel(), interactions(*users), (10,))
    assert (result.without_targets, whole.without_targets) == (1, 0)
    assert result.users.tolist() == [0, 1, 3, 4, 5]
    np.testing.assert_array_equal(result.per_user["ndcg@10"], whole.per_user["ndcg@10"])


def test_repeated_evaluation_of_a_model_that_learns_traces_once_and_sees_the_new_weights():
    model, data = TinyModel(), interactions(*random_users(20))
    evaluator = Evaluator(model, (10,))
    first = evaluator.evaluate(data, batch_size=8)
    model.item_table.assign(TinyModel(seed=1).item_table)
    second = evaluator.evaluate(data, batch_size=8)
    assert model.traces == 1
    assert first.means != second.means
    assert second.means == evaluate(TinyModel(seed=1), data, (10,)).means


def test_an_evaluated_model_is_not_kept_in_memory():
    model = TinyModel()
    evaluate(model, interactions(*random_users(3)), (10,))
    reference = weakref.ref(model)
    del model
    gc.collect()
    assert reference() is None


def test_a_model_that_became_nan_is_an_error_not_a_low_score():
    model = TinyModel()
    model.item_table.assign(model.item_table * np.nan)
    with pytest.raises(TrainingDiverged, match="NaN"):
        evaluate(model, interactions(*random_users(3)), (10,))


@pytest.mark.parametrize("top_n", [(), (0, 20), (-1,)])
def test_top_n_must_be_positive(top_n):
    with pytest.raises(InputError, match="positive"):
        evaluate(TinyModel(), interactions(([1], [2])), top_n)


def test_a_split_in_which_nobody_has_targets_cannot_be_evaluated():
    with pytest.raises(InputError, match="none of the 1 users"):
        evaluate(TinyModel(), interactions(([1, 2], [])), (10,))
