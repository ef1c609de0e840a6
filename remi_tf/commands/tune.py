"""The command tune: search settings on validation users, one training run a trial."""

import argparse
import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remi_tf.commands.cli import Parser, add_no_verify, add_remi_and_recipe, add_settings, verification
from remi_tf.commands.console import unread
from remi_tf.commands.result_tables import table
from remi_tf.errors import InputError, command
from remi_tf.quiet_loading import load_tensorflow
from remi_tf.settings.presets import run_name
from remi_tf.tuning.named_spaces import DEFAULT, NAMES, find_space
from remi_tf.tuning.request import PRUNINGS, SEARCHES, TRIALS, Request
from remi_tf.tuning.request_file import read_study
from remi_tf.tuning.space import grid_size

if TYPE_CHECKING:
    from remi_tf.tuning.records import Record

EXAMPLES = f"""examples:
  {command("tune")} --dataset synthetic --remi --trials 10
  {command("tune")} --dataset data/shop --model_type SA --remi --space settings.json --max_steps 5000
  {command("tune")} --dataset book --model_type MIND --space mind_re4 --recipe paper

A space is a JSON file such as
  {{"num_interests": [2, 4, 8], "learning_rate": {{"low": 1e-4, "high": 1e-2, "log": true}}}}
The same command goes on with a search that was stopped. docs/TUNING.md says more.
"""
NOT_SETTINGS = (
    *("dataset", "remi", "recipe", "study_dir", "space", "trials", "search", "search_seed", "pruning", "keep_runs"),
    "no_verify",
)


def main(argv: list[str]) -> int:
    """Flags → study folder → trials → table; 0 at the end, 130 after an interrupt.

    Raises:
      InputError: flags or a space that cannot be searched, another study in the folder, or no trial that was complete.
    """
    settings = vars(_parser().parse_args(argv))
    flags = argparse.Namespace(**{name: settings.pop(name) for name in NOT_SETTINGS})
    if importlib.util.find_spec("optuna") is None:
        raise InputError('the search needs Optuna, which is not installed: pip install "remi_tf[tune]"')
    request, path, trials = _read(flags, settings)
    load_tensorflow()
    import optuna
    from tqdm import tqdm

    from remi_tf.tuning.study import search

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    print(f"Search ({request.search}, {trials} trials) in {path}:")
    for name, choice in request.space.items():
        print(f"  {name}: {choice}")
    say = unread(lambda trial, is_best: tqdm.write(trial_line(trial, is_best)))
    try:
        found = search(request, path, trials, verify=not flags.no_verify, on_trial=say)
    except KeyboardInterrupt:
        print("Stopped; everything is saved. The same command goes on.")
        return 130
    _print_end(request, path, found)
    return 0


def _parser() -> Parser:
    parser = Parser(description="Search settings on validation users.", epilog=EXAMPLES)
    parser.add_argument("--dataset", required=True, help="name of a folder below data/, or a path")
    add_remi_and_recipe(parser)
    parser.add_argument(
        "--study_dir", type=Path, help="study folder (default: runs/tune-DATASET-MODEL[-remi][-RECIPE])"
    )
    parser.add_argument(
        "--space",
        default=DEFAULT,
        metavar="FILE",
        help=f"what to search: a JSON file, or a name ({', '.join(NAMES)}; default: {DEFAULT})",
    )
    parser.add_argument(
        "--trials", type=int, help=f"trials in all, those of earlier calls included (default: the grid, else {TRIALS})"
    )
    parser.add_argument(
        "--search",
        choices=SEARCHES,
        help="how the next trial is chosen; tpe: near what was good (default: grid if all settings have lists and "
        "--trials is not given or covers all combinations, else tpe)",
    )
    parser.add_argument("--search_seed", type=int, default=0, help="decides which trials there are (default: 0)")
    parser.add_argument(
        "--pruning",
        choices=PRUNINGS,
        default="median",
        help="median: end a trial whose best validation is below the median of the others' (default: median)",
    )
    parser.add_argument(
        "--keep_runs", action="store_true", help="keep the run folders of all trials (default: of the best one)"
    )
    add_no_verify(parser)
    add_settings(parser)
    return parser


