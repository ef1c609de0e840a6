"""The boost of a run on disk, in its folder `boost/`: a checkpoint of the step whose weights it was chosen for.

choice.json says what was chosen, from what, and what it brings on validation users.
"""

from pathlib import Path

import tensorflow as tf
from absl import logging

from remi_tf.counted.boost import CountedBoost
from remi_tf.errors import InputError, command
from remi_tf.settings.settings import Settings
from remi_tf.training.checkpoints import CheckpointKeeper

BOOST, CHOICE = "boost", "choice.json"


def make_boost(settings: Settings, num_items: int, num_cold: int) -> CountedBoost:
    """An empty boost by a run's settings."""
    return CountedBoost(settings.boost.boost_neighbours, num_items, settings.encoder.max_history, num_cold)


def boost_keeper(path: Path, boost: CountedBoost, verify: bool) -> CheckpointKeeper:
    """Saves and restores the boost of the run in the folder `path`."""
    return CheckpointKeeper(tf.train.Checkpoint(**boost.tables), path / BOOST, check=verify)


def restore_boost(
    path: Path, settings: Settings, num_items: int, num_cold: int, step: int, verify: bool
) -> CountedBoost | None:
    """The boost that was chosen for the best weights, those of `step`; None where there is none, or none helped.

    Where the run is to have one, a warning says why there is none.

    Raises:
      InputError: it is damaged.
    """
    if settings.boost.boost == "none":
        return None
    boost, resume = make_boost(settings, num_items, num_cold), command("train", "--resume", "--run_dir", path)
    try:
        if boost_keeper(path, boost, verify).restore() == step:
            return boost if boost.adds else None
    except InputError as error:
        raise InputError(f"{error}; {resume} counts it again") from error
    logging.warning("%s: lists are without the boost, which is chosen when training ends; go on with %s", path, resume)
    return None
