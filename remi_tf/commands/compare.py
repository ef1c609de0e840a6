"""evaluate --compare: is one system better for its users than another? Every metric, with a paired test."""

import argparse
import dataclasses
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remi_tf.commands.cli import refuse_missing_run, verification
from remi_tf.commands.json_results import refuse_other, write_results
from remi_tf.commands.result_tables import comparison_table
from remi_tf.doctor import versions
from remi_tf.errors import InputError
from remi_tf.quiet_loading import load_tensorflow
from remi_tf.settings.exclusion import excludes_history, in_words

if TYPE_CHECKING:
    from remi_tf.evaluation.tally import Evaluation
    from remi_tf.training.run_config import RunConfig

FLAG = "--compare"
NOT_WITH_COMPARE = ("per_user", "segments", "diversity")


def check(flags: argparse.Namespace) -> None:
    """Refuse what does not go with --compare, before TensorFlow is loaded.

    Raises:
      InputError: a flag that needs one run, a run that is not there, or one that stands on both sides.
    """
    for name in NOT_WITH_COMPARE:
        if getattr(flags, name):
            raise InputError(f"--{name} is about one run; leave it out with {FLAG}, or give --run_dir")
    a, b = (runs(text) for text in flags.compare)
    for path in (*a, *b):
        refuse_missing_run(path, FLAG)
    places = [path.resolve() for path in (*a, *b)]
    if twice := [str(path) for path in (*a, *b) if places.count(path.resolve()) > 1]:
        raise InputError(f"{FLAG} {twice[0]}: given twice; give each run once")


def runs(text: str) -> list[Path]:
    """'runs/a-1,runs/a-2' → the run folders of one system's seeds."""
    paths = [part.strip() for part in text.split(",")]
    if not all(paths):
        raise InputError(f"{FLAG} {text!r}: give a run folder, or several separated by commas")
    return [Path(path) for path in paths]


def main(flags: argparse.Namespace) -> int:
    """Evaluate all runs of both sides, print the table and, with --json, write it.

    Raises:
      InputError: the runs were trained on different data, or the JSON there answers another question.
    """
    load_tensorflow()
    from remi_tf.evaluation.paired_test import compare_evaluations

    sides = dict(zip("AB", map(runs, flags.compare), strict=True))
    configs = read_configs([path for paths in sides.values() for path in paths])
    dataset = one_dataset(configs)
    flags.exclude_history = one_way(configs, flags.exclude_history)
    asked = {
        "compare": {side: [str(path) for path in paths] for side, paths in sides.items()},
        "dataset": dataset,
        "split": flags.split,
        "top_n": list(flags.top_n),
        "exclude_history": flags.exclude_history,
        "published_ndcg": flags.published_ndcg,
    }
    if flags.json:
        refuse_other(flags.json, asked, flags.overwrite)
    verify = verification(flags.no_verify)
    evaluations: dict[str, list[Evaluation]] = {side: [] for side in sides}
    steps: dict[str, list[int]] = {side: [] for side in sides}
    for side, paths in sides.items():
        for path in paths:
            step, result = _evaluate(path, flags, verify)
            steps[side].append(step)
            evaluations[side].append(result)
    found = compare_evaluations(evaluations["A"], evaluations["B"])
    for side, paths in sides.items():
        print(f"{side}: " + ", ".join(f"{path} (step {step:,})" for path, step in zip(paths, steps[side], strict=True)))
    print(comparison_table(found))
    print(f"p: paired t-test over the users of {flags.split}; a user's value is the mean over the runs of a side")
    print(in_words(flags.exclude_history, next(iter(configs.values())).repeats))
    if flags.json:
        metrics = {name: dataclasses.asdict(row) for name, row in found.items()}
        results = {"metrics": metrics, "versions": versions()}
        write_results(flags.json, {**asked, "steps": steps}, results, flags.overwrite)
        print(f"written to {flags.json}", file=sys.stderr)
    return 0


def _evaluate(path: Path, flags: argparse.Namespace, verify: dict[str, bool]) -> tuple[int, "Evaluation"]:
    """The step of a run's weights and its evaluation. The model is not kept."""
    from remi_tf.evaluation.evaluate import evaluate
    from remi_tf.evaluation.list_metrics import ItemFacts
    from remi_tf.training.run_folder import load_saved_run

    run = load_saved_run(path, **verify)
    result = evaluate(
        run.model,
        run.dataset.split(flags.split),
        flags.top_n,
        flags.exclude_history,
        flags.published_ndcg,
        progress=True,
        items=ItemFacts.of(run.dataset),
    )
    return run.step, result


def read_configs(paths: list[Path]) -> dict[Path, "RunConfig"]:
    """Run folder → its config, unchecked: the runs are checked when they are opened."""
    from remi_tf.training.run_config import read_run_config

    return {path: read_run_config(path, check=False) for path in paths}


def one_dataset(configs: dict[Path, "RunConfig"], flag: str = FLAG) -> dict[str, Any]:
    """Name and fingerprint of the data that all runs were trained on.

    Raises:
      InputError: they were trained on different data.
    """
    (one, first), *_ = configs.items()
    for path, config in configs.items():
        if config.fingerprint != first.fingerprint:
            raise InputError(
                f"{flag}: {one} was trained on {first.name} (fingerprint {first.fingerprint[:12]}), {path} on "
                f"{config.name} ({config.fingerprint[:12]}); only runs on the same data can be compared"
            )
    return {"name": first.name, "fingerprint": first.fingerprint}


def one_way(configs: dict[Path, "RunConfig"], asked: str | None, flag: str = FLAG) -> bool:
    """Whether all lists leave out the history: as asked, or as all runs did in validation.

    Raises:
      InputError: the runs did it differently, or it is auto, and the dataset of an older version's run is gone.
    """
    from remi_tf.training.run_folder import read_config

    def repeats(path: Path) -> float:
        share = configs[path].repeats  # of an older version's run it is measured
        return read_config(path)[1].repeats if share is None else share

    ways = {
        path: excludes_history(asked or config.settings.training.exclude_history, partial(repeats, path))
        for path, config in configs.items()
    }
    if len(set(ways.values())) > 1:
        which = ", ".join(f"{path} {'yes' if way else 'no'}" for path, way in ways.items())
        raise InputError(f"{flag}: the runs differ in exclude_history ({which}); give --exclude_history yes or no")
    return next(iter(ways.values()))
