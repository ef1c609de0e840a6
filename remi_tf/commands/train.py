"""The command train: train a model on a prepared dataset, resume a run, or start from another run's weights."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remi_tf.commands.cli import Parser, add_no_verify, add_remi_and_recipe, add_settings, verification
from remi_tf.commands.console import unread
from remi_tf.commands.dry_run import dry_run
from remi_tf.errors import InputError, TrainingInterrupted, command
from remi_tf.quiet_loading import load_tensorflow
from remi_tf.settings.checks import CHANGEABLE, check_changes
from remi_tf.settings.exclusion import in_words
from remi_tf.settings.presets import compose
from remi_tf.settings.recipes import RECIPES

if TYPE_CHECKING:
    from remi_tf.training.counter import Counter
    from remi_tf.training.measurements import Validation
    from remi_tf.training.plan import Plan
    from remi_tf.training.trainer import Trainer

EXAMPLES = f"""examples:
  {command("train")} --dataset synthetic --remi
  {command("train")} --dataset data/shop --model_type SA --remi --run_dir runs/shop --max_steps 30000
  {command("train")} --dataset data/shop --model_type SA --remi --dry_run
  {command("train")} --resume --run_dir runs/shop
  {command("train")} --warm_start runs/shop --dataset data/shop-june --run_dir runs/shop-june
