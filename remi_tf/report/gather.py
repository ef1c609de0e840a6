"""Everything that a page needs of one run, or of two on the same data. The models are not kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from remi_tf.data.dataset.folder import Dataset
from remi_tf.data.dataset.interactions import Interactions
from remi_tf.evaluation.diversity_curve import DiversityCurve
from remi_tf.evaluation.evaluate import evaluate
from remi_tf.evaluation.list_metrics import ItemFacts
from remi_tf.evaluation.metrics import CUT_OFFS
from remi_tf.evaluation.tally import Evaluation
from remi_tf.evaluation.yardsticks import item_knn, most_popular
from remi_tf.progress import say
from remi_tf.report.users import Chosen, UserView, choose_users, view_users
from remi_tf.settings.settings import Settings
from remi_tf.systems import System
from remi_tf.training.boosting import sentence
from remi_tf.training.measurements import read_metrics
from remi_tf.training.run_config import read_run_config
from remi_tf.training.run_folder import ITEM_KNN, SavedRun, load_saved_run, read_config

STRENGTHS = (0.0, 0.05, 0.1, 0.2, 0.5, 1.0, float("inf"))
CURVE_USERS = 1000
"""Of the diversity curve, the first ones of the split: each strength chooses the lists of all of them again."""
LONG, SHORT = max(CUT_OFFS), min(CUT_OFFS)
BEST_BY = f"ndcg@{LONG}"
"""What the best and the worst users are chosen by: it sees what is found, and where in the list it stands."""


@dataclass(frozen=True)
class Asked:
    """What the page is about. users: how many are shown at random, by `seed`."""

    split: str = "test"
    exclude_history: bool = False
    users: int = 4
    seed: int = 0


@dataclass(frozen=True)
class RunNumbers:
    """One run.

    label: "model", or A and B where there are two. config: the content of config.json. measured: lines of
    metrics.jsonl. curve: λ → evaluation of `CURVE_USERS`; empty without categories. views: position among the evaluated
    users → the user as this model sees the user. boost: a sentence about it, or nothing.
    """

    label: str
    path: Path
    settings: Settings
    step: int
    config: dict[str, Any]
    measured: list[dict[str, Any]]
    evaluation: Evaluation
    curve: dict[float, Evaluation]
    views: dict[int, UserView]
    boost: str | None


@dataclass(frozen=True)
class Findings:
    """All numbers of a page. yardsticks: name → evaluation; about_knn: a sentence about the second one.
    user_ids: raw ids of the chosen users, by their positions among the evaluated ones."""

    asked: Asked
    dataset: Dataset
    items: ItemFacts
    runs: tuple[RunNumbers, ...]
    yardsticks: dict[str, Evaluation]
    about_knn: str
    chosen: Chosen
    user_ids: dict[int, str]

    @property
    def two(self) -> bool:
        """Whether two runs are compared."""
        return len(self.runs) > 1

    @property
    def evaluations(self) -> dict[str, Evaluation]:
        """Name → evaluation, the runs first."""
        return {**{run.label: run.evaluation for run in self.runs}, **self.yardsticks}

    @property
    def users(self) -> np.ndarray:
        """The evaluated users: positions in the split."""
        return self.runs[0].evaluation.users


def gather(paths: Sequence[Path], asked: Asked, verify: bool = True, progress: bool = False) -> Findings:
    """Open, evaluate and look at one run, or two on the same data.

    Args:
      paths: run folders. verify: compare checksums. progress: say on stderr what is being done, with progress bars on
        a terminal.

    Raises:
      InputError: a run or its data cannot be opened, or no user of the split has targets.
      TrainingDiverged: a model's interests or its item table are not finite.
    """
    dataset = read_config(paths[0], verify)[1]
    items, data = ItemFacts.of(dataset), dataset.split(asked.split)
    runs: list[RunNumbers] = []
    chosen: Chosen | None = None
    for label, path in zip("AB" if len(paths) > 1 else ["model"], paths, strict=True):
        say(f"{path}: evaluating the {asked.split} users", shown=progress)
        run = load_saved_run(path, verify)
        found = evaluate(run.model, data, CUT_OFFS, asked.exclude_history, progress=progress, items=items)
        chosen = chosen or choose_users(found, BEST_BY, asked.users, asked.seed)
        if not runs and asked.users > len(chosen.sample):
            few = f"--users {asked.users}: only {len(chosen.sample)} {asked.split} users have targets; all are shown"
            say(few, shown=progress)
        views = view_users(run.model, data, found.users[chosen.all], asked.exclude_history)
        curve = _curve(path, run.model, data, items, asked, progress)
        runs.append(_numbers(label, run, found, curve, dict(zip(chosen.all, views, strict=True))))
    assert chosen is not None
    say("for comparison: counting MostPopular and ItemKNN, and evaluating them", shown=progress)
    select = runs[0].settings.training.select
    knn, about_knn = item_knn(dataset, select, asked.exclude_history, paths[0] / ITEM_KNN, progress)
    yardsticks: dict[str, System | None] = {"MostPopular": most_popular(dataset), "ItemKNN": knn}
    counted = {
        name: evaluate(system, data, CUT_OFFS, asked.exclude_history, progress=progress, items=items)
        for name, system in yardsticks.items()
        if system is not None
    }
    every, users = dataset.user_ids(asked.split), runs[0].evaluation.users
    user_ids = {position: every[users[position]] for position in chosen.all}
    return Findings(asked, dataset, items, tuple(runs), counted, about_knn, chosen, user_ids)


def _numbers(
    label: str, run: SavedRun, found: Evaluation, curve: dict[float, Evaluation], views: dict[int, UserView]
) -> RunNumbers:
    boosted = getattr(run.model, "boost", None) is not None
    config, measured = read_run_config(run.path, check=False).content, read_metrics(run.path)
    boost = sentence(run.path) if boosted else None
    return RunNumbers(label, run.path, run.settings, run.step, config, measured, found, curve, views, boost)


def _curve(
    path: Path, model: System, data: Interactions, items: ItemFacts, asked: Asked, progress: bool
) -> dict[float, Evaluation]:
    if items.categories is None:
        return {}
    say(f"{path}: choosing diverse lists of {len(STRENGTHS)} strengths", shown=progress)
    some = data.first(CURVE_USERS)
    if not (some.lengths > some.cuts).any():
        some = data
    return DiversityCurve(model, items, STRENGTHS, (LONG,), asked.exclude_history).evaluate(some, progress=progress)
