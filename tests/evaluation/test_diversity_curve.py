"""The accuracy-diversity curve."""

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.errors import InputError, TrainingDiverged
from remi_tf.evaluation.diversity_curve import DiversityCurve
from remi_tf.evaluation.evaluate import evaluate
from remi_tf.evaluation.list_metrics import ItemFacts
from remi_tf.retrieval.diversity import POOL, diversify
from remi_tf.retrieval.top_k import top_k
from tests.counted_toys import counted, log
from tests.evaluation_toys import NUM_ITEMS, TinyModel, interactions, random_users

ITEMS = ItemFacts(np.arange(NUM_ITEMS + 1), np.concatenate([[0], np.arange(NUM_ITEMS) % 4]))


POP = counted("Pop", log(list(range(1, NUM_ITEMS, 2))), NUM_ITEMS)


@pytest.mark.parametrize("model", [TinyModel(), POP], ids=["interests", "scores"])
@pytest.mark.parametrize("exclude_history", [False, True])
def test_strength_0_is_the_plain_list(model, exclude_history):
    data = interactions(*random_users(30), ([1, 2], []))
    curve = DiversityCurve(model, ITEMS, (0.0, 1.0), (5, 20), exclude_history).evaluate(data, batch_size=7)
    plain = evaluate(model, data, (5, 20), exclude_history, items=ITEMS)
    assert list(curve) == [0.0, 1.0]
    assert curve[0.0].per_user.keys() == plain.per_user.keys()
    for name, values in plain.per_user.items():
        np.testing.assert_array_equal(curve[0.0].per_user[name], values)
    assert curve[0.0].whole_split == plain.whole_split
    assert (curve[0.0].without_targets, curve[0.0].users.tolist()) == (1, plain.users.tolist())
    assert curve[1.0].means["diversity@5"] > plain.means["diversity@5"]


def test_an_infinite_strength_takes_turns_between_the_categories():
    """Four categories, of which one is unknown: of five items the fifth repeats one, so 9 of 10 pairs differ."""
    curve = DiversityCurve(TinyModel(), ITEMS, (np.inf,), (4, 5)).evaluate(interactions(*random_users(10)))
    assert curve[np.inf].means["diversity@4"] == 1
    assert curve[np.inf].means["diversity@5"] == pytest.approx(0.9)


def test_the_list_of_each_cut_off_is_chosen_from_its_own_candidates_as_in_serving():
    """The list of 2 comes from the best 20 items, that of 6 from all 60: only there everyone finds a rare category."""
    model, users = TinyModel(), random_users(12)
    rare = ItemFacts(ITEMS.counts, np.where(np.arange(NUM_ITEMS + 1) > NUM_ITEMS - 3, 2, 1))
    histories = np.array([[*history[-3:], 0, 0][:3] for history, _ in users], np.int32)
    ids, scores = top_k(model.encode(tf.constant(histories)).vectors, model.item_vectors(), POOL * 2)
    strength = tf.fill([len(users)], np.float32(np.inf))
    chosen, _ = diversify(ids, scores, tf.gather(rare.categories, ids), strength, 2)
    expected = [
        sum(i in row for i in after) / len(after) for row, (_, after) in zip(chosen.numpy(), users, strict=True)
    ]
    found = DiversityCurve(model, rare, (np.inf,), (2, 6)).evaluate(interactions(*users))[np.inf]
    np.testing.assert_allclose(found.per_user["recall@2"], expected)
    assert not found.per_user["diversity@2"].all() and found.per_user["diversity@6"].all()


def test_more_items_than_the_catalogue_has_may_be_asked_for():
    found = DiversityCurve(TinyModel(), ITEMS, (0.5,), (NUM_ITEMS + 5,)).evaluate(interactions(*random_users(3)))[0.5]
    assert found.means[f"recall@{NUM_ITEMS + 5}"] == 1


@pytest.mark.parametrize("strengths", [(), (-0.1,), (0.0, float("nan"))])
def test_strengths_are_numbers_of_0_or_more(strengths):
    with pytest.raises(InputError, match=r"give numbers of 0 or more such as 0,0\.1,0\.5"):
        DiversityCurve(TinyModel(), ITEMS, strengths)


def test_without_categories_there_is_nothing_to_choose_by():
    with pytest.raises(InputError, match=r"the data have no categories \(prepare\.py --category_col\); leave it out"):
        DiversityCurve(TinyModel(), ItemFacts(ITEMS.counts), (0.5,))


def test_a_model_that_became_nan_is_an_error():
    model = TinyModel()
    model.item_table.assign(model.item_table * np.nan)
    with pytest.raises(TrainingDiverged, match="NaN"):
        DiversityCurve(model, ITEMS, (0.5,)).evaluate(interactions(*random_users(3)))
