"""Quality of any systems on any prepared dataset: test metrics over seeds, with one budget, as one table.

    python benchmarks/quality.py --dataset amazon-books-sample --output runs/books \\
        --seeds 1,2,3 --system "SA" --system "SA --remi" --system "Re4 @1"

A system is a list of train.py's flags that begins with its --model_type. "@1,2" gives it seeds of its own. Each run is
train.py and evaluate.py in processes of their own, with a run folder below --runs. So an interrupted table goes on
where it stopped. The tables (OUTPUT.md and OUTPUT.json) are written again after every run. Results that OUTPUT.json
already has stay there, so a table can grow row by row and seed by seed.
On test users the lists of all systems leave out the history, or none does (--exclude_history; auto looks at the log).
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quality_data import Data, find_data
from quality_table import EXCLUDED, TOP_N, Table
from systems import ROOT, System, settings_of  # sets the import path

from remi_tf.commands.cli import Parser, number_list, run_main
from remi_tf.evaluation.metrics import CUT_OFFS
from remi_tf.files import write_json
from remi_tf.quiet_loading import load_tensorflow
from remi_tf.settings.exclusion import CHOICES, in_words
from remi_tf.settings.settings import Settings

TIMES = "quality.json"  # what this script adds to a run folder, next to `results`


class RunFailed(Exception):
    """A run could not be trained, evaluated or reused. The others go on."""


@dataclass(frozen=True)
class Budget:
    """How long every run may train."""

    max_steps: int
    eval_every: int
    patience: int

    @classmethod
    def of(cls, flags: argparse.Namespace) -> "Budget":
        """What `add_run_flags` has parsed."""
        return cls(flags.max_steps, flags.eval_every, flags.patience)

    @property
    def flags(self) -> list[str]:
        return [f"--{name}={value}" for name, value in vars(self).items()]


def run(system: System, seed: int, data: Data, budget: Budget, runs: Path, threads: int) -> dict[str, Any]:
    """Train and evaluate one seed, unless its run folder is finished already. Returns its figures."""
    path, settings = run_path(system, seed, data, runs), trained_with(system, seed, data, budget)
    environment = {"TF_NUM_INTRAOP_THREADS": str(threads), "OMP_NUM_THREADS": str(threads), **os.environ}

    def command(script: str, *flags: str) -> None:
        done = subprocess.run(
            [sys.executable, str(ROOT / script), *flags], env=environment, text=True, capture_output=True, cwd=ROOT
        )
        if done.returncode:
            raise RunFailed(f"{script} {' '.join(flags)} failed:\n{done.stderr[-3000:]}")

    if not (path / TIMES).is_file():
        start = time.time()
        flags = [f"--dataset={data.path}", "--model_type", *system.flags, f"--seed={seed}", f"--run_dir={path}"]
        command("train.py", *flags, *budget.flags, "--overwrite")
        write_json(path / TIMES, {"seconds": time.time() - start})
    check_run(path, data, settings)
    evaluation, per_user = results(path, data)
    if not per_user.is_file():
        lists = f"--exclude_history={'yes' if data.exclude_history else 'no'}"
        command(
            "evaluate.py",
            f"--run_dir={path}",
            "--split=test",
            f"--top_n={','.join(map(str, data.top_n))}",
            lists,
            f"--json={evaluation}",
            f"--per_user={per_user}",
        )
    return measured(path, evaluation)


def run_path(system: System, seed: int, data: Data, runs: Path) -> Path:
    """The run folder of one seed."""
    return runs / f"{data.path.name}-{'-'.join(flag.lstrip('-') for flag in system.flags)}-seed{seed}"


def results(path: Path, data: Data) -> tuple[Path, Path]:
    """The JSON and the metrics of each user that evaluate.py writes into a run folder: with or without the history, one
    pair of files for each choice of cut-offs."""
    name = f"quality_test_{'without' if data.exclude_history else 'with'}_history"
    if data.top_n != CUT_OFFS:  # these have the plain name
        name += f"_at_{'_'.join(map(str, data.top_n))}"
    return path / f"{name}.json", path / f"{name}.npz"


def trained_with(system: System, seed: int, data: Data, budget: Budget) -> Settings:
    """The settings that a run must have.

    Raises:
      InputError: flags that train.py would refuse.
    """
    flags = [*system.flags, f"--seed={seed}", *budget.flags]
    return settings_of(flags, data.name, data.num_items, data.repeats, data.has_features)


def check_run(path: Path, data: Data, settings: Settings) -> None:
    """Refuse a run folder that belongs to another run.

    Raises:
      RunFailed: it was trained on other data or with other settings.
    """
    config = json.loads((path / "config.json").read_text(encoding="utf-8"))
    trained_on = config["dataset"]["fingerprint"]
    if trained_on != data.fingerprint:
        raise RunFailed(
            f"{path} was trained on other data (fingerprint {trained_on[:12]}) than {data.path} holds now "
            f"({data.fingerprint[:12]}); take another --runs"
        )
    had, has = Settings.from_json(config["settings"]).flat(), settings.flat()
    other = [f"--{name} {had[name]} instead of {value}" for name, value in has.items() if had[name] != value]
    if other:
        raise RunFailed(f"{path} was trained with {', '.join(other)}; take another --runs")


def measured(path: Path, results: Path) -> dict[str, Any]:
    """The figures of a finished run folder: on test users (`results`), and the best recalls on validation users."""
    seconds = json.loads((path / TIMES).read_text(encoding="utf-8"))["seconds"]
    evaluation = json.loads(results.read_text(encoding="utf-8"))
    lines = [json.loads(line) for line in (path / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    steps, elapsed = lines[-1]["step"] - lines[0]["step"], lines[-1]["time"] - lines[0]["time"]
    return {
        **evaluation["metrics"]["model"],
        **{name: max(line[name] for line in lines) for name in lines[0] if name.startswith("valid_recall@")},
        "best_step": evaluation["step"],
        "steps": lines[-1]["step"],
        "seconds": seconds,
        "ms_per_step": 1000 * elapsed / steps if steps else None,
        "parameters": parameters(path),
    }


def parameters(path: Path) -> int:
    """How many numbers the weights of a run's best checkpoint have."""
    load_tensorflow()
    import tensorflow as tf

    checkpoint = tf.train.latest_checkpoint(path / "best")
    weights = [shape for name, shape in tf.train.list_variables(checkpoint) if name.endswith("VARIABLE_VALUE")]
    return sum(int(tf.TensorShape(shape).num_elements()) for shape in weights if shape)


