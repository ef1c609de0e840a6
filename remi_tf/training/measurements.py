"""What validations found: in memory, and in metrics.jsonl of the run folder, one line each, each step once."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from absl import logging

from remi_tf.data.dataset.folder import Dataset
from remi_tf.data.dataset.interactions import Interactions
from remi_tf.errors import InputError
from remi_tf.files import atomic_file

METRICS = "metrics.jsonl"


class Validation(NamedTuple):
    """What one validation found.

    step: after which; loss: mean of the steps since the last one, None before the first step; metrics: name → mean over
    the validation users; is_best: whether it is the best so far, so that its weights were saved; selected_by: the
    metric that decides this.
    """

    step: int
    loss: float | None
    metrics: dict[str, float]
    is_best: bool
    selected_by: str

    @property
    def score(self) -> float:
        """The value of that metric."""
        return self.metrics[self.selected_by]


OnValidation = Callable[[Validation], None]


def validation_users(dataset: Dataset, number: int) -> Interactions:
    """The users that a run is validated on: the first `number` validation users, or all for 0.

    Raises:
      InputError: none of them has a target.
    """
    users = dataset.valid.first(number)
    if not (users.lengths > users.cuts).any():
        raise InputError(
            f"{dataset.path}: no validation user has a target, so the best weights cannot be chosen; prepare a log "
            "with more users, or with --split leave_one_out"
        )
    return users


def append_metrics(path: Path, line: dict[str, Any]) -> None:
    """Add a line to metrics.jsonl."""
    with open(path / METRICS, "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
        file.flush()
        os.fsync(file.fileno())


def truncate_metrics(path: Path, step: int) -> None:
    """Drop the lines after `step` (and a half-written last one): a resumed run measures them again.

    A step that is there twice keeps its last line. Lines that cannot be read are dropped with a warning.
    """
    if not (path / METRICS).exists():
        return
    kept = {line["step"]: text for line, text in _read(path) if line["step"] <= step}
    with atomic_file(path / METRICS) as file:
        file.writelines(kept.values())


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The lines of metrics.jsonl, in their order. Those that cannot be read are left out with a warning."""
    return [line for line, _ in _read(path)] if (path / METRICS).exists() else []


def count_lines(path: Path) -> int:
    """How many lines metrics.jsonl has, readable or not."""
    return len((path / METRICS).read_bytes().splitlines()) if (path / METRICS).is_file() else 0


def _read(path: Path) -> list[tuple[dict[str, Any], str]]:
    found = []
    for number, raw in enumerate((path / METRICS).read_bytes().splitlines(keepends=True), start=1):
        try:
            text = raw.decode()
            line = json.loads(text)
            if not isinstance(line, dict) or type(line.get("step")) is not int:
                raise ValueError("no step")
            found.append((line, text.rstrip("\n") + "\n"))
        except ValueError as error:
            if raw.endswith(b"\n"):  # else a process was killed while it wrote the last line
                logging.warning("%s line %s: left out, it cannot be read (%s)", path / METRICS, number, error)
    return found