def _read(flags: argparse.Namespace, fixed: dict[str, Any]) -> tuple[Request, Path, int]:
    """What is to be searched, the study folder and the number of trials, checked before TensorFlow is loaded."""
    from remi_tf.data.dataset.folder import find_dataset

    for name, least in (("trials", 1), ("search_seed", 0)):
        value = getattr(flags, name)
        if value is not None and value < least:
            raise InputError(f"--{name} {value}: must be {least} or more")
    recipe, model = flags.recipe or "default", {"model_type": fixed.get("model_type", "SA")}
    space = find_space(flags.space, model["model_type"], flags.remi)
    dataset = find_dataset(flags.dataset, **verification(flags.no_verify))
    path = flags.study_dir or Path("runs") / f"tune-{run_name(dataset.name, recipe, flags.remi, model)}"
    known = read_study(path) or {}
    size = grid_size(space)
    covered = size is not None and (flags.trials is None or flags.trials >= size)
    by_default = known.get("search", "grid" if covered else "tpe")
    request = Request(
        dataset,
        flags.dataset,
        space,
        fixed,
        remi=flags.remi,
        recipe=recipe,
        search=flags.search or by_default,
        search_seed=flags.search_seed,
        pruning=flags.pruning,
        keep_runs=flags.keep_runs,
    )
    request.check(flags.space if flags.space not in NAMES else f"--space {flags.space}")
    trials = flags.trials or (size if request.search == "grid" and size is not None else TRIALS)
    return request, path, min(trials, size) if request.search == "grid" and size is not None else trials


def trial_line(trial: "Record", is_best: bool) -> str:
    """A trial that has ended as one line; * marks the best so far."""
    settings = "  ".join(f"{name} {value}" for name, value in _shown(trial.settings).items())
    return f"trial {trial.number}  {settings}  {_outcome(trial)}{' *' if is_best else ''}"


def _outcome(trial: "Record") -> str:
    score = "" if trial.score is None else f"  {trial.score:.4f} at step {trial.best_step:,}"
    if trial.reason is not None:
        return f"{trial.state}: {trial.reason}"
    again = "" if trial.same_as is None else f" (the settings of trial {trial.same_as})"
    return f"{trial.state}{score}{again}"


def _shown(settings: Mapping[str, Any]) -> dict[str, str]:
    return {name: f"{value:.4g}" if isinstance(value, float) else str(value) for name, value in settings.items()}


def trial_table(trials: Sequence["Record"], metric: str) -> str:
    """One row for each trial, the best score first, those without one last."""
    rows = {}
    for trial in sorted(trials, key=lambda each: (each.state == "failed", -(each.score or 0.0))):
        step = None if trial.best_step is None else f"{trial.best_step:,}"
        rows[f"trial {trial.number}"] = {
            **_shown(trial.settings), metric: trial.score, "at step": step, "state": trial.state
        }  # fmt: skip
    return table(rows)


def _print_end(request: Request, path: Path, trials: Sequence["Record"]) -> None:
    """The table, the best trial and what to do with it.

    Raises:
      InputError: no trial was complete.
    """
    from remi_tf.tuning.records import best_of
    from remi_tf.tuning.study import run_folder_of

    best = best_of(trials)
    if best is None:
        reasons = [trial.reason for trial in trials if trial.reason]
        raise InputError(f"{path}: no trial was complete; {reasons[0] if reasons else 'give more --trials'}")
    metric = request.compose(best.settings).training.select
    print(trial_table(trials, metric))
    print(f"Best: trial {best.number}, validation {metric} {best.score:.4f} at step {best.best_step:,}")
    print("Its run, and the command that trains it again:")
    print(f"  {command('evaluate', '--run_dir', run_folder_of(path, best.number))}")
    print(f"  {request.train_command(best.settings, path.with_name(f'{path.name}-best'))}")
