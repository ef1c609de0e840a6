"""What is known of each trial, for people and programs."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

BEST_STEP, REASON, SAME_AS = "best_step", "reason", "same_as"
"""Names of what a trial keeps in Optuna's storage besides its values."""
_STATES = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "running",
}


@dataclass(frozen=True)
class Record:
    """One trial.

    state: complete, pruned, failed or running; settings: the searched ones; score: of the best validation so far, at
    best_step; validations: step → score; reason: why it failed; same_as: an earlier trial with the same settings, whose
    result it has.
    """

    number: int
    state: str
    settings: dict[str, Any]
    score: float | None
    best_step: int | None
    validations: dict[int, float]
    reason: str | None = None
    same_as: int | None = None

    def to_json(self) -> dict[str, Any]:
        """As in trials.json."""
        return asdict(self)


def started(study: optuna.Study) -> list[FrozenTrial]:
    """The trials of a study that have begun, by their numbers."""
    return [trial for trial in study.get_trials(deepcopy=False) if trial.state in _STATES]


def records(study: optuna.Study) -> list[Record]:
    """The trials of a study that have begun, by their numbers."""
    return [_record(trial) for trial in started(study)]


def _record(trial: FrozenTrial) -> Record:
    seen, attributes = trial.intermediate_values, trial.user_attrs
    step = max(seen, key=lambda each: (seen[each], -each), default=None)
    score = None if step is None else seen[step]
    if trial.state == TrialState.COMPLETE:
        score, step = trial.value, attributes[BEST_STEP]
    return Record(
        trial.number,
        _STATES[trial.state],
        dict(trial.params),
        score,
        step,
        dict(seen),
        attributes.get(REASON),
        attributes.get(SAME_AS),
    )


def best_of(trials: Sequence[Record]) -> Record | None:
    """The complete trial with the highest score, of equal ones the first; None where none is complete."""
    complete = [trial for trial in trials if trial.state == "complete"]
    return max(complete, key=lambda trial: trial.score or 0.0, default=None)
