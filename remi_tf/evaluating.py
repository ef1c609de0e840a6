"""The command evaluate.py: a run's metrics beside MostPopular's, as a table, as JSON and by user."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from remi_tf.cli import Parser, number_list
from remi_tf.doctor import versions
from remi_tf.errors import InputError
from remi_tf.evaluation import TOP_N, Evaluation, evaluate, most_popular
from remi_tf.files import atomic_file, write_json
from remi_tf.interest_report import sentence


def table(rows: Mapping[str, Mapping[str, float]]) -> str:
    """A text table of one row a system and one column a metric."""
    names = list(next(iter(rows.values())))
    width = max(map(len, rows))
    lines = [" " * width + "".join(f"  {name:>{max(6, len(name))}}" for name in names)]
    for system, values in rows.items():
        lines.append(f"{system:<{width}}" + "".join(f"  {values[name]:>{max(6, len(name))}.4f}" for name in names))
    return "\n".join(lines)


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = Parser(description="Evaluate a run's best checkpoint over the whole catalogue, beside MostPopular.")
    parser.add_argument("--run_dir", type=Path, required=True, help="the folder train.py wrote")
    parser.add_argument("--split", choices=("valid", "test"), default="test", help="users to evaluate (default: test)")
    parser.add_argument("--top_n", type=number_list, default=TOP_N, metavar="N,N", help="cut-offs (default: 20,50)")
    default = "(default: RUN_DIR/evaluation_SPLIT.json, with --exclude_history evaluation_SPLIT_exclude_history.json)"
    parser.add_argument("--json", type=Path, metavar="FILE", help=f"results {default}")
    parser.add_argument("--per_user", type=Path, metavar="FILE.npz", help="also write every user's metrics")
    parser.add_argument("--exclude_history", action="store_true", help="do not recommend what the model has read")
    parser.add_argument("--released_ndcg", action="store_true", help="also the NDCG of the released REMI code (slow)")
    flags = parser.parse_args(argv)
    if not flags.run_dir.is_dir():
        raise InputError(f"--run_dir {flags.run_dir}: there is no such folder; train.py writes one")
    return flags


def main(argv: list[str]) -> int:
    """evaluate.py: print the table, write the JSON and, if asked, the per-user arrays.

    Raises:
      InputError: a flag cannot be used, or there is no run.
    """
    flags = _parse(argv)
    from remi_tf.run import load_run

    run = load_run(flags.run_dir)
    data, options = run.dataset.split(flags.split), {"released_ndcg": flags.released_ndcg}
    results = {
        "model": evaluate(run.model, data, flags.top_n, flags.exclude_history, progress=True, **options),
        "MostPopular": most_popular(
            run.dataset.train, data, flags.top_n, run.model.max_history if flags.exclude_history else 0, **options
        ),
    }
    means = {system: result.means for system, result in results.items()}
    print(table(means))
    if flags.exclude_history:
        print("the history that the model has read was excluded")
    ours = results["model"]
    if ours.interests:
        print(sentence(ours.interests))
    print(f"{len(ours.users)} users of {flags.split} in {ours.seconds:.1f} s; {ours.without_targets} without targets")
    path = (
        flags.json
        or flags.run_dir / f"evaluation_{flags.split}{'_exclude_history' if flags.exclude_history else ''}.json"
    )
    write_json(path, _report(run, flags, ours, means))
    if flags.per_user is not None:
        user_ids = np.array(run.dataset.user_ids(flags.split))[ours.users]
        arrays: dict[str, Any] = {"users": user_ids}
        for system, result in results.items():
            arrays.update({f"{system} {name}": values for name, values in result.per_user.items()})
        with atomic_file(flags.per_user, "wb") as file:
            np.savez(file, **arrays)
    print(f"written to {path}", *([flags.per_user] if flags.per_user else []), file=sys.stderr)
    return 0


def _report(run: Any, flags: argparse.Namespace, ours: Evaluation, means: Mapping[str, Any]) -> dict[str, Any]:
    """What evaluation_SPLIT.json holds."""
    return {
        "dataset": {"name": run.dataset.name, "fingerprint": run.dataset.fingerprint},
        "split": flags.split,
        "step": run.step,
        "top_n": list(flags.top_n),
        "exclude_history": flags.exclude_history,
        "released_ndcg": flags.released_ndcg,
        "users": len(ours.users),
        "users_without_targets": ours.without_targets,
        "seconds": round(ours.seconds, 3),
        "metrics": means,
        "interests": ours.interests,
        "versions": versions(),
    }
