"""The fit loop: train an interval, validate, save, until patience or the budget ends. Resumable bit for bit on CPU."""

import math
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

import tensorflow as tf
from absl import logging
from tqdm import tqdm

from remi_tf import run as run_folder
from remi_tf.config import Settings
from remi_tf.data.interactions import Dataset, Interactions
from remi_tf.data.pipeline import TrainingBatches
from remi_tf.errors import TrainingDiverged
from remi_tf.evaluation import evaluate
from remi_tf.model import MultiInterestModel
from remi_tf.optimizers import make_optimizer

STEPS_PER_CALL = 50
SELECTION = "recall@50"


class Progress(tf.Module):
    """What a run knows of itself beside the weights; saved with them."""

    def __init__(self) -> None:
        super().__init__()
        self.step = tf.Variable(0, dtype=tf.int64)
        self.best_score = tf.Variable(-1.0, dtype=tf.float64)
        self.best_step = tf.Variable(0, dtype=tf.int64)
        self.bad_validations = tf.Variable(0, dtype=tf.int64)
        self.finished = tf.Variable(False)


class Trainer:
    """Trains one model in one run folder.

    Args:
      path: the run folder, made by `run.create_run`.
      settings: the run's settings.
      dataset: the data they are trained on.
      model: made of these settings for this dataset.
    """

    def __init__(self, path: Path, settings: Settings, dataset: Dataset, model: MultiInterestModel):
        self.path, self.settings, self.dataset = path, settings, dataset
        self.validation = _first_users(dataset.valid, settings.training.eval_users)
        self.batches = TrainingBatches(
            dataset.train,
            batch_size=settings.training.batch_size,
            max_history=settings.encoder.max_history,
            first_target=settings.training.first_target,
            seed=settings.training.seed,
            with_days=model.encoder.needs_days,
        )
        self.model = model
        run_folder.build(model)
        optimizer = make_optimizer(settings.training)
        optimizer.build(self.model.trainable_variables)
        self.model.compile(optimizer=optimizer, steps_per_execution=min(STEPS_PER_CALL, settings.training.eval_every))
        self.progress = Progress()
        state = tf.train.Checkpoint(model=self.model, optimizer=optimizer, progress=self.progress)
        self.checkpoints = tf.train.CheckpointManager(state, str(path / run_folder.CHECKPOINTS), max_to_keep=2)
        self.best = tf.train.CheckpointManager(
            run_folder.weights(self.model), str(path / run_folder.BEST), max_to_keep=1
        )
        self.events = tf.summary.create_file_writer(str(path / "tensorboard"))

    @property
    def step(self) -> int:
        return int(self.progress.step.numpy())

    def restore(self) -> None:
        """Take up the newest checkpoint, if there is one."""
        checkpoint = self.checkpoints.latest_checkpoint
        if checkpoint is None:
            logging.info("%s has no checkpoint yet: starting from step 0", self.path)
        else:
            self.checkpoints.checkpoint.restore(checkpoint).assert_consumed()
        run_folder.truncate_metrics(self.path, self.step)

    def train(self) -> bool:
        """Train to the end of the budget or of the patience.

        Returns:
          Whether training came to its end; False after an interrupt, with everything saved for --resume.

        Raises:
          TrainingDiverged: a loss part became NaN or infinite.
        """
        training = self.settings.training
        with _Interrupts() as interrupts, self._bar() as bar:
            while self.step < training.max_steps and not self._out_of_patience():
                start = self.step
                end = min((start // training.eval_every + 1) * training.eval_every, training.max_steps)
                reached = self._fit(start, end, bar, interrupts)
                if reached == end:
                    self._validate(bar)
                self.checkpoints.save(checkpoint_number=reached)
                if interrupts.came:
                    return False
        return True

    def _fit(self, start: int, end: int, bar: tqdm, interrupts: "_Interrupts") -> int:
        follow = _Follow(self, bar, interrupts)
        batches = self.batches.from_step(start)
        self.model.fit(batches, epochs=1, steps_per_epoch=end - start, verbose=0, callbacks=[follow])
        self.progress.step.assign(self.model.optimizer.iterations)
        return self.step

    def check_finite(self) -> dict[str, float]:
        """Mean loss parts of the interval so far.

        Raises:
          TrainingDiverged: one of them is not finite.
        """
        means, finite_steps, steps = self.model.read_loss_sums()
        bad = [part for part, value in means.items() if not math.isfinite(value)]
        if bad:
            step = int(self.model.optimizer.iterations.numpy()) - steps + finite_steps
            values = self.settings.flat()
            now = ", ".join(f"--{name} (now {values[name]})" for name in ("learning_rate", "beta", "rr_lambda"))
            raise TrainingDiverged(
                f"step {step}: the loss part {bad[0]!r} is {means[bad[0]]}. The last checkpoint (step {self.step}) is "
                f"untouched in {self.path}. Try a smaller {now}."
            )
        return means

    def _validate(self, bar: tqdm) -> None:
        losses = self.check_finite()
        result = evaluate(self.model, self.validation, top_n=(20, 50))
        scores = {f"valid_{name}": float(value) for name, value in result.means.items()}
        score = float(result.means[SELECTION])
        better = score > self.progress.best_score.numpy()
        if better:
            self.progress.best_score.assign(score)
            self.progress.best_step.assign(self.step)
        self.progress.bad_validations.assign(0 if better else self.progress.bad_validations + 1)
        self.model.reset_loss_sums()
        if better:
            self.best.save(checkpoint_number=self.step)
        line = {"step": self.step, **{f"loss_{part}": value for part, value in losses.items()}, **scores}
        run_folder.append_metrics(self.path, {**line, "time": time.time()})
        with self.events.as_default(step=self.step):
            for name, value in line.items():
                tf.summary.scalar(name, value)
        self.events.flush()
        mark = " *" if better else ""
        bar.write(
            f"step {self.step:,}  loss {sum(losses.values()):.4f}  "
            + "  ".join(f"{name} {result.means[name]:.4f}" for name in ("recall@20", "recall@50", "hit_rate@50"))
            + mark
        )

    def _out_of_patience(self) -> bool:
        return int(self.progress.bad_validations.numpy()) > self.settings.training.patience

    def _bar(self) -> tqdm:
        return tqdm(
            total=self.settings.training.max_steps,
            initial=self.step,
            unit="step",
            dynamic_ncols=True,
            mininterval=0.5 if sys.stderr.isatty() else 30.0,
            desc=f"{self.settings.encoder.model_type} on {self.dataset.name}",
        )


class _Follow(tf.keras.callbacks.Callback):
    """Moves the progress bar and ends fit after an interrupt."""

    def __init__(self, trainer: Trainer, bar: tqdm, interrupts: "_Interrupts"):
        super().__init__()
        self.trainer, self.bar, self.interrupts = trainer, bar, interrupts

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        losses = self.trainer.check_finite()
        parts = {part: f"{value:.4f}" for part, value in losses.items()}
        self.bar.set_postfix({"loss": f"{sum(losses.values()):.4f}", **parts}, refresh=False)
        self.bar.update(int(self.model.optimizer.iterations.numpy()) - self.bar.n)
        if self.interrupts.came:
            self.model.stop_training = True


class _Interrupts:
    """Within the block, Ctrl-C and SIGTERM are noted instead of breaking a step in two; a second Ctrl-C breaks."""

    def __enter__(self) -> "_Interrupts":
        self.came = False
        self._before = {number: signal.signal(number, self._note) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.came:
            raise KeyboardInterrupt
        self.came = True


def _first_users(interactions: Interactions, users: int) -> Interactions:
    if not 0 < users < interactions.num_users:
        return interactions
    end = interactions.offsets[users]
    return Interactions(
        interactions.items[:end],
        interactions.timestamps[:end],
        interactions.offsets[: users + 1],
        interactions.cuts[:users],
    )


def run_training(path: Path, settings: Settings, dataset: Dataset, resume: bool, overwrite: bool) -> int:
    """Make or reopen a run folder, train in it, tell how it went and what to do next.

    Returns:
      Exit code: 0 at the end of training, 130 after an interrupt.
    """
    model = MultiInterestModel(settings, dataset.num_items)  # before the folder: what cannot be built leaves none
    if not resume:
        run_folder.create_run(path, settings, dataset, overwrite)
    trainer = Trainer(path, settings, dataset, model)
    if resume:
        trainer.restore()
        print(f"Resuming {path} at step {trainer.step:,}.")
    finished = trainer.train()
    score, best_step = trainer.progress.best_score.numpy(), trainer.progress.best_step.numpy()
    if not finished:
        print(f"Stopped at step {trainer.step:,}; everything is saved. Go on with:")
        print(f"  python train.py --resume --run_dir {path}")
        return 130
    print(f"Finished at step {trainer.step:,}; best validation {SELECTION} {score:.4f} at step {best_step:,}. Next:")
    print(f"  python evaluate.py --run_dir {path}")
    return 0
