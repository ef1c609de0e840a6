"""The search: trial after trial, each a run like any other, scored on validation users."""

import gc
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import tensorflow as tf
from absl import logging
from optuna.pruners import MedianPruner
from optuna.trial import Trial, TrialState

from remi_tf.errors import InputError, TrainingDiverged, disk_error
from remi_tf.files import write_json
from remi_tf.training.counter import Counter
from remi_tf.training.measurements import OnValidation, Validation
from remi_tf.training.plan import Plan, carry_out, plan_new, plan_resume
from remi_tf.training.run_config import CONFIG
from remi_tf.training.trainer import Trainer
from remi_tf.tuning.proposals import next_trial, proposed
from remi_tf.tuning.records import BEST_STEP, REASON, SAME_AS, Record, best_of, records, started
from remi_tf.tuning.request import Request
from remi_tf.tuning.space import combinations
from remi_tf.tuning.study_folder import RUNS, TRIALS, opened_study

NEVER_PRUNED = 1
"""So many validations of a trial are only looked at: models with small steps begin slowly."""
COMPLETE_FIRST = 5
"""Complete trials before one is pruned."""

OnTrial = Callable[[Record, bool], None]


def run_folder_of(path: Path, number: int) -> Path:
    """The run folder of a trial of the study in the folder `path`."""
    return path / RUNS / f"{number:04d}"


def search(
    request: Request, path: Path, trials: int, *, verify: bool = True, on_trial: OnTrial | None = None
) -> list[Record]:
    """Carry out trials until there are `trials` of them. Those of an earlier call count; one that was killed goes on.

    Args:
      path: the study folder, made if it is missing.
      verify: compare checksums of what a trial goes on from.
      on_trial: called with each trial that ends, and whether it is the best so far.

    Returns:
      All trials.

    Raises:
      InputError: another study is there, another process searches in it, or it cannot be written.
      TrainingInterrupted: Ctrl-C or SIGTERM during a trial; the same call goes on.
    """
    with opened_study(path, request) as study:
        study.pruner = MedianPruner(n_startup_trials=COMPLETE_FIRST)
        going = _Search(study, request, path, verify)
        going.write_down()
        while (following := next_trial(study, request, trials)) is not None:
            trial, goes_on = following
            going.carry_out(trial, goes_on)
            found = going.write_down()
            if on_trial is not None:
                best = best_of(found)
                on_trial(found[trial.number], best is not None and best.number == trial.number)
            tf.keras.backend.clear_session()
            gc.collect()
        return records(study)


class _Pruned(Exception):
    """A trial is worse than most; ends its training."""


class _Refused(Exception):
    """A run's settings cannot be built, or its folder cannot be gone on with."""


class _Search:
    """The trials of one open study."""

    def __init__(self, study: optuna.Study, request: Request, path: Path, verify: bool):
        self.study, self.request, self.path, self.verify = study, request, path, verify
        self.metric = request.compose(next(combinations(request.space))).training.select

    def write_down(self) -> list[Record]:
        """Write trials.json, and delete run folders that nobody asked to keep. Returns all trials."""
        found = records(self.study)
        best = best_of(found)
        content = {"format_version": 1, "metric": self.metric, "best": best.number if best else None}
        write_json(self.path / TRIALS, {**content, "trials": [each.to_json() for each in found]})
        for each in found:
            if not self.request.keep_runs and each.state != "running" and each != best:
                shutil.rmtree(run_folder_of(self.path, each.number), ignore_errors=True)
        return found

    def carry_out(self, trial: Trial, goes_on: bool) -> None:
        """Train a trial to its end, from where it stands if it goes on, and tell the study what came of it."""
        values = proposed(trial, self.request)
        if (twin := self._twin(values)) is not None:
            trial.set_user_attr(SAME_AS, twin.number)
            self._complete(trial, twin.value or 0.0, twin.user_attrs[BEST_STEP])
            return
        try:
            trainer = self._train(trial, values, goes_on)
        except _Pruned:
            self.study.tell(trial, state=TrialState.PRUNED)
        except (TrainingDiverged, _Refused) as error:
            self._fail(trial, str(error))
        except tf.errors.ResourceExhaustedError as error:
            if disk_error(error) is not None:
                raise
            self._fail(trial, f"the memory of the device does not hold it ({str(error).splitlines()[0]})")
        else:
            self._complete(trial, *trainer.best_validation)

    def _complete(self, trial: Trial, score: float, best_step: int) -> None:
        trial.set_user_attr(BEST_STEP, best_step)
        self.study.tell(trial, score)

    def _fail(self, trial: Trial, reason: str) -> None:
        trial.set_user_attr(REASON, reason)
        self.study.tell(trial, state=TrialState.FAIL)

    def _twin(self, values: dict[str, Any]) -> optuna.trial.FrozenTrial | None:
        """An earlier complete trial with these values: the same run, so it is not trained again."""
        same = [each for each in started(self.study) if each.params == values and each.state == TrialState.COMPLETE]
        return same[0] if same else None

    def _train(self, trial: Trial, values: dict[str, Any], goes_on: bool) -> Trainer | Counter:
        path = run_folder_of(self.path, trial.number)
        there = (path / CONFIG).is_file()
        follow = self._follower(trial)
        if there and goes_on:
            try:
                return _carry_out(lambda: plan_resume(path, {}, verify=self.verify), follow)
            except _Refused as error:
                logging.warning("%s; trial %s starts again", error, trial.number)
        request = self.request
        explicit, recipe = request.trained_with(values), request.recipe
        return _carry_out(
            lambda: plan_new(request.dataset, explicit, remi=request.remi, recipe=recipe, path=path, overwrite=there),
            follow,
        )

    def _follower(self, trial: Trial) -> OnValidation:
        """What looks at each validation of a trial. It raises _Pruned where the trial is worse than most."""
        seen = set(self.study.get_trials(deepcopy=False)[trial.number].intermediate_values)

        def follow(validation: Validation) -> None:
            if validation.step not in seen:
                trial.report(validation.score, validation.step)
                seen.add(validation.step)
            if self.request.pruning == "median" and len(seen) > NEVER_PRUNED and trial.should_prune():
                raise _Pruned

        return follow


def _carry_out(make_plan: Callable[[], Plan], follow: OnValidation) -> Trainer | Counter:
    """Train.

    Raises:
      _Refused: the run was refused before its first step, and not by the operating system or another process.
    """
    begun = False

    def begin(*_: object) -> None:
        nonlocal begun
        begun = True

    try:
        return carry_out(make_plan(), follow, begin)
    except InputError as error:
        if begun or isinstance(error.__cause__, OSError):
            raise
        raise _Refused(str(error)) from error
