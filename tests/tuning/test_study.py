"""The loop over trials: with scripted runs, and with real ones where it is about what a run leaves on the disk."""

import json
from types import SimpleNamespace

import pytest
import tensorflow as tf

from remi_tf.errors import InputError, TrainingDiverged
from remi_tf.training.measurements import Validation, read_metrics
from remi_tf.training.plan import plan_new
from remi_tf.tuning import study as study_module
from remi_tf.tuning.records import best_of
from remi_tf.tuning.study import search

RATES = {"learning_rate": {"low": 1e-4, "high": 1e-1, "log": True}}
GRID = {"num_interests": [2, 4, 6], "learning_rate": [0.1, 0.01]}


class Scripted:
    """Stands for `carry_out`: a run whose validations are a function of its number and its settings."""

    def __init__(self, curve):
        self.curve, self.trained, self.die_at = curve, [], None

    def __call__(self, plan, on_validation, on_open):
        number = int(plan.path.name)
        self.trained.append(number)
        plan.path.mkdir(parents=True)
        on_open(plan, None)
        scores = self.curve(number, plan.settings)
        for place, score in enumerate(scores, start=1):
            on_validation(Validation(10 * place, 1.0, {"recall@50": score}, True, "recall@50"))
            if self.die_at == (number, place):
                self.die_at = None
                plan.path.rmdir()  # a run that has no config.json yet
                raise KeyboardInterrupt
        best = max(scores)
        return SimpleNamespace(best_validation=(best, 10 * (scores.index(best) + 1)))


def near_a_hundredth(number, settings):
    score = 1 / (1 + abs(settings.training.learning_rate - 0.01) * 100 + settings.encoder.num_interests)
    return [score * 0.8, score, score * 0.9]


@pytest.fixture
def scripted(monkeypatch):
    """A function that has all runs follow a curve: (number, settings) → scores of the validations."""

    def follow(curve=near_a_hundredth) -> Scripted:
        runs = Scripted(curve)
        monkeypatch.setattr(study_module, "carry_out", runs)
        monkeypatch.setattr(study_module, "gc", SimpleNamespace(collect=lambda: None))  # slow, and nothing to free
        return runs

    return follow


def test_a_grid_tries_every_combination_once_and_the_best_trial_has_the_highest_score(request_for, scripted, tmp_path):
    scripted()
    found = search(request_for(GRID, search="grid"), tmp_path / "study", 6)
    tried = {(trial.settings["num_interests"], trial.settings["learning_rate"]) for trial in found}
    assert tried == {(k, rate) for k in (2, 4, 6) for rate in (0.1, 0.01)} and len(found) == 6
    best = best_of(found)
    assert best.settings == {"num_interests": 2, "learning_rate": 0.01}
    assert best.score == max(trial.score for trial in found) and best.best_step == 20
    written = json.loads((tmp_path / "study" / "trials.json").read_text())
    assert written["best"] == best.number and written["metric"] == "recall@50"
    assert [trial["score"] for trial in written["trials"]] == [trial.score for trial in found]
    assert written["trials"][0]["validations"].keys() == {"10", "20", "30"}


def test_only_the_best_run_folder_stays_unless_all_are_kept(request_for, scripted, tmp_path):
    for keep in (False, True):
        scripted(lambda number, settings: [(0.3, 0.1, 0.5, 0.2)[number]])
        study = tmp_path / f"keep-{keep}"
        seen = []

        def see(trial, is_best, study=study, seen=seen):
            seen.append((is_best, sorted(path.name for path in (study / "trials").iterdir())))

        search(request_for(RATES, search="random", keep_runs=keep), study, 4, on_trial=see)
        if keep:
            assert seen[-1] == (False, ["0000", "0001", "0002", "0003"])
        else:
            assert seen == [(True, ["0000"]), (False, ["0000"]), (True, ["0002"]), (False, ["0002"])]


@pytest.mark.parametrize("how", ["tpe", "random", "grid"])
def test_a_search_that_is_killed_again_and_again_equals_one_that_never_was(request_for, scripted, tmp_path, how):
    request = request_for(GRID if how == "grid" else RATES, search=how, search_seed=5)
    trials = 6 if how == "grid" else 14  # more than TPE's ten random ones
    scripted()
    whole = search(request, tmp_path / "whole", trials)
    runs = scripted()
    for number, place in ((0, 1), (3, 3), (5, 1)):
        runs.die_at = (number, place)
        with pytest.raises(KeyboardInterrupt):
            search(request, tmp_path / "killed", trials)
        # Its score so far is kept, and the trial is not taken for one that has ended.
        last = json.loads((tmp_path / "killed" / "trials.json").read_text())["trials"]
        assert len(last) == number
    assert search(request, tmp_path / "killed", trials) == whole
    assert (tmp_path / "killed" / "trials.json").read_bytes() == (tmp_path / "whole" / "trials.json").read_bytes()
    assert len(runs.trained) == len({str(trial.settings) for trial in whole if trial.same_as is None}) + 3


def test_more_trials_go_on_where_the_search_ended(request_for, scripted, tmp_path):
    scripted()
    first = search(request_for(RATES), tmp_path / "study", 3)
    runs = scripted()
    assert search(request_for(RATES), tmp_path / "study", 5)[:3] == first
    assert runs.trained == [3, 4]
    assert len(search(request_for(RATES), tmp_path / "study", 2)) == 5 and runs.trained == [3, 4]


