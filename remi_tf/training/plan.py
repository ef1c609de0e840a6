"""What a training run will do: start new, continue a run, or start from another run's weights."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remi_tf.data.dataset.folder import Dataset
from remi_tf.errors import InputError, TrainingInterrupted, command
from remi_tf.settings.checks import check_changes
from remi_tf.settings.presets import compose, run_name
from remi_tf.settings.settings import Settings
from remi_tf.training import run_folder
from remi_tf.training.trainer import OnValidation, Trainer
from remi_tf.training.warm_start import load_for_warm_start


@dataclass(frozen=True)
class Plan:
    """path: the run folder, created unless `resumes`; before: the run that a warm start takes its weights from."""

    path: Path
    settings: Settings
    dataset: Dataset
    resumes: bool = False
    overwrite: bool = False
    before: run_folder.SavedRun | None = None


def plan_new(
    dataset: Dataset,
    explicit: Mapping[str, Any],
    *,
    remi: bool = False,
    recipe: str = "default",
    path: Path | None = None,
    overwrite: bool = False,
) -> Plan:
    """A new run.

    Args:
      explicit: settings by name, `model_type` among them.
      path: the run folder; None makes a folder below runs/, named after the arguments.

    Raises:
      InputError: settings that do not go together.
    """
    settings = compose(dataset.name, recipe, remi, explicit, dataset.num_items)
    path = path or Path("runs") / run_name(dataset.name, recipe, remi, explicit)
    return Plan(path, settings, dataset, overwrite=overwrite)


def plan_resume(path: Path, changes: Mapping[str, Any]) -> Plan:
    """Continue the run in `path` from its newest checkpoint, with its settings and `changes` to them.

    Raises:
      InputError: no run there, its data are gone, or a change to a setting that must stay.
    """
    check_changes(changes)
    settings, dataset = run_folder.read_config(path)
    return Plan(path, settings.replace(**changes), dataset, resumes=True)


def plan_warm_start(
    dataset: Dataset, before: Path, changes: Mapping[str, Any], *, path: Path, overwrite: bool = False
) -> Plan:
    """A new run that starts from the weights of the run in `before`, with its settings and `changes` to them.

    Raises:
      InputError: no run there, or a setting that its weights do not allow.
    """
    run, settings = load_for_warm_start(before, changes)
    return Plan(path, settings, dataset, overwrite=overwrite, before=run)


def open_trainer(plan: Plan) -> Trainer:
    """The trainer of a plan; its run folder is created or reopened.

    Raises:
      InputError: settings that cannot be built, a folder that holds something else, or a resumed run whose changes
        would train nothing.
    """
    # The trainer comes before the folder: if it cannot be built, no folder is created and none is replaced.
    trainer = Trainer(plan.path, plan.settings, plan.dataset, plan.before)
    if plan.resumes:
        trainer.restore()
        if trainer.is_over and plan.settings != run_folder.read_settings(plan.path):
            training = plan.settings.training
            raise InputError(
                f"{plan.path}: training is over at step {trainer.step:,}, so what --resume changes would train "
                f"nothing; give a larger --max_steps (now {training.max_steps}) or --patience (now "
                f"{training.patience}), or start a run from its weights with --warm_start {plan.path}"
            )
        run_folder.update_settings(plan.path, plan.settings)
    else:
        save_start = trainer.save_start if trainer.warm_start is not None else None
        run_folder.create_run(plan.path, plan.settings, plan.dataset, plan.overwrite, save_start)
    return trainer


def carry_out(
    plan: Plan, on_validation: OnValidation | None = None, on_open: Callable[[Plan, Trainer], None] | None = None
) -> Trainer:
    """Train as planned, until the budget or the patience is used up.

    Args:
      on_validation: called with each Validation; on_open: called before the first step.

    Raises:
      InputError: as `open_trainer`.
      TrainingDiverged: a loss became NaN or infinite.
      TrainingInterrupted: Ctrl-C or SIGTERM; everything is saved.
    """
    trainer = open_trainer(plan)
    if on_open is not None:
        on_open(plan, trainer)
    if not trainer.train(on_validation):
        raise TrainingInterrupted(
            f"Stopped at step {trainer.step:,}; everything is saved. Go on with\n"
            f"  {command('train')} --resume --run_dir {plan.path}\n"
            f"or in Python remi_tf.resume({str(plan.path)!r})."
        )
    return trainer


def notes(trainer: Trainer) -> list[str]:
    """What is worth knowing about a run's settings before it trains, one sentence each."""
    objective, num_items = trainer.settings.objective, trainer.dataset.num_items
    if trainer.is_counted:
        return []
    found = []
    if objective.sampler == "uniform" and objective.num_negatives > num_items:
        found.append(
            f"--num_negatives {objective.num_negatives} draws more than the {num_items:,} items there are; fewer, or "
            "--sampler full where --beta is 0, cost less and are as good"
        )
    if objective.sampler == "srns" and objective.variance_warmup > trainer.max_steps:
        found.append(
            "--sampler srns chooses as dns does at first; its own weight grows over --variance_warmup "
            f"{objective.variance_warmup} steps, but training ends at --max_steps {trainer.max_steps}"
        )
    return found
