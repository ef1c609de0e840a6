"""The next trial: scores are made up, nothing trains, and Optuna keeps its trials in memory."""

import dataclasses
import math

import optuna
import pytest
from optuna.trial import TrialState

from remi_tf.tuning.proposals import next_trial, proposed

RATES = {"learning_rate": {"low": 1e-4, "high": 1e-1, "log": True}}
GRID = {"num_interests": [2, 4, 6], "learning_rate": [0.1, 0.01]}


def new_study():
    return optuna.create_study(direction="maximize")


def go_on(study, request, trials, score=lambda values: 0.5):
    """Carry out trials until there are `trials`; their values. A score of None is a failed trial."""
    tried = []
    while (following := next_trial(study, request, trials)) is not None:
        trial, _ = following
        tried.append(proposed(trial, request))
        if (reached := score(tried[-1])) is None:
            study.tell(trial, state=TrialState.FAIL)
        else:
            study.tell(trial, reached)
    return tried


def test_a_random_trial_depends_on_the_seed_and_its_number_and_on_nothing_that_was_tried(request_for):
    request = request_for(RATES, search="random", search_seed=5)
    tried = go_on(new_study(), request, 12)
    assert go_on(new_study(), request, 12, score=lambda values: values["learning_rate"]) == tried
    assert go_on(new_study(), request, 12, score=lambda values: None) == tried
    assert len({values["learning_rate"] for values in tried}) == 12
    other = go_on(new_study(), request_for(RATES, search="random", search_seed=6), 12)
    assert not {values["learning_rate"] for values in tried} & {values["learning_rate"] for values in other}


def test_tpe_proposes_the_same_after_the_same_scores_and_something_else_after_others(request_for):
    request = request_for(RATES)
    tried = go_on(new_study(), request, 14, score=lambda values: values["learning_rate"])
    assert go_on(new_study(), request, 14, score=lambda values: values["learning_rate"]) == tried
    assert go_on(new_study(), request, 14, score=lambda values: -values["learning_rate"])[-1] != tried[-1]


def test_tpe_comes_nearer_to_what_was_good(request_for):
    def away(values):
        return abs(math.log10(values["learning_rate"]) + 2)

    distance = [away(values) for values in go_on(new_study(), request_for(RATES), 30, lambda v: 3 - away(v))]
    assert sum(distance[20:]) < 0.7 * sum(distance[:10])


@pytest.mark.parametrize("how", ["tpe", "random"])
def test_values_lie_in_the_space_and_have_the_types_of_their_settings(request_for, how):
    space = {"num_interests": {"low": 2, "high": 4}, "dropout": {"low": 0, "high": 0.5}, "batch_size": [64, 256]}
    tried = go_on(new_study(), request_for(space, search=how), 20)
    assert {values["num_interests"] for values in tried} == {2, 3, 4}
    assert {values["batch_size"] for values in tried} == {64, 256}
    assert all(0 <= values["dropout"] <= 0.5 for values in tried)
    assert {tuple(map(type, values.values())) for values in tried} == {(int, float, int)}


def test_with_log_each_order_of_magnitude_is_tried_as_often(request_for):
    tried = [values["learning_rate"] for values in go_on(new_study(), request_for(RATES, search="random"), 60)]
    for low in (1e-4, 1e-3, 1e-2):  # of sixty, twenty in the mean
        assert 8 <= sum(low <= rate < 10 * low for rate in tried) <= 32


def test_trials_end_at_the_number_asked_for_and_failed_ones_count(request_for):
    study, request = new_study(), request_for(RATES)
    assert len(go_on(study, request, 3, score=lambda values: None)) == 3
    assert next_trial(study, request, 3) is None
    assert len(go_on(study, request, 5)) == 2 and len(study.trials) == 5


@pytest.mark.parametrize("how", ["tpe", "random", "grid"])
def test_a_trial_that_was_not_ended_comes_again_with_its_values(request_for, how):
    study, request = new_study(), request_for(GRID, search=how)
    go_on(study, request, 2)
    trial, goes_on = next_trial(study, request, 3)
    values = proposed(trial, request)
    assert not goes_on and trial.number == 2
    again, goes_on = next_trial(study, request, 3)
    assert goes_on and again.number == 2 and proposed(again, request) == values
    study.tell(again, 0.5)
    assert next_trial(study, request, 3) is None


@pytest.mark.parametrize("how", ["tpe", "random"])
def test_a_trial_that_was_killed_before_it_had_values_gets_those_it_would_have_had(request_for, how):
    request = request_for(RATES, search=how)
    whole, killed = new_study(), new_study()
    for study in (whole, killed):
        go_on(study, request, 11)
    next_trial(killed, request, 12)
    assert go_on(killed, request, 12) == go_on(whole, request, 12)


@pytest.mark.parametrize("how", ["random", "tpe"])
def test_a_trial_that_was_killed_between_two_values_gets_the_second_one_that_it_would_have_had(request_for, how):
    request = request_for({**RATES, "beta": {"low": 0.1, "high": 4.0}}, search=how)
    whole = proposed(next_trial(new_study(), request, 1)[0], request)
    study = new_study()
    trial, _ = next_trial(study, request, 1)
    killed = dataclasses.replace(request, space=dict(list(request.space.items())[:1]))
    proposed(trial, killed)
    assert proposed(next_trial(study, request, 1)[0], request) == whole


def test_a_grid_is_tried_in_its_order_each_combination_once(request_for):
    request = request_for(GRID, search="grid", search_seed=3)
    tried = go_on(new_study(), request, 6)
    assert tried == request.grid()
    assert {(values["num_interests"], values["learning_rate"]) for values in tried} == {
        *((2, 0.1), (4, 0.1), (6, 0.1), (2, 0.01), (4, 0.01), (6, 0.01))
    }


def test_a_combination_that_was_queued_when_the_search_was_killed_is_not_tried_twice(request_for):
    study, request = new_study(), request_for(GRID, search="grid")
    study.enqueue_trial(request.grid()[0])  # and killed before the trial began
    assert go_on(study, request, 6) == request.grid() and len(study.trials) == 6
