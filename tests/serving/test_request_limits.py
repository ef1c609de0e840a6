"""A request that is too large is refused as a whole, with the name of the input."""

import pytest
import tensorflow as tf

from remi_tf.counted.boost import CountedBoost
from remi_tf.serving.graph import ServingGraph
from remi_tf.serving.request_limits import LIMITS, NO_LIMITS, Limits
from tests.serving_toys import NUM_ITEMS, TinyModel, make_dataset

pytestmark = pytest.mark.trains


@pytest.fixture(scope="module")
def model():
    return TinyModel()


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    return make_dataset(tmp_path_factory.mktemp("data") / "shop", categories=True)


@pytest.fixture(scope="module")
def limited(model, catalogue):
    return ServingGraph(model, catalogue, 20)


@pytest.mark.parametrize(
    ("too_large", "message"),
    [
        ({"history": tf.fill([1, 2_500_000], "a")}, "history: rows × the longest list must be at most"),
        ({"history": tf.fill([20_000, 1], "a")}, "history: at most .* rows in a request"),
        ({"history": [["a"]] * 5, "exclude": tf.fill([5, 500_000], "")}, "exclude: rows × the longest list"),
        ({"history": [["a"]], "allow": tf.fill([1, 2_500_000], "")}, "allow: rows × the longest list"),
        ({"history": [["a"]], "categories": tf.fill([1, 2_500_000], "")}, "categories: rows × the longest list"),
    ],
)
def test_a_request_that_is_too_large_is_refused_with_its_input_and_the_limit(limited, too_large, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        limited.recommend(**too_large)


def test_in_process_nothing_is_too_large(model, catalogue):
    graph = ServingGraph(model, catalogue, 20, limits=NO_LIMITS)
    assert graph.recommend(history=tf.fill([1, 2_500_000], "ïtem 5"))["known_items"].numpy().tolist() == [2_500_000]


def test_a_request_at_its_limits_is_answered_and_one_beyond_is_not(model, catalogue):
    graph = ServingGraph(model, catalogue, 20, limits=Limits(rows=3, places=6, items=2))
    given = {"top_n": 2, "history": [["ïtem 3", "ïtem 4"]] * 3}
    assert graph.recommend(**given)["items"].shape == [3, 2]
    for change, message in (
        ({"top_n": 3}, "rows × top_n must be at most 6"),
        ({"history": [["ïtem 3"]] * 4}, "history: at most 3 rows"),
        ({"history": [["ïtem 3"] * 3] * 3}, "history: rows × the longest list must be at most 6"),
        ({"exclude": [[""] * 7]}, "exclude: rows × the longest list"),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            graph.recommend(**given | change)
    with pytest.raises(tf.errors.InvalidArgumentError, match="rows × top_n must be at most 6"):
        graph.functions["serving_default"](tf.constant([["ïtem 3"]]))  # 20 items
    with pytest.raises(tf.errors.InvalidArgumentError, match="items: at most 2 ids"):
        graph.functions["items"](tf.constant(["ïtem 3"] * 3))
    assert graph.functions["items"](tf.constant(["ïtem 3"] * 2))["known"].numpy().all()


def test_an_export_has_limits_for_everything():
    assert all(LIMITS)


def test_more_boosted_items_than_an_answer_may_hold_are_refused(catalogue):
    model = TinyModel()
    model.boost = CountedBoost(50, NUM_ITEMS, model.max_history)
    interests = ServingGraph(model, catalogue, 20, limits=Limits(None, 3 * 50 * model.max_history, None))
    rows = [["ïtem 5"]] * 4
    assert interests.functions["interests"](tf.constant(rows[:3]))["boosts"].shape == (3, 200)
    with pytest.raises(tf.errors.InvalidArgumentError, match="rows × boosted items must be at most 600; send fewer"):
        interests.functions["interests"](tf.constant(rows))