def add_run_flags(parser: argparse.ArgumentParser, seeds: tuple[int, ...], max_steps: int, runs: str) -> None:
    """--seeds, the budget, --exclude_history and --runs, with these defaults."""
    shown = ",".join(map(str, seeds))
    parser.add_argument("--seeds", type=number_list, default=seeds, help=f"seeds of every system (default: {shown})")
    whole: dict[str, Any] = {"type": int, "metavar": "N"}
    parser.add_argument("--max_steps", default=max_steps, help="steps of every run (default: %(default)s)", **whole)
    parser.add_argument("--eval_every", default=1000, help="steps between validations (default: %(default)s)", **whole)
    parser.add_argument("--patience", default=15, help="validations without gain (default: %(default)s)", **whole)
    lists = "leave the history out of the lists of all systems on test users (default: auto)"
    parser.add_argument("--exclude_history", choices=CHOICES, default="auto", help=lists)
    shown = ",".join(map(str, CUT_OFFS))
    parser.add_argument("--top_n", type=number_list, default=CUT_OFFS, help=f"cut-offs of metrics (default: {shown})")
    parser.add_argument(
        "--runs", type=Path, default=Path(runs), help="folder of the run folders (default: %(default)s)"
    )


def add_jobs(parser: argparse.ArgumentParser) -> None:
    """--jobs of `run_all`."""
    jobs = "runs at the same time, each with its share of the cores (default: %(default)s)"
    parser.add_argument("--jobs", type=at_least_one, default=1, metavar="N", help=jobs)


def at_least_one(text: str) -> int:
    """A flag's value as a positive whole number.

    Raises:
      argparse.ArgumentTypeError: it is none.
    """
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: give a number of at least 1")
    return int(text)


def run_all(
    systems: Sequence[System],
    data: Data,
    budget: Budget,
    runs: Path,
    jobs: int,
    done: Callable[[System, int, dict[str, Any]], None],
) -> int:
    """Train and evaluate every seed of every system: the first seed of all before the second of any.

    Args:
      done: called with the system, the seed and the figures of each run that has ended well, one at a time.

    Returns:
      How many runs failed. Each is printed, and the others go on.

    Raises:
      InputError: what train.py would refuse, before anything is trained.
    """
    for system in systems:
        trained_with(system, 1, data, budget)
    threads, metric = max(1, (os.cpu_count() or 1) // jobs), f"recall@{data.top_n[-1]}"
    places = sorted((seed, place) for place, system in enumerate(systems) for seed in system.seeds)
    failed = 0
    with ThreadPoolExecutor(jobs) as pool:
        waiting = {
            pool.submit(run, systems[place], seed, data, budget, runs.resolve(), threads): (systems[place], seed)
            for seed, place in places
        }
        for ended in as_completed(waiting):
            system, seed = waiting[ended]
            try:
                result = ended.result()
            except RunFailed as error:
                failed += 1
                print(f"{system.name} seed {seed}: {error}", file=sys.stderr, flush=True)
                continue
            print(f"{system.name} seed {seed}: {metric} {result[metric]:.4f}", flush=True)
            done(system, seed, result)
    if failed:
        print(
            f"{failed} of {len(places)} runs failed and are missing in the results; fix what the message names, then "
            "the same command goes on",
            file=sys.stderr,
        )
    return failed


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = Parser(description=__doc__)
    parser.add_argument("--dataset", required=True, help="name below data/ or path of a prepared dataset")
    parser.add_argument("--system", action="append", required=True, help='flags of train.py, such as "SA --remi"')
    parser.add_argument("--output", type=Path, required=True, help="the tables go to OUTPUT.md and OUTPUT.json")
    add_run_flags(parser, (1, 2, 3), 30_000, "runs/quality")
    add_jobs(parser)
    return parser.parse_args(argv)


def about(data: Data, budget: Budget) -> dict[str, Any]:
    """What all results of a table have in common."""
    judged = {EXCLUDED: data.exclude_history, TOP_N: list(data.top_n)}
    return {"dataset": data.path.name, "fingerprint": data.fingerprint, "split": "test", **vars(budget), **judged}


def main(argv: list[str]) -> int:
    """Train and evaluate every system with every seed, and write the tables.

    Raises:
      InputError: a flag cannot be used, or there is no dataset.
    """
    flags = _parse(argv)
    systems = [System.parse(text, flags.seeds) for text in flags.system]
    data, budget = find_data(flags.dataset, flags.exclude_history, flags.top_n), Budget.of(flags)
    flags.output.parent.mkdir(parents=True, exist_ok=True)
    print(in_words(data.exclude_history, data.repeats), flush=True)
    table = Table(flags.output, about(data, budget))

    def add(system: System, seed: int, result: dict[str, Any]) -> None:
        table.add(system.name, seed, result)

    return 1 if run_all(systems, data, budget, flags.runs, flags.jobs, add) else 0


if __name__ == "__main__":
    run_main(main)
