"""The command evaluate: a run's metrics next to MostPopular's, as a table, as JSON and by user."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remi_tf.commands.cli import (
    Parser,
    add_exclude_history,
    add_run_dir,
    number_list,
    refuse_missing_run,
    verification,
)
from remi_tf.doctor import versions
from remi_tf.errors import InputError
from remi_tf.files import atomic_file, write_json
from remi_tf.locks import locked_beside
from remi_tf.manifests import read_object
from remi_tf.quiet_loading import load_tensorflow
from remi_tf.settings.exclusion import in_words

if TYPE_CHECKING:
    from remi_tf.evaluation.evaluate import Evaluation
    from remi_tf.training.run_folder import SavedRun


def main(argv: list[str]) -> int:
    """Print the table, write the JSON and, if asked, the metrics of each user.

    Raises:
      InputError: a flag cannot be used, there is no run, or the JSON there answers another question.
    """
    flags = _parse(argv)
    load_tensorflow()
    from remi_tf.evaluation.evaluate import evaluate, most_popular
    from remi_tf.evaluation.interest_report import sentence
    from remi_tf.training.run_folder import load_saved_run

    run = load_saved_run(flags.run_dir, **verification(flags.no_verify))
    flags.exclude_history = run.excludes_history(flags.exclude_history)
    path = flags.json or run.evaluation_path(flags.split, flags.exclude_history)
    refuse_other(path, question(run, flags), flags.overwrite)
    data, options = run.dataset.split(flags.split), {"released_ndcg": flags.released_ndcg}
    results = {
        "model": evaluate(run.model, data, flags.top_n, flags.exclude_history, progress=True, **options),
        "MostPopular": most_popular(run.dataset.train, data, flags.top_n, flags.exclude_history, **options),
    }
    print(table({system: result.means for system, result in results.items()}))
    print(in_words(flags.exclude_history, run.dataset.repeats))
    ours = results["model"]
    if ours.interests:
        print(sentence(ours.interests))
    print(f"{len(ours.users)} users of {flags.split} in {ours.seconds:.1f} s; {ours.without_targets} without targets")
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked_beside(path, "writing it", wait=True):
        refuse_other(path, question(run, flags), flags.overwrite)  # what has come in the meantime
        write_json(path, _report(run, flags, results))
    if flags.per_user is not None:
        _write_per_user(run, flags, results)
    print(f"written to {path}", *([flags.per_user] if flags.per_user else []), file=sys.stderr)
    return 0


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = Parser(description="Evaluate a run's best checkpoint over the whole catalogue, next to MostPopular.")
    add_run_dir(parser)
    parser.add_argument("--split", choices=("valid", "test"), default="test", help="users to evaluate (default: test)")
    parser.add_argument("--top_n", type=number_list, default=(20, 50), metavar="N,N", help="cut-offs (default: 20,50)")
    default = "(default: RUN_DIR/evaluation_SPLIT.json; another name with another --exclude_history than the run's)"
    parser.add_argument("--json", type=Path, metavar="FILE", help=f"results {default}")
    parser.add_argument("--per_user", type=Path, metavar="FILE.npz", help="also write every user's metrics")
    add_exclude_history(parser)
    parser.add_argument("--released_ndcg", action="store_true", help="also the NDCG of the released REMI code (slow)")
    parser.add_argument(
        "--overwrite", action="store_true", help="replace a JSON of another step or other settings (default: refuse)"
    )
    flags = parser.parse_args(argv)
    refuse_missing_run(flags.run_dir)
    return flags


def question(run: "SavedRun", flags: argparse.Namespace) -> dict[str, Any]:
    """What is evaluated, and how."""
    return {
        "dataset": {"name": run.dataset.name, "fingerprint": run.dataset.fingerprint},
        "split": flags.split,
        "step": run.step,
        "top_n": list(flags.top_n),
        "exclude_history": flags.exclude_history,
        "released_ndcg": flags.released_ndcg,
    }


def refuse_other(path: Path, asked: Mapping[str, Any], overwrite: bool) -> None:
    """Raise InputError if `path` has something else than an answer to the same question, unless `overwrite`."""
    remedy = "take another --json, or add --overwrite"
    if path.exists() and not path.is_file():
        raise InputError(f"--json {path}: a folder or a device; name a file")
    if overwrite or not path.exists():
        return
    there = read_object(path, remedy)
    if missing := [name for name in asked if name not in there]:
        raise InputError(f"{path}: not an evaluation (it has no {missing[0]}); {remedy}")
    for name, value in asked.items():
        if there[name] != value:
            raise InputError(f"{path}: holds an evaluation with {name} {there[name]}, asked for is {value}; {remedy}")


def table(rows: Mapping[str, Mapping[str, float]]) -> str:
    """A text table: one row for each system, one column for each metric."""
    names = list(next(iter(rows.values())))
    width = max(map(len, rows))
    lines = [" " * width + "".join(f"  {name:>{max(6, len(name))}}" for name in names)]
    for system, values in rows.items():
        lines.append(f"{system:<{width}}" + "".join(f"  {values[name]:>{max(6, len(name))}.4f}" for name in names))
    return "\n".join(lines)


def _report(run: "SavedRun", flags: argparse.Namespace, results: Mapping[str, "Evaluation"]) -> dict[str, Any]:
    """What evaluation_SPLIT.json holds."""
    ours = results["model"]
    return {
        **question(run, flags),
        "repeats": run.dataset.repeats,
        "users": len(ours.users),
        "users_without_targets": ours.without_targets,
        "seconds": round(ours.seconds, 3),
        "metrics": {system: result.means for system, result in results.items()},
        "interests": ours.interests,
        "versions": versions(),
    }


def _write_per_user(run: "SavedRun", flags: argparse.Namespace, results: Mapping[str, "Evaluation"]) -> None:
    """users [U] raw ids, and for each system and metric an array [U]."""
    import numpy as np  # imported here, so that --help stays quick

    arrays: dict[str, Any] = {"users": np.array(run.dataset.user_ids(flags.split))[results["model"].users]}
    for system, result in results.items():
        arrays.update({f"{system} {name}": values for name, values in result.per_user.items()})
    with atomic_file(flags.per_user, "wb") as file:
        np.savez(file, **arrays)
