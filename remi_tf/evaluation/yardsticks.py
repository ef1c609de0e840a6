"""Counted models that an evaluation is printed next to: counted from the run's data while the user waits."""

import contextlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from remi_tf.counted.base import CountedModel
from remi_tf.data.dataset.folder import Dataset
from remi_tf.errors import InputError, command
from remi_tf.evaluation.choice import Choice, choose
from remi_tf.files import write_json
from remi_tf.settings.presets import compose
from remi_tf.systems import make_counted

MOST_PAIRS = 1_000_000_000
"""Pairs of items of one user, over all training users, up to which ItemKNN is counted: about a minute's work."""

USERS = 1000
"""Validation users that choose ItemKNN's settings, at most: the user of a command waits for them."""


def most_popular(dataset: Dataset) -> CountedModel:
    """Pop, counted from the training users."""
    model = _default("Pop", dataset)
    model.count(dataset.train)
    return model


def item_knn(
    dataset: Dataset, metric: str, exclude_history: bool, remembered: Path | None = None, progress: bool = False
) -> tuple[CountedModel | None, str]:
    """ItemKNN with its settings chosen on validation users, and a line that says how.

    Args:
      metric: what decides, such as recall@50.
      exclude_history: whether the history is left out of the lists that decide.
      remembered: a JSON file that keeps the choice for the next time; None chooses every time.
      progress: show a progress bar on a terminal.

    Returns:
      (None, why) where it would take long, or more memory than there is.
    """
    pairs = int((np.asarray(dataset.train.lengths, np.float64) ** 2).sum())
    if pairs > MOST_PAIRS:
        once = command("train", "--dataset", dataset.path, "--model_type", "ItemKNN")
        return None, f"ItemKNN is left out, as {pairs:,} pairs of items would take long; {once} counts it once"
    try:
        model = _default("ItemKNN", dataset)
    except InputError as error:
        return None, f"ItemKNN is left out: {error}"
    asked = {"dataset": dataset.fingerprint, "metric": metric, "exclude_history": exclude_history, "most_users": USERS}
    choice = _remembered(remembered, asked, model) if remembered else None
    if choice is None:
        choice = choose(model, dataset, (), metric, USERS, exclude_history, progress)
        if choice and remembered:
            with contextlib.suppress(OSError, InputError):  # it only saves time
                write_json(remembered, {**choice.to_json(), **asked})
    model.count(dataset.train, choice.settings if choice else None)
    return model, f"ItemKNN: {choice.sentence() if choice else 'default settings, no validation user has a target'}"


def _remembered(file: Path, asked: dict[str, Any], model: CountedModel) -> Choice | None:
    """The choice in a file, if it was made for what is asked now."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        if any(content[name] != value for name, value in asked.items()):
            return None
        return Choice.from_json(content, model.settings)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, InputError):  # not there, or nothing of ours
        return None


def _default(model_type: str, dataset: Dataset) -> CountedModel:
    settings = compose(dataset.name, "default", False, {"model_type": model_type})
    return make_counted(settings, dataset.num_items)
