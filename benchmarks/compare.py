"""Is one system better than another? All test metrics over seeds on any datasets, with a paired test over users.

    python benchmarks/compare.py --dataset amazon-books-sample,ml-1m --system "SA --remi" \\
        --against "SA --remi --recipe released" --output docs/results/better-than-remi --max_steps 10000

The runs are those of benchmarks/quality.py: a finished run is not trained again. Each user's metrics are averaged over
the seeds of a system. A paired t-test compares the two systems' values of the same users, as `evaluate.py --compare`
does. p says how the result varies with other users; the deviation next to each mean says how it varies with other
seeds. The first table has recall at the largest cut-off, the ones below it have every metric. OUTPUT.md and OUTPUT.json
are written again after every dataset.
"""

import dataclasses
import statistics
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from quality import Budget, RunFailed, System, add_run_flags, find_data, results, run, run_path  # sets the import path

from remi_tf.commands.cli import Parser, run_main
from remi_tf.errors import InputError
from remi_tf.files import atomic_file, write_json
from remi_tf.quiet_loading import load_tensorflow
from remi_tf.settings.exclusion import in_words

if TYPE_CHECKING:
    from remi_tf.evaluation.tally import Evaluation


def compared(ours: "dict[str, Evaluation]", theirs: "dict[str, Evaluation]", metric: str) -> dict[str, Any]:
    """The figures of two systems. Each has its evaluations: seed → the values of each user.

    Args:
      metric: the one whose gain, p and mean of each seed stand in the first table.

    Raises:
      InputError: the evaluations are of other users, or of other metrics.
    """
    load_tensorflow()
    from remi_tf.evaluation.paired_test import compare_evaluations

    sides = {"system": ours, "against": theirs}
    found = compare_evaluations(list(ours.values()), list(theirs.values()))
    first = found[metric]
    means = {side: {seed: one.means[metric] for seed, one in seeds.items()} for side, seeds in sides.items()}
    return {
        "users": first.users,
        **means,
        "gain": first.mean_a / first.mean_b - 1,
        "p": first.p,
        "metrics": {name: dataclasses.asdict(comparison) for name, comparison in found.items()},
    }


def evaluation_of(per_user: Path) -> "Evaluation":
    """What evaluate.py --per_user has written, of the model only."""
    from remi_tf.evaluation.tally import Evaluation

    with np.load(per_user) as arrays:
        values = {name.removeprefix("model "): arrays[name] for name in arrays if name.startswith("model ")}
        return Evaluation(values, arrays["users"], without_targets=0, seconds=0.0)


def markdown(rows: dict[str, dict[str, Any]], names: tuple[str, str]) -> str:
    """One row for each dataset, then for each dataset a table with a row for each metric."""
    from remi_tf.evaluation.paired_test import p_in_words

    lines = [f"| log | history in lists | test users | `{names[0]}` | `{names[1]}` | gain | p |", "|---" * 7 + "|"]
    for dataset, row in rows.items():
        cells = [_spread(list(row[side].values())) for side in ("system", "against")]
        p, history = p_in_words(row["p"]), "out" if row["exclude_history"] else "in"
        lines.append(
            f"| {dataset} | {history} | {row['users']:,} | {cells[0]} | {cells[1]} | {row['gain']:+.1%} | {p} |"
        )
    for dataset, row in rows.items():
        lines += ["", f"Every metric on {dataset}:", "", f"| metric | `{names[0]}` | `{names[1]}` | difference | p |"]
        lines.append("|---" * 5 + "|")
        for name, found in row["metrics"].items():
            means = " | ".join(f"{found[side]:.4f}" for side in ("mean_a", "mean_b"))
            lines.append(f"| {name} | {means} | {found['difference']:+.4f} | {p_in_words(found['p'])} |")
    return "\n".join(lines) + "\n"


def _spread(values: list[float]) -> str:
    deviation = f" ± {statistics.stdev(values):.4f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.4f}{deviation}".replace("0.", ".")


def main(argv: list[str]) -> int:
    """Train and evaluate both systems on every dataset, and write the tables.

    Raises:
      InputError: a flag cannot be used, or there is no such dataset.
    """
    parser = Parser(description=__doc__)
    parser.add_argument("--dataset", required=True, help="names or paths of prepared datasets, separated by commas")
    parser.add_argument("--system", required=True, help='flags of train.py, such as "SA --remi"')
    parser.add_argument("--against", required=True, help="flags of the other system")
    parser.add_argument("--output", type=Path, required=True, help="the tables go to OUTPUT.md and OUTPUT.json")
    add_run_flags(parser, (1, 2, 3), 10_000, "runs/quality")
    flags = parser.parse_args(argv)
    systems = {
        name: System.parse(text, flags.seeds) for name, text in (("ours", flags.system), ("theirs", flags.against))
    }
    for system in systems.values():
        if system.seeds != flags.seeds:
            raise InputError(f'"{system.name} @…": both systems take the seeds of --seeds; leave out the @')
    budget, metric = Budget.of(flags), f"recall@{flags.top_n[-1]}"
    rows: dict[str, dict[str, Any]] = {}
    flags.output.parent.mkdir(parents=True, exist_ok=True)
    for name in flags.dataset.split(","):
        data = find_data(name, flags.exclude_history, flags.top_n)
        print(f"{data.path.name}: {in_words(data.exclude_history, data.repeats)}", flush=True)
        found: dict[str, dict[str, Evaluation]] = {"ours": {}, "theirs": {}}
        for seed in flags.seeds:
            for side, system in systems.items():
                try:
                    run(system, seed, data, budget, flags.runs.resolve(), threads=1)
                except RunFailed as error:
                    print(error, file=sys.stderr)
                    return 1
                per_user = results(run_path(system, seed, data, flags.runs.resolve()), data)[1]
                found[side][str(seed)] = evaluation_of(per_user)
        rows[data.path.name] = {
            "exclude_history": data.exclude_history,
            **compared(found["ours"], found["theirs"], metric),
        }
        table = markdown(rows, (systems["ours"].name, systems["theirs"].name))
        with atomic_file(flags.output.with_name(flags.output.name + ".md")) as file:
            file.write(table)
        content = {"system": systems["ours"].name, "against": systems["theirs"].name, "metric": metric, "split": "test"}
        content |= {"top_n": list(flags.top_n), **vars(budget)}
        write_json(flags.output.with_name(flags.output.name + ".json"), {**content, "datasets": rows})
    print(table)
    return 0


if __name__ == "__main__":
    run_main(main)
