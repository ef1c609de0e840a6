"""How fast a run will be: some real steps and a part of a validation, measured. What they change is not kept."""

import time
from typing import Any, NamedTuple

import tensorflow as tf

from remi_tf.evaluation.evaluate import BATCH_SIZE
from remi_tf.evaluation.tally import users_with_targets
from remi_tf.quiet_loading import no_retracing_warnings
from remi_tf.systems import finish
from remi_tf.training.trainer import STEPS_PER_CALL, Trainer

STEPS, USERS = 20, 2 * BATCH_SIZE
"""Steps and validation users that are measured."""


class Speed(NamedTuple):
    """Seconds of a step, and of a validation of all its users, scaled from those of `users`, with what is done before
    it: the weights are checked, and the items' vectors are finished. Saving is not in it."""

    step: float
    validation: float
    users: int


def measure(trainer: Trainer) -> Speed:
    """Take STEPS steps and evaluate up to USERS users. The weights of the trainer are changed by it."""
    with no_retracing_warnings():
        return Speed(_step_seconds(trainer), *_validation_seconds(trainer))


def _step_seconds(trainer: Trainer) -> float:
    """Of a step, with its share of the weight average."""
    watch = _Watch()
    _fit(trainer, 1, watch)  # traces the graph
    watch.seconds = 0.0
    _fit(trainer, STEPS, watch)
    share = 0.0
    if trainer.average:
        trainer.average.update(trainer.model.optimizer.iterations)
        began = time.perf_counter()
        trainer.average.update(trainer.model.optimizer.iterations)
        share = (time.perf_counter() - began) / min(STEPS_PER_CALL, trainer.settings.training.eval_every)
    return watch.seconds / STEPS + share


def _fit(trainer: Trainer, steps: int, watch: "_Watch") -> None:
    batches = trainer.batches.from_step(trainer.model.optimizer.iterations.numpy())
    trainer.model.fit(batches, epochs=1, steps_per_epoch=steps, verbose=0, callbacks=[watch])


def _validation_seconds(trainer: Trainer) -> tuple[float, int]:
    """Of a whole validation, and how many users were evaluated for it."""
    found = users_with_targets(trainer.validation)
    number, users = len(found), len(found[:USERS])
    some = trainer.validation.first(int(found[:USERS][-1]) + 1)
    trainer.evaluator.evaluate(some)  # the first time is slower
    began = time.perf_counter()
    trainer.check_weights()
    finish(trainer.model)
    before = time.perf_counter() - began
    seconds = trainer.evaluator.evaluate(some).seconds
    return before + seconds * number / users, users


class _Watch(tf.keras.callbacks.Callback):
    """Adds up the time of the calls into the graph, without what `fit` does around them."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds, self._began = 0.0, 0.0

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._began = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.model.optimizer.iterations.numpy()  # waits for a GPU
        self.seconds += time.perf_counter() - self._began
