"""The settings of the next trial: a function of the search's seed, the trial's number and the trials before it.

So a search that is killed and goes on proposes what one would have proposed that never stopped.
"""

from typing import Any

import numpy as np
import optuna
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import Trial, TrialState

from remi_tf.settings.names import known_settings
from remi_tf.tuning.records import started
from remi_tf.tuning.request import Request
from remi_tf.tuning.space import Range


def next_trial(study: optuna.Study, request: Request, trials: int) -> tuple[Trial, bool] | None:
    """The trial that a killed search was at (and True), else a new one; None where there are `trials` already."""
    begun = started(study)
    if running := [trial for trial in begun if trial.state == TrialState.RUNNING]:
        study.sampler = _sampler(request, running[0].number)
        return Trial(study, running[0]._trial_id), True
    if len(begun) >= trials:
        return None
    study.sampler = _sampler(request, len(begun))
    if request.search == "grid" and not study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
        study.enqueue_trial(request.grid()[len(begun)])
    return study.ask(), False


def proposed(trial: Trial, request: Request) -> dict[str, Any]:
    """The values of the searched settings in a trial. Asked again, they are the same."""
    values: dict[str, Any] = {}
    for place, (name, choice) in enumerate(request.space.items()):
        trial.study.sampler = _sampler(request, trial.number, place)  # so that a search may be killed between two
        if not isinstance(choice, Range):
            values[name] = trial.suggest_categorical(name, choice.values)
        elif type(known_settings()[name].field.default) is int:
            values[name] = trial.suggest_int(name, int(choice.low), int(choice.high), log=choice.log)
        else:
            values[name] = trial.suggest_float(name, choice.low, choice.high, log=choice.log)
    return values


def _sampler(request: Request, number: int, place: int = 0) -> BaseSampler:
    """What draws the setting at this place of the space for a trial."""
    seed = int(np.random.SeedSequence([request.search_seed, number, place]).generate_state(1)[0])
    return TPESampler(seed=seed) if request.search == "tpe" else RandomSampler(seed=seed)
