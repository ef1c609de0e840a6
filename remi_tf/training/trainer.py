"""The training loop: train, validate, save, until budget or patience is used up. On CPU it resumes bit for bit."""

import time
from contextlib import nullcontext
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from remi_tf import progress
from remi_tf.data.dataset.folder import Dataset
from remi_tf.errors import InputError, TrainingDiverged
from remi_tf.evaluation import interest_report
from remi_tf.evaluation.evaluate import Evaluator
from remi_tf.evaluation.metrics import CUT_OFFS
from remi_tf.quiet_loading import no_retracing_warnings
from remi_tf.settings.encoders import needs
from remi_tf.settings.exclusion import excludes_history
from remi_tf.settings.selection import with_cut_off
from remi_tf.settings.settings import Settings
from remi_tf.training import run_folder
from remi_tf.training.batches import TrainingBatches, targets_ahead
from remi_tf.training.checkpoints import CheckpointKeeper
from remi_tf.training.interrupts import Interrupts
from remi_tf.training.measurements import (
    OnValidation,
    Validation,
    append_metrics,
    truncate_metrics,
    validation_users,
)
from remi_tf.training.new_model import fill_from_log, new_model
from remi_tf.training.optimizers import make_optimizer
from remi_tf.training.recovery import Progress, restore_newest, settle_best
from remi_tf.training.warm_start import WarmStart, take_over
from remi_tf.training.watch import Watch
from remi_tf.training.weight_average import KeepAverage, WeightAverage

STEPS_PER_CALL = 50


