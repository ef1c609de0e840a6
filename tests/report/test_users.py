"""Some users: how they are chosen, and what one model sees of them."""

import numpy as np
import pytest

from remi_tf.evaluation.evaluate import evaluate
from remi_tf.evaluation.tally import Evaluation
from remi_tf.report.users import LENGTH, choose_users, view_users
from tests.counted_toys import counted, log
from tests.evaluation_toys import NUM_ITEMS, TinyModel, interactions, random_users
from tests.report_toys import OneVector, routed


def evaluation(scores):
    return Evaluation({"ndcg@50": np.array(scores, float)}, np.arange(len(scores)), 0, 0.0)


def test_the_best_and_the_worst_are_those_of_the_metric_best_and_worst_first():
    chosen = choose_users(evaluation([0.5, 0.9, 0.1, 0.3, 0.7, 0.2, 0.4]), "ndcg@50", 2, seed=0)
    assert (chosen.best, chosen.worst) == ([1, 4, 0], [2, 5, 3])
    assert set(chosen.sample) | {1, 4, 0, 2, 5, 3} == set(chosen.all) and len(set(chosen.all)) == len(chosen.all)


def test_the_seed_draws_the_users_and_orders_equal_ones():
    equal = evaluation(np.zeros(100))
    first = choose_users(equal, "ndcg@50", 5, seed=1)
    assert first == choose_users(equal, "ndcg@50", 5, seed=1)
    assert first.sample != choose_users(equal, "ndcg@50", 5, seed=2).sample
    assert first.worst != [0, 1, 2] and not set(first.best) & set(first.worst)


def test_of_few_users_none_is_among_the_best_and_the_worst():
    three = choose_users(evaluation([0.1, 0.2, 0.3]), "ndcg@50", 9, seed=0)
    assert (three.best, three.worst, sorted(three.sample)) == ([2], [0], [0, 1, 2])
    one = choose_users(evaluation([0.1]), "ndcg@50", 1, seed=0)
    assert (one.best, one.worst) == ([], [])


@pytest.mark.parametrize("exclude_history", [False, True])
@pytest.mark.parametrize("model", [TinyModel(), counted("Pop", log([1, 2, 2, 3, 3, 3]), NUM_ITEMS)], ids=["K=2", "Pop"])
def test_the_list_is_the_one_that_is_evaluated(model, exclude_history):
    data = interactions(*random_users(8))
    found = evaluate(model, data, (LENGTH,), exclude_history).per_user[f"hit_rate@{LENGTH}"]
    views = view_users(model, data, np.arange(8), exclude_history)
    assert [bool(np.isin(view.listed, view.targets).any()) for view in views] == found.astype(bool).tolist()
    assert all(len(view.listed) == LENGTH for view in views)


def test_each_item_has_the_interest_that_scores_it_highest():
    """The two interests of the toy are the vectors of the first and of the last item of the history."""
    model, data = TinyModel(), interactions(([4, 5, 6], [7]), ([], [8]))
    table = model.item_table.numpy()
    view, nobody = view_users(model, data, np.array([0, 1]), False)
    products = table[[4, 6]] @ table[view.listed].T
    assert view.interests.tolist() == products.argmax(axis=0).tolist()
    assert view.history.tolist() == [4, 5, 6] and view.targets.tolist() == [7] and view.routing is None
    assert set(nobody.interests) == {-1} and len(nobody.history) == 0


def test_routing_is_shown_for_the_items_that_are_read():
    (view,) = view_users(routed(), interactions(([4, 5, 6], [7])), np.array([0]), False)
    np.testing.assert_allclose(view.routing, [[1 / 3] * 3, [0, 0, 1]], rtol=1e-6)


def test_one_vector_and_counted_models_have_no_interests_to_tell_apart():
    for model in (OneVector(), counted("Pop", log([1, 2, 3]), NUM_ITEMS)):
        (view,) = view_users(model, interactions(([4, 5], [7, 7, 6])), np.array([0]), False)
        assert view.interests is None and view.routing is None and view.targets.tolist() == [6, 7]
    assert view_users(model, interactions(([4], [5])), np.array([], int), False) == []