def test_pruning_ends_a_trial_below_the_median_but_not_at_its_first_validation(request_for, scripted, tmp_path):
    def curve(number, settings):
        return [0.1, 0.2, 0.3] if number < 5 else [0.0, 0.1, 0.9] if number == 5 else [0.0, 0.25, 0.3]

    for pruning in ("median", "none"):
        scripted(curve)
        found = search(request_for(RATES, pruning=pruning, search="random"), tmp_path / pruning, 7)
        if pruning == "median":
            assert [trial.state for trial in found] == [*["complete"] * 5, "pruned", "complete"]
            assert found[5].validations == {10: 0.0, 20: 0.1} and (found[5].score, found[5].best_step) == (0.1, 20)
            assert best_of(found).number == 0  # the first of equal ones
        else:
            assert best_of(found).number == 5


def test_a_diverged_trial_is_a_failed_one_with_its_reason_and_the_search_goes_on(request_for, scripted, tmp_path):
    def curve(number, settings):
        if number == 1:
            raise TrainingDiverged("step 7: the loss part 'softmax' is no longer finite.")
        if number == 2:
            raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating a tensor\nand more")
        return [0.1 * number]

    scripted(curve)
    found = search(request_for(RATES), tmp_path / "study", 4)
    assert [trial.state for trial in found] == ["complete", "failed", "failed", "complete"]
    assert found[1].reason.startswith("step 7: the loss part") and found[1].score is None
    assert found[2].reason == "the memory of the device does not hold it (OOM when allocating a tensor)"
    assert best_of(found).number == 3


def test_a_full_disk_is_no_failed_trial(request_for, scripted, tmp_path):
    def full(number, settings):
        raise tf.errors.ResourceExhaustedError(None, None, "ckpt; No space left on device")

    scripted(full)
    with pytest.raises(tf.errors.ResourceExhaustedError):
        search(request_for(RATES), tmp_path / "study", 2)
    (tmp_path / "study" / "trials" / "0000").rmdir()
    scripted()
    assert [trial.state for trial in search(request_for(RATES), tmp_path / "study", 2)] == ["complete"] * 2


def test_what_a_run_refuses_before_its_first_step_fails_the_trial(request_for, monkeypatch, tmp_path):
    """More distinct negatives than items are only noticed when the sampler is built."""
    request = request_for({"num_negatives": [61, 5000]}, search="grid")
    found = search(request, tmp_path / "study", 2)
    assert [trial.state for trial in found] == ["failed", "failed"] and best_of(found) is None
    assert "distinct negatives cannot be drawn from 60" in found[0].reason

    def not_writable(plan, on_validation, on_open):
        raise InputError("cannot be written") from PermissionError()

    monkeypatch.setattr(study_module, "carry_out", not_writable)
    with pytest.raises(InputError, match="cannot be written"):
        search(request_for(RATES), tmp_path / "other", 2)


def test_settings_that_were_tried_are_not_trained_again(request_for, scripted, tmp_path):
    runs = scripted()
    found = search(request_for({"num_interests": [2, 4]}, search="random"), tmp_path / "study", 8)
    assert len(runs.trained) == 2 and len(found) == 8
    for trial in found:
        if trial.same_as is not None:
            assert trial.settings == found[trial.same_as].settings and trial.score == found[trial.same_as].score
    assert best_of(found).same_as is None


SMALL = {"num_negatives": 20, "embedding_dim": 8, "batch_size": 16, "eval_every": 20, "max_steps": 60}


@pytest.mark.slow
def test_a_trial_is_a_run_that_goes_on_from_its_checkpoint_or_if_that_is_damaged_starts_again(
    request_for, tmp_path, monkeypatch
):
    request = request_for({"learning_rate": [0.02]}, search="grid", fixed=SMALL)
    real, resumed = study_module.carry_out, []
    trainer = real(
        plan_new(request.dataset, {"model_type": "SA", **SMALL, "learning_rate": 0.02}, path=tmp_path / "run")
    )
    scores = [line["valid_recall@50"] for line in read_metrics(tmp_path / "run")]

    def dies_after(steps):
        def carry_out(plan, follow, begin):
            def dying(validation):
                follow(validation)
                if validation.step == steps:
                    raise KeyboardInterrupt

            resumed.append(plan.resumes)
            return real(plan, dying, begin)

        return carry_out

    for damaged in (False, True):
        study = tmp_path / f"damaged-{damaged}"
        monkeypatch.setattr(study_module, "carry_out", dies_after(40))
        with pytest.raises(KeyboardInterrupt):
            search(request, study, 1)
        if damaged:
            for file in (study / "trials" / "0000" / "checkpoints").glob("ckpt*"):
                file.write_bytes(b"damaged")
        monkeypatch.setattr(study_module, "carry_out", dies_after(None))
        (found,) = search(request, study, 1)
        assert (found.score, found.best_step) == trainer.best_validation
        assert found.validations == dict(zip([20, 40, 60], scores, strict=True))
        assert [line["valid_recall@50"] for line in read_metrics(study / "trials" / "0000")] == scores
    assert resumed == [False, True, False, True, False]
