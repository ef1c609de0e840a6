"""What is said of a trial, from trials as Optuna keeps them."""

import json

import optuna
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState, create_trial

from remi_tf.tuning.records import Record, best_of, records, started


def study_of(*trials):
    """A study in memory; each trial is a state and what else `create_trial` takes."""
    study = optuna.create_study(direction="maximize")
    for state, parts in trials:
        beta = {"params": {"beta": 2.0}, "distributions": {"beta": FloatDistribution(0.1, 10.0)}}
        study.add_trial(create_trial(state=state, **{**beta, **parts}))
    return study


COMPLETE = (
    TrialState.COMPLETE,
    {"value": 0.5, "intermediate_values": {10: 0.4, 20: 0.5, 30: 0.3}, "user_attrs": {"best_step": 20}},
)


def test_a_complete_trial_has_its_settings_its_score_and_all_validations():
    (record,) = records(study_of(COMPLETE))
    assert (record.number, record.state, record.settings) == (0, "complete", {"beta": 2.0})
    assert (record.score, record.best_step) == (0.5, 20)
    assert record.validations == {10: 0.4, 20: 0.5, 30: 0.3}
    assert record.reason is None and record.same_as is None


def test_a_trial_that_was_not_trained_again_has_the_result_of_the_earlier_one():
    twin = (TrialState.COMPLETE, {"value": 0.5, "user_attrs": {"best_step": 20, "same_as": 0}})
    record = records(study_of(COMPLETE, twin))[1]
    assert (record.number, record.score, record.best_step, record.same_as) == (1, 0.5, 20, 0)
    assert record.validations == {}


def test_a_trial_without_an_end_has_its_best_validation_so_far_of_equal_ones_the_first():
    seen = {"intermediate_values": {10: 0.1, 20: 0.4, 30: 0.4, 40: 0.2}}
    found = records(study_of((TrialState.PRUNED, seen), (TrialState.RUNNING, seen), (TrialState.RUNNING, {})))
    assert [(each.state, each.score, each.best_step) for each in found] == [
        ("pruned", 0.4, 20), ("running", 0.4, 20), ("running", None, None)
    ]  # fmt: skip


def test_a_failed_trial_says_why():
    (record,) = records(study_of((TrialState.FAIL, {"user_attrs": {"reason": "step 7: not finite"}})))
    assert (record.state, record.reason, record.score) == ("failed", "step 7: not finite", None)


def test_a_trial_that_only_waits_has_not_begun():
    study = study_of(COMPLETE)
    study.enqueue_trial({"beta": 3.0})
    assert len(study.trials) == 2
    assert [trial.number for trial in started(study)] == [0] and len(records(study)) == 1


def test_as_json_a_trial_is_an_object_with_all_that_is_known_of_it():
    complete, failed = records(study_of(COMPLETE, (TrialState.FAIL, {"user_attrs": {"reason": "not finite"}})))
    assert json.loads(json.dumps(complete.to_json())) == {
        "number": 0,
        "state": "complete",
        "settings": {"beta": 2.0},
        "score": 0.5,
        "best_step": 20,
        "validations": {"10": 0.4, "20": 0.5, "30": 0.3},
        "reason": None,
        "same_as": None,
    }
    written = json.loads(json.dumps(failed.to_json()))
    assert (written["state"], written["score"], written["reason"]) == ("failed", None, "not finite")


def trial(number, state, score):
    return Record(number, state, {}, score, 10, {})


def test_the_best_trial_is_the_complete_one_with_the_highest_score_of_equal_ones_the_first():
    found = [
        *(trial(0, "complete", 0.2), trial(1, "pruned", 0.9), trial(2, "complete", 0.4), trial(3, "complete", 0.4)),
        trial(4, "failed", None),
    ]
    assert best_of(found).number == 2
    assert best_of([trial(0, "failed", None), trial(1, "complete", 0.0)]).number == 1


def test_without_a_complete_trial_none_is_the_best():
    assert best_of([]) is None
    assert best_of([trial(0, "pruned", 0.9), trial(1, "running", 0.8), trial(2, "failed", None)]) is None
