"""Counting instead of training: choose settings on validation users, count once, validate, save."""

import dataclasses
import time
from collections.abc import Collection
from functools import cached_property
from pathlib import Path
from typing import Any

from absl import logging

from remi_tf.data.dataset.folder import Dataset
from remi_tf.errors import InputError
from remi_tf.evaluation.choice import Choice, choose
from remi_tf.evaluation.evaluate import evaluate
from remi_tf.evaluation.metrics import CUT_OFFS
from remi_tf.settings.exclusion import excludes_history
from remi_tf.settings.selection import with_cut_off
from remi_tf.settings.settings import Settings
from remi_tf.systems import make_counted
from remi_tf.training import run_folder
from remi_tf.training.checkpoints import CheckpointKeeper
from remi_tf.training.measurements import (
    OnValidation,
    Validation,
    append_metrics,
    read_metrics,
    truncate_metrics,
    validation_users,
)


class Counter:
    """Counts one model in one run folder: what Trainer is for a model that learns. Its only step is step 1.

    It touches the folder only in `restore` and `train`.

    Attributes:
      settings: the run's settings, with what was chosen.
      choice: how that was chosen; None where nothing was.
      warm_start: None; counts start from nothing.

    Args:
      path: the run folder.
      settings: the run's settings.
      dataset: the data to count.
      given: names of settings that are not chosen because somebody gave them; None chooses nothing.
      verify: whether what is restored is compared with its checksum.

    Raises:
      InputError: a catalogue that the model cannot be counted for, or no validation user with a target.
    """

    max_steps = 1
    warm_start = None

    def __init__(
        self, path: Path, settings: Settings, dataset: Dataset, given: Collection[str] | None, verify: bool = True
    ):
        self.path, self.settings, self.dataset, self.verify = path, settings, dataset, verify
        self.validation = validation_users(dataset, settings.training.eval_users)
        self.excludes_history = excludes_history(settings.training.exclude_history, lambda: dataset.repeats)
        self.step, self.choice = 0, None
        self.model = make_counted(settings, dataset.num_items)
        if given is not None:
            self.choice = self._choose(given)

    def _choose(self, given: Collection[str]) -> Choice | None:
        training, excluded = self.settings.training, self.excludes_history
        choice = choose(self.model, self.dataset, given, training.select, training.eval_users, excluded, progress=True)
        if choice is not None:
            self.settings = dataclasses.replace(self.settings, encoder=choice.settings)
        return choice

    @cached_property
    def best(self) -> CheckpointKeeper:
        """What was counted."""
        return run_folder.best_keeper(self.model, self.path, self.verify)

    @property
    def is_over(self) -> bool:
        """Whether everything is counted."""
        return self.step >= self.max_steps

    @property
    def best_validation(self) -> tuple[float, int]:
        """The score of the validation, and its step."""
        lines = read_metrics(self.path)
        return (float(lines[-1][f"valid_{self.settings.training.select}"]), self.step) if lines else (-1.0, self.step)

    def save_start(self, path: Path) -> dict[str, Any]:
        """What config.json says about the choice."""
        return {"choice": self.choice.to_json()} if self.choice else {}

    def restore(self) -> None:
        """Take up what was counted; what is not there, or damaged, is counted again."""
        try:
            self.step = self.best.restore() or 0
        except InputError as error:
            logging.warning("%s; it is counted again", error)

    def train(self, on_validation: OnValidation | None = None) -> bool:
        """Count, validate and save.

        Args:
          on_validation: called with the only Validation.

        Returns:
          True.
        """
        if self.is_over:
            return True
        self.model.count(self.dataset.train, self.settings.encoder)
        top_n = with_cut_off(CUT_OFFS, self.settings.training.select)
        result = evaluate(self.model, self.validation, top_n, self.excludes_history)
        self.best.save(self.max_steps)
        truncate_metrics(self.path, self.step)
        self.step = self.max_steps
        scores = {f"valid_{name}": value for name, value in result.means.items()}
        append_metrics(self.path, {"step": self.step, **scores, "time": time.time()})
        if on_validation is not None:
            on_validation(Validation(self.step, None, result.means, True, self.settings.training.select))
        return True
