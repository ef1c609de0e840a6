"""Finished runs as models, and the users that they are shown on."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from quality import run_all, run_path
from systems import System

from paper_studies.study import Asked, beside
from remi_tf.files import write_json
from remi_tf.report.words import shortened

if TYPE_CHECKING:
    from remi_tf.api import Run
    from remi_tf.data.dataset.catalogue import Catalogue
    from remi_tf.encoders.base import Interests

BATCH = 256


def measure_runs(
    asked: Asked, systems: dict[str, str], look: Callable[["Run", bool], dict[str, Any]], **more: Any
) -> int:
    """Train the systems (name → flags), look at every finished run, and write OUTPUT.json. Returns how many failed.

    Args:
      look: (run, whether it is of its system's first finished seed, which is the one that is drawn) → what OUTPUT.json
        says of it.
      more: what OUTPUT.json says besides.
    """
    finished: set[tuple[str, int]] = set()

    def add(system: System, seed: int, result: dict[str, Any]) -> None:
        finished.add((system.name, seed))

    parsed = asked.systems(list(systems.values()))
    failed = run_all(parsed, asked.data, asked.budget, asked.runs, asked.jobs, add)
    from remi_tf.api import load_run

    content: dict[str, Any] = {**asked.about, **more, "systems": {}}
    for name, system in zip(systems, parsed, strict=True):
        for seed in asked.seeds:
            if (system.name, seed) in finished:
                there = content["systems"].setdefault(name, {"flags": system.name, "seeds": {}})
                run = load_run(run_path(system, seed, asked.data, asked.runs.resolve()))
                there["seeds"][str(seed)] = look(run, not there["seeds"])
    if content["systems"]:
        write_json(beside(asked.output, ".json"), content)
    return failed


def fullest_histories(asked: Asked, number: int, most: int = 40) -> np.ndarray:
    """[number] positions of test users: those with the longest histories up to `most` items, the first of equal ones.

    A longer history is as good as one of `most`, so that these users are not only the heaviest ones.
    """
    lengths = np.minimum(np.asarray(asked.dataset.test.cuts), most)
    return np.sort(np.argsort(-lengths, kind="stable")[:number])


def encoded(run: "Run", users: np.ndarray) -> tuple[np.ndarray, "Interests"]:
    """Histories [U, max_history] of test users, and their interests."""
    from remi_tf.data.dataset.views import features, histories

    model, test = run.model, run.dataset.test
    history = histories(test, users, model.max_history)
    return history, model.encode(history, **features(test, users, model.max_history, model.needs))


def in_batches(run: "Run") -> list[np.ndarray]:
    """All test users with a history, as positions."""
    test = run.dataset.test
    users = np.flatnonzero((test.cuts > 0) & (test.lengths > test.cuts))
    return np.split(users, range(BATCH, len(users), BATCH))


def title(items: "Catalogue", row: int, length: int = 34) -> str:
    """What an item is called: its title, or its raw id where the log has no titles."""
    known = items.titles[row - 1] if items.titles else ""
    return shortened(known or items.vocabulary.raw_ids([row])[0], length)