class Trainer:
    """Trains one model in one run folder; touches the folder only in `restore` and `train`.

    Args:
      path: the run folder.
      settings: the run's settings.
      dataset: the data to train on.
      before: a finished run whose weights training starts from.
      verify: whether restored checkpoints are compared with their checksums.

    Raises:
      InputError: settings that cannot be built, times that the dataset lacks, or no user to train or to validate on.
    """

    def __init__(
        self,
        path: Path,
        settings: Settings,
        dataset: Dataset,
        before: run_folder.SavedRun | None = None,
        verify: bool = True,
    ):
        self.path, self.settings, self.dataset, self.verify = path, settings, dataset, verify
        if "days" in needs(settings.encoder) and not dataset.has_times:
            raise InputError(
                f"--model_type {settings.encoder.model_type}: it reads the days between items, and {dataset.path} "
                "holds only their order; prepare the log with --time_col (and another --time_unit than none), or take "
                "--model_type SA"
            )
        asks_ahead = settings.objective.targets == "future"
        ahead = targets_ahead(dataset.train.lengths, dataset.valid) if asks_ahead else None
        self.batches = TrainingBatches(
            dataset.train,
            batch_size=settings.training.batch_size,
            max_history=settings.encoder.max_history,
            first_target=settings.training.first_target,
            seed=settings.training.seed,
            needs=needs(settings.encoder),
            ahead=ahead,
        )
        shares = partial(self.batches.target_shares, dataset.num_items)
        self.model = new_model(settings, dataset, shares)
        self.validation = validation_users(dataset, settings.training.eval_users)
        run_folder.build(self.model)
        self.warm_start: WarmStart | None = take_over(self.model, before, dataset) if before else None
        optimizer = make_optimizer(settings.training)
        optimizer.build(self.model.trainable_variables)
        self.model.compile(optimizer=optimizer, steps_per_execution=min(STEPS_PER_CALL, settings.training.eval_every))
        self.progress, self._validates_first, self._is_new = Progress(), False, before is None
        average_steps = settings.training.average_steps
        self.average = WeightAverage(self.model.trainable_variables, average_steps) if average_steps else None
        excluded = excludes_history(settings.training.exclude_history, lambda: dataset.repeats)
        self.evaluator = Evaluator(self.model, with_cut_off(CUT_OFFS, settings.training.select), excluded)
        self.max_steps = settings.training.max_steps

    @cached_property
    def checkpoints(self) -> CheckpointKeeper:
        """The run's newest full states."""
        return self._states(self.path)

    def _states(self, path: Path) -> CheckpointKeeper:
        parts = {"model": self.model, "optimizer": self.model.optimizer, "progress": self.progress}
        state = tf.train.Checkpoint(**parts, **({"average": self.average} if self.average else {}))
        return CheckpointKeeper(state, path / run_folder.CHECKPOINTS, check=self.verify)

    def save_start(self, path: Path) -> dict[str, Any]:
        """Write the state after a warm start into a new run folder; return what its config.json says about it."""
        if self.warm_start is None:
            return {}
        self._states(path).save(0)
        self._validates_first = True
        return {"warm_start": self.warm_start.to_json()}

    @cached_property
    def best(self) -> CheckpointKeeper:
        """The best weights; the second best stay for whoever is reading them at this moment."""
        return run_folder.best_keeper(self.model, self.path, self.verify)

    @cached_property
    def watch(self) -> Watch:
        """Says so if training makes the model worse."""
        rate = self.settings.training.learning_rate
        return Watch(self.path, self.model.objective.parts, self.dataset.num_items, rate)

    @cached_property
    def events(self) -> Any:
        """TensorBoard's writer."""
        return tf.summary.create_file_writer(str(self.path / "tensorboard"))

    @property
    def step(self) -> int:
        """Steps taken so far."""
        return int(self.progress.step.numpy())

    @property
    def is_over(self) -> bool:
        """Whether the budget or the patience is used up."""
        return self.step >= self.max_steps or self._out_of_patience

    @property
    def _out_of_patience(self) -> bool:
        return int(self.progress.bad_validations.numpy()) > self.settings.training.patience

    @property
    def best_validation(self) -> tuple[float, int]:
        """The best score of the validations so far, and the step that it belongs to."""
        return float(self.progress.best_score.numpy()), int(self.progress.best_step.numpy())

    def restore(self) -> None:
        """Take up the newest good checkpoint, if there is one, and make best/ and metrics.jsonl agree with it.

        Raises:
          InputError: the run had checkpoints, and none of them is good.
        """
        reached = restore_newest(self.checkpoints, self.path)
        self._is_new = reached is None
        if reached is not None:
            self.model.optimizer.learning_rate.assign(self.settings.training.learning_rate)  # --resume may change it
        is_warm = reached == 0 and not self.progress.has_best
        lost = settle_best(self.best, self.progress, self.path, self.settings.training.select)
        self._validates_first = lost or is_warm
        known = self.step - 1 if self._validates_first else self.step if self.progress.has_best else -1
        truncate_metrics(self.path, known)

    def train(self, on_validation: OnValidation | None = None) -> bool:
        """Train until the budget or the patience is used up.

        Args:
          on_validation: called with each Validation.

        Returns:
          Whether training came to its end; False after an interrupt, with everything saved for --resume.

        Raises:
          TrainingDiverged: a loss part became NaN or infinite.
        """
        training, began = self.settings.training, self.step
        self._begin()
        with Interrupts() as interrupts, self._bar() as bar, no_retracing_warnings():
            if self._validates_first:
                self._validate_first(bar, on_validation)
            while not self.is_over:
                start = self.step
                end = min((start // training.eval_every + 1) * training.eval_every, self.max_steps)
                reached = self._fit(start, end, bar, interrupts)
                if reached == end:
                    self._validate(bar, on_validation)
                self.checkpoints.save(reached)
                if interrupts.came:
                    return False
            if self._out_of_patience and self.step > began:
                self.watch.end(int(self.progress.best_step.numpy()))
        return True

    def _begin(self) -> None:
        """Fill the item table of a run that has no state yet. One killed before its first checkpoint begins again."""
        if self._is_new and self.step == 0 and self.settings.training.init == "spectral":
            fill_from_log(self.model, self.dataset, self.settings.training.seed)
            if self.average:
                self.average.begin()

    def _validate_first(self, bar: tqdm, on_validation: OnValidation | None) -> None:
        """Validate before any step: a warm start may be the best there will be, or lost best weights are replaced."""
        bad_validations = self.progress.bad_validations.numpy()
        self._validate(bar, on_validation)
        if self.step:
            self.progress.bad_validations.assign(bad_validations)  # the budget and the patience stay what they were
            self.checkpoints.save(self.step)

    def _fit(self, start: int, end: int, bar: tqdm, interrupts: Interrupts) -> int:
        callbacks = [_Follow(self, bar, interrupts), *([KeepAverage(self.average)] if self.average else [])]
        self.model.fit(self.batches.from_step(start), steps_per_epoch=end - start, verbose=0, callbacks=callbacks)
        self.progress.step.assign(self.model.optimizer.iterations)
        self.check_weights()
        return self.step

    def check_finite(self) -> dict[str, float]:
        """Means of the loss parts over the interval so far; empty if no step was taken.

        Raises:
          TrainingDiverged: one of them is not finite.
        """
        means, finite_steps, steps = self.model.read_loss_sums()
        first = min(finite_steps, key=lambda part: finite_steps[part])
        if finite_steps[first] < steps:
            before = int(self.model.optimizer.iterations.numpy()) - steps
            raise self._diverged(before + finite_steps[first] + 1, f"the loss part {first!r} is no longer finite")
        return means if steps else {}

    def check_weights(self) -> None:
        """Raise TrainingDiverged if a weight is not finite."""
        for variable in self.model.trainable_variables:
            if not np.isfinite(variable.numpy()).all():
                raise self._diverged(self.step, f"{variable.name} holds NaN or infinite numbers")

    def _diverged(self, step: int, what: str) -> TrainingDiverged:
        values = self.settings.flat()
        now = ", ".join(f"--{name} (now {values[name]})" for name in ("learning_rate", "beta", "rr_lambda"))
        saved = self.checkpoints.newest
        state = (
            f"{saved} is untouched: go on from it with --resume and a smaller --learning_rate, or start again with"
            if saved
            else "There is no checkpoint yet: start again with"
        )
        return TrainingDiverged(f"step {step}: {what}. {state} a smaller {now}.")

    def _validate(self, bar: tqdm, on_validation: OnValidation | None) -> None:
        losses = self.check_finite()
        self.watch.see(self.step, losses)
        with self.average.in_place() if self.average else nullcontext():
            self._measure(losses, bar, on_validation)

    def _measure(self, losses: dict[str, float], bar: tqdm, on_validation: OnValidation | None) -> None:
        result = self.evaluator.evaluate(self.validation)
        scores = {f"valid_{name}": float(value) for name, value in result.means.items()}
        score = float(result.means[metric := self.settings.training.select])
        better = score > self.progress.best_score.numpy()
        if better:
            self.progress.best_score.assign(score)
            self.progress.best_step.assign(self.step)
            self.best.save(self.step)
        self.progress.bad_validations.assign(0 if better else self.progress.bad_validations + 1)
        self.model.reset_loss_sums()
        line = {"step": self.step, **{f"loss_{part}": value for part, value in losses.items()}, **scores}
        line |= {f"valid_{name}": value for name, value in interest_report.flat(result.interests).items()}
        append_metrics(self.path, {**line, "time": time.time()})
        with self.events.as_default(step=self.step):
            for name, value in line.items():
                tf.summary.scalar(name, value)
        self.events.flush()
        bar.set_description(f"{self._name}, {metric} {score:.4f}", refresh=False)
        if on_validation is not None:
            on_validation(Validation(self.step, sum(losses.values()) if losses else None, result.means, better, metric))

    @property
    def _name(self) -> str:
        return f"{self.settings.encoder.model_type} on {self.dataset.name}"

    def _bar(self) -> tqdm:
        return progress.bar(self._name, total=self.max_steps, initial=self.step, unit="step", only_watched=False)


class _Follow(tf.keras.callbacks.Callback):
    """Moves the progress bar and ends fit after an interrupt."""

    def __init__(self, trainer: Trainer, bar: tqdm, interrupts: Interrupts):
        super().__init__()
        self.trainer, self.bar, self.interrupts = trainer, bar, interrupts

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        losses = self.trainer.check_finite()
        parts = {part: f"{value:.4f}" for part, value in losses.items()}
        self.bar.set_postfix({"loss": f"{sum(losses.values()):.4f}", **parts}, refresh=False)
        self.bar.update(int(self.model.optimizer.iterations.numpy()) - self.bar.n)
        if self.interrupts.came:
            self.model.stop_training = True
