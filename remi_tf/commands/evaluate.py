"""The command evaluate: a run's metrics next to those of MostPopular and ItemKNN; two runs compared."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remi_tf.commands import compare
from remi_tf.commands.cli import (
    Parser,
    add_exclude_history,
    add_no_verify,
    number_list,
    refuse_missing_run,
    strength_list,
    verification,
)
from remi_tf.commands.json_results import refuse_other, write_results
from remi_tf.commands.result_tables import cold_table, curve_table, metric_tables, segment_table
from remi_tf.doctor import versions
from remi_tf.errors import command
from remi_tf.files import atomic_file
from remi_tf.quiet_loading import load_tensorflow
from remi_tf.settings.exclusion import in_words

if TYPE_CHECKING:
    from remi_tf.evaluation.list_metrics import ItemFacts
    from remi_tf.evaluation.tally import Evaluation
    from remi_tf.training.run_folder import SavedRun


TOP_N = (20, 50)


def main(argv: list[str]) -> int:
    """Print the tables, write the JSON and, if asked, the metrics of each user; or compare two runs.

    Raises:
      InputError: a flag cannot be used, there is no run, or the JSON there answers another question.
    """
    flags = _parse(argv)
    if flags.compare:
        return compare.main(flags)
    load_tensorflow()
    from remi_tf.evaluation.diversity_curve import refuse_no_categories
    from remi_tf.evaluation.evaluate import evaluate
    from remi_tf.evaluation.interest_report import sentence
    from remi_tf.evaluation.list_metrics import ItemFacts
    from remi_tf.evaluation.yardsticks import item_knn, most_popular
    from remi_tf.training.boosting import sentence as sentence_of_boost
    from remi_tf.training.run_folder import ITEM_KNN, load_saved_run

    run = load_saved_run(flags.run_dir, **verification(flags.no_verify))
    flags.exclude_history = run.excludes_history(flags.exclude_history)
    path = flags.json or _default_json(run, flags)
    refuse_other(path, question(run, flags), flags.overwrite)
    items = ItemFacts.of(run.dataset)
    if flags.diversity:
        refuse_no_categories(items)
    data, options = run.dataset.split(flags.split), {"published_ndcg": flags.published_ndcg, "items": items}
    knn, about_knn = item_knn(run.dataset, run.settings.training.select, flags.exclude_history, run.path / ITEM_KNN)
    systems = {"model": run.model, "MostPopular": most_popular(run.dataset), "ItemKNN": knn}
    results = {
        name: evaluate(system, data, flags.top_n, flags.exclude_history, progress=name == "model", **options)
        for name, system in systems.items()
        if system is not None
    }
    print(metric_tables(results, items.categories is not None))
    print(in_words(flags.exclude_history, run.dataset.repeats))
    print(about_knn)
    if getattr(run.model, "boost", None) is not None and (about_boost := sentence_of_boost(run.path)):
        print(about_boost)
    ours = results["model"]
    if ours.interests:
        print(sentence(ours.interests))
    print(f"{len(ours.users)} users of {flags.split} in {ours.seconds:.1f} s; {ours.without_targets} without targets")
    more = _asked_for(run, flags, items, results) | _of_cold_items(run, flags)
    write_results(path, question(run, flags), {**_report(results, run.dataset.repeats), **more}, flags.overwrite)
    if flags.per_user is not None:
        _write_per_user(run, flags, results)
    print(f"written to {path}", *([flags.per_user] if flags.per_user else []), file=sys.stderr)
    return 0


def _asked_for(
    run: "SavedRun", flags: argparse.Namespace, items: "ItemFacts", results: Mapping[str, "Evaluation"]
) -> dict[str, Any]:
    """Print what --segments and --diversity ask for. Returns it as JSON has it."""
    from remi_tf.evaluation.diversity_curve import DiversityCurve
    from remi_tf.evaluation.segments import by_segment, segments

    found: dict[str, Any] = {}
    data = run.dataset.split(flags.split)
    if flags.segments:
        found["by_segment"] = by_segment(segments(data, results["model"].users, items), results)
        print(segment_table(found["by_segment"], "model", max(flags.top_n)))
    if flags.diversity:
        asked = DiversityCurve(run.model, items, flags.diversity, flags.top_n, flags.exclude_history)
        curve = asked.evaluate(data, progress=True)
        found["diversity_curve"] = {f"{strength:g}": result.figures for strength, result in curve.items()}
        print(curve_table(curve))
    return found


def _of_cold_items(run: "SavedRun", flags: argparse.Namespace) -> dict[str, Any]:
    """Print what becomes of the items that the dataset hides from training, if it does. Returns it as JSON has it."""
    if not run.dataset.num_cold:
        return {}
    from remi_tf.evaluation.cold import evaluate_cold

    found = evaluate_cold(run.model, run.dataset, flags.split, flags.exclude_history).figures
    print(cold_table(found))
    return {"cold": found}


def _parse(argv: list[str]) -> argparse.Namespace:
    about = "Evaluate a run's best checkpoint over all items, next to MostPopular and ItemKNN. Or compare two runs."
    parser = Parser(description=about)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--run_dir", type=Path, help=f"the folder that {command('train')} wrote")
    several = "paired t-test of two runs on every metric; RUN,RUN for several seeds of one system"
    what.add_argument(compare.FLAG, nargs=2, metavar=("RUN_A", "RUN_B"), help=several)
    add_no_verify(parser)
    parser.add_argument("--split", choices=("valid", "test"), default="test", help="users to evaluate (default: test)")
    parser.add_argument("--top_n", type=number_list, default=TOP_N, metavar="N,N", help="cut-offs (default: 20,50)")
    default = (
        "(default: RUN_DIR/evaluation_SPLIT.json; other cut-offs, _segments, _diversity, _published_ndcg and another "
        "--exclude_history than the run's add to the name)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help=f"results {default}")
    parser.add_argument("--per_user", type=Path, metavar="FILE.npz", help="also write every user's metrics")
    parser.add_argument("--segments", action="store_true", help="also the metrics by segments of users")
    strengths = "also the metrics with lists that are made diverse, for each of these strengths; 0 is the plain list"
    parser.add_argument("--diversity", type=strength_list, default=(), metavar="LAMBDA,LAMBDA", help=strengths)
    add_exclude_history(parser)
    published = "also the NDCGs of published tables, whose order is not that of the list (slow)"
    parser.add_argument("--published_ndcg", action="store_true", help=published)
    parser.add_argument(
        "--overwrite", action="store_true", help="replace a JSON of another step or other settings (default: refuse)"
    )
    flags = parser.parse_args(argv)
    if flags.compare:
        compare.check(flags)
    else:
        refuse_missing_run(flags.run_dir)
    return flags


def _default_json(run: "SavedRun", flags: argparse.Namespace) -> Path:
    path = run.evaluation_path(flags.split, flags.exclude_history)
    marks = [name for name in ("segments", "diversity", "published_ndcg") if getattr(flags, name)]
    if flags.top_n != TOP_N:
        marks.append(f"top_{'_'.join(map(str, flags.top_n))}")
    return path.with_name("_".join([path.stem, *marks]) + path.suffix)


def question(run: "SavedRun", flags: argparse.Namespace) -> dict[str, Any]:
    """What is evaluated, and how."""
    return {
        "dataset": {"name": run.dataset.name, "fingerprint": run.dataset.fingerprint},
        "split": flags.split,
        "step": run.step,
        "top_n": list(flags.top_n),
        "exclude_history": flags.exclude_history,
        "published_ndcg": flags.published_ndcg,
        "segments": flags.segments,
        "diversity": [f"{strength:g}" for strength in flags.diversity],
    }


def _report(results: Mapping[str, "Evaluation"], repeats: float) -> dict[str, Any]:
    """What evaluation_SPLIT.json holds besides the question."""
    ours = results["model"]
    return {
        "users": len(ours.users),
        "users_without_targets": ours.without_targets,
        "seconds": round(ours.seconds, 3),
        "repeats": repeats,
        "metrics": {system: result.figures for system, result in results.items()},
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
