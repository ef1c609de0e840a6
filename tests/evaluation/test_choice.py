"""Options are chosen by what they bring on validation users."""

import dataclasses

import pytest

from remi_tf.data.dataset.folder import load_dataset
from remi_tf.evaluation.choice import choose, open_options
from remi_tf.evaluation.evaluate import evaluate
from tests.counted_toys import counted


@pytest.fixture(scope="module")
def dataset(toy_dataset):
    return load_dataset(toy_dataset)


@pytest.fixture
def model(dataset):
    return counted("ItemKNN", dataset.train, dataset.num_items)


def test_the_candidate_with_the_best_validation_score_wins_the_first_of_equal_ones(model, dataset):
    choice = choose(model, dataset, (), "recall@10")
    scores = [score for _, score in choice.tried]
    for values, score in choice.tried[::9]:
        model.count(dataset.train, dataclasses.replace(model.settings, **values))
        assert score == evaluate(model, dataset.valid, (10,)).means["recall@10"]
    assert len(set(scores)) > 1 and choice.users == 10
    assert choice.values == choice.tried[scores.index(max(scores))][0]
    assert choice.to_json()["chosen"] == choice.values and "10 validation users" in choice.sentence()


def test_what_is_given_is_kept_and_the_rest_is_chosen(model, dataset):
    choice = choose(model, dataset, ("decay", "seed"), "recall@10")
    assert choice.settings.decay == model.settings.decay
    assert {name for values, _ in choice.tried for name in values} == {"shrink"}
    assert choose(model, dataset, ("decay", "shrink"), "recall@10") is None


def test_fewer_users_choose_where_that_is_asked_for_and_nobody_where_nobody_has_a_target(model, dataset):
    assert choose(model, dataset, (), "recall@10", users=3).users == 3
    none = dataclasses.replace(dataset, valid=dataclasses.replace(dataset.valid, cuts=dataset.valid.lengths))
    assert choose(model, none, (), "recall@10") is None


def test_lists_without_the_history_decide_where_that_is_asked_for(model, dataset):
    choices = [choose(model, dataset, ("shrink",), "recall@10", exclude_history=exclude) for exclude in (False, True)]
    left_in, left_out = ([score for _, score in choice.tried] for choice in choices)
    assert left_in != left_out


def test_options_without_candidates_are_never_chosen(model):
    assert set(open_options(model.settings, ())) == {"decay", "shrink"}
