"""What a resumed run takes up, whatever has happened to its folder: its state, and best weights that agree with it."""

from pathlib import Path

import tensorflow as tf
from absl import logging

from remi_tf.errors import InputError
from remi_tf.training.checkpoints import STATE_FILE, CheckpointKeeper
from remi_tf.training.measurements import count_lines, read_metrics


class Progress(tf.Module):
    """What a run knows of itself next to the weights; saved with them."""

    def __init__(self) -> None:
        super().__init__()
        self.step = tf.Variable(0, dtype=tf.int64)
        self.best_score = tf.Variable(-1.0, dtype=tf.float64)
        self.best_step = tf.Variable(0, dtype=tf.int64)
        self.bad_validations = tf.Variable(0, dtype=tf.int64)

    @property
    def has_best(self) -> bool:
        """Whether a validation has chosen weights."""
        return bool(self.best_score.numpy() >= 0)


def restore_newest(checkpoints: CheckpointKeeper, path: Path) -> int | None:
    """Take up the newest good checkpoint of the run in `path`.

    Returns:
      Its step; None where none was saved yet: the run was stopped before its first one.

    Raises:
      InputError: there is none that is good, and the run had one.
    """
    again = f"start again with --overwrite, or from its best weights: --warm_start {path} and another --run_dir"
    folder = checkpoints.folder
    # The first save of a killed process leaves the data of a checkpoint and one measurement at most.
    there = checkpoints.steps() and (any(folder.glob("ckpt-*.index")) or any(folder.glob("ckpt-*.json")))
    if there or (folder / STATE_FILE).exists() or count_lines(path) > 1:
        try:
            reached = checkpoints.restore()
        except InputError as error:
            raise InputError(f"{error}; {again}") from error
        if reached is None:
            raise InputError(f"{path} was trained, and {folder} holds no checkpoint any more; {again}")
        return reached
    logging.info("%s has no checkpoint yet: starting from step 0", path)
    return None


def settle_best(best: CheckpointKeeper, progress: Progress, path: Path, metric: str) -> bool:
    """Make best/ and the restored progress agree.

    Weights of a later step are removed: they belong to a way that this run does not go again as it was. Where the best
    weights themselves are damaged or gone, the ones before take their place.

    Args:
      metric: what the best weights are chosen by.

    Returns:
      Whether nothing is left of what the progress calls the best, so that the present weights are to be validated.
    """
    last = int(progress.best_step.numpy()) if progress.has_best else -1
    for step in best.steps():
        if step > last:
            best.remove(step)
    if not progress.has_best:
        return False
    try:
        found = best.newest_good()
    except InputError as error:
        logging.warning("%s; the present weights are validated again", error)
        found = None
    if found == last:
        return False
    scores = {line["step"]: line.get(f"valid_{metric}") for line in read_metrics(path)}
    score = scores.get(found)
    if found is None or not isinstance(score, float):
        progress.best_score.assign(-1.0)
        progress.best_step.assign(0)
        return True
    logging.warning("%s: the best weights of step %s are gone; step %s is the best that is there", path, last, found)
    progress.best_score.assign(score)
    progress.best_step.assign(found)
    return False