"""
NOT_SETTINGS = (
    *("dataset", "remi", "recipe", "profile", "run_dir", "resume", "warm_start", "overwrite"),
    *("allow_no_match", "no_verify", "dry_run"),
)
SHOWN = ("recall@20", "recall@50", "hit_rate@50")
"""Metrics of a validation that are printed, with the one that selects."""


def main(argv: list[str]) -> int:
    """Flags → run folder → training; 0 at the end, 130 after an interrupt.

    Raises:
      InputError: flags that do not go together, or as `remi_tf.train`.
    """
    settings = vars(_parser().parse_args(argv))
    flags = {name: settings.pop(name) for name in NOT_SETTINGS}
    _read_old_flag(flags)
    _check(flags, settings)
    load_tensorflow()
    if flags["dry_run"]:
        dry_run(_plan(flags, settings))
        return 0
    from tqdm import tqdm

    from remi_tf.training.boosting import sentence
    from remi_tf.training.plan import carry_out

    try:
        trainer = carry_out(
            _plan(flags, settings),
            unread(lambda validation: tqdm.write(validation_line(validation))),
            unread(_print_start),
        )
    except TrainingInterrupted as stopped:
        print(stopped)
        return 130
    score, best_step = trainer.best_validation
    metric = trainer.settings.training.select
    print(f"Finished at step {trainer.step:,}; best validation {metric} {score:.4f} at step {best_step:,}.")
    if about_boost := sentence(trainer.path):
        print(about_boost)
    print("Next:")
    print(f"  {command('evaluate', '--run_dir', trainer.path)}")
    return 0


def _parser() -> Parser:
    parser = Parser(description="Train a model on a prepared dataset.", epilog=EXAMPLES)
    parser.add_argument("--dataset", help="name of a folder below data/, or a path; book, gowalla, … have presets")
    add_remi_and_recipe(parser)
    parser.add_argument("--profile", choices=RECIPES, help=argparse.SUPPRESS)
    parser.add_argument("--run_dir", type=Path, help="run folder (default: runs/DATASET-MODEL[-remi][-RECIPE])")
    parser.add_argument(
        "--resume",
        action="store_true",
        help=f"continue the run in --run_dir, with its settings (--{', --'.join(CHANGEABLE)} may change)",
    )
    parser.add_argument("--warm_start", type=Path, metavar="RUN", help="start from a run's weights, with its settings")
    parser.add_argument(
        "--allow_no_match", action="store_true", help="--warm_start although RUN knows none of the dataset's items"
    )
    parser.add_argument("--overwrite", action="store_true", help="delete the run in --run_dir and start again")
    parser.add_argument(
        "--dry_run",
        action="store_true",
        help="train nothing: print what the run needs in memory and on disk, and how long it will take",
    )
    add_no_verify(parser)
    add_settings(parser)
    return parser


def _read_old_flag(flags: dict[str, Any]) -> None:
    """Accept --profile, the name of --recipe in version 0.1, and print a note."""
    old = flags.pop("profile")
    if old is None:
        return
    if flags["recipe"] not in (None, old):
        raise InputError(f"--profile {old}: it is called --recipe now, and --recipe {flags['recipe']} is given too")
    print(f"Note: --profile is called --recipe now; read as --recipe {old}")
    flags["recipe"] = old


def _check(flags: dict[str, Any], settings: dict[str, Any]) -> None:
    """Refuse flags that do not go together, before TensorFlow is loaded.

    Raises:
      InputError: naming the flag and the remedy.
    """
    if flags["resume"]:
        if flags["run_dir"] is None:
            raise InputError("--resume needs --run_dir, the folder of the run to go on with")
        if flags["dry_run"]:
            raise InputError(
                "--dry_run: it measures a run before it begins, and --resume goes on with one; leave it out"
            )
        others = ("dataset", "remi", "recipe", "warm_start", "overwrite", "allow_no_match")
        check_changes(settings, [name for name in others if flags[name]])
        return
    if flags["dataset"] is None:
        raise InputError("--dataset is missing: the name or path of a prepared dataset, such as synthetic")
    if flags["warm_start"] is None:
        if flags["allow_no_match"]:
            raise InputError("--allow_no_match: it goes with --warm_start; leave it out")
        name, recipe = Path(flags["dataset"]).name, flags["recipe"] or "default"
        compose(name, recipe, flags["remi"], {"model_type": "SA", **settings})
    elif flags["run_dir"] is None:
        raise InputError("--warm_start needs --run_dir, the folder of the new run")
    elif flags["recipe"] is not None or flags["remi"]:
        name = "remi" if flags["remi"] else "recipe"
        raise InputError(f"--{name}: --warm_start takes the run's own settings; leave it out")


def _plan(flags: dict[str, Any], settings: dict[str, Any]) -> "Plan":
    from remi_tf.data.dataset.folder import find_dataset
    from remi_tf.training.plan import plan_new, plan_resume, plan_warm_start

    path, overwrite, verify = flags["run_dir"], flags["overwrite"], verification(flags["no_verify"])
    if flags["resume"]:
        return plan_resume(path, settings, **verify)
    dataset = find_dataset(flags["dataset"], **verify)
    if flags["warm_start"] is not None:
        options = {"allow_no_match": flags["allow_no_match"], **verify}
        return plan_warm_start(dataset, flags["warm_start"], settings, path=path, overwrite=overwrite, **options)
    explicit, recipe = {"model_type": "SA", **settings}, flags["recipe"] or "default"
    return plan_new(dataset, explicit, remi=flags["remi"], recipe=recipe, path=path, overwrite=overwrite)


def _print_start(plan: "Plan", trainer: "Trainer | Counter") -> None:
    """What is about to be trained."""
    from remi_tf.training.plan import notes

    if plan.resumes:
        print(f"Resuming {plan.path} at step {trainer.step:,}.")
        if trainer.is_over:
            print("Nothing is left to train; a larger --max_steps or --patience would go on.")
    elif trainer.warm_start is not None:
        print(*trainer.warm_start.lines(), sep="\n")
    dataset = plan.dataset
    print(f"{dataset.name}: {dataset.train.num_users:,} training users, {dataset.num_items:,} items → {plan.path}")
    print(in_words(plan.settings.training.exclude_history == "yes", dataset.repeats).capitalize())
    print(f"Settings that differ from the defaults of --help: {trainer.settings.changed() or 'none'}")
    for note in notes(trainer):
        print(f"Note: {note}")


def validation_line(validation: "Validation") -> str:
    """A validation as one line; * marks the best so far."""
    loss = "" if validation.loss is None else f"loss {validation.loss:.4f}  "
    shown = dict.fromkeys((*SHOWN, validation.selected_by))
    metrics = "  ".join(f"{name} {validation.metrics[name]:.4f}" for name in shown)
    return f"step {validation.step:,}  {loss}{metrics}{' *' if validation.is_best else ''}"
