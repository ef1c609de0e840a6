"""What a training run will do: start new, continue a run, or start from another run's weights."""

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from remi_tf.counted.boost import CONTENT_TABLES
from remi_tf.data.dataset.folder import Dataset
from remi_tf.errors import InputError, TrainingInterrupted, command
from remi_tf.settings.checks import check_changes
from remi_tf.settings.encoders import ENCODERS
from remi_tf.settings.presets import compose, run_name
from remi_tf.settings.settings import Settings
from remi_tf.training import run_folder
from remi_tf.training.boosting import boost_run
from remi_tf.training.counter import Counter
from remi_tf.training.interrupts import Interrupts
from remi_tf.training.measurements import OnValidation
from remi_tf.training.memory_check import refuse_too_large
from remi_tf.training.run_config import CONFIG, read_run_config
from remi_tf.training.trainer import Trainer
from remi_tf.training.warm_start import load_for_warm_start, refuse_no_match


@dataclass(frozen=True)
class Plan:
    """What is going to be trained.

    path: the run folder, made unless `resumes`; before: the run whose weights a warm start takes over; config: what
    config.json of a resumed run held when this was planned; verify: whether what is restored is checked; given: names
    of the settings that were given, so that a counted model does not choose them; None where it is to choose nothing;
    asked: the model's name, --remi and --recipe of a new run, for config.json.
    """

    path: Path
    settings: Settings
    dataset: Dataset
    resumes: bool = False
    overwrite: bool = False
    before: run_folder.SavedRun | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    verify: bool = True
    given: Collection[str] | None = None
    asked: Mapping[str, Any] = field(default_factory=dict)

    @property
    def starts(self) -> str:
        """What the weights are before the first step: new, warm (another run's) or resumed."""
        return "resumed" if self.resumes else "new" if self.before is None else "warm"


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
    has_features = dataset.features is not None
    settings = compose(dataset.name, recipe, remi, explicit, dataset.num_items, dataset.repeats, has_features)
    path = path or Path("runs") / run_name(dataset.name, recipe, remi, explicit)
    asked = {"model_type": explicit["model_type"], "remi": remi, "recipe": recipe}
    return Plan(path, settings, dataset, overwrite=overwrite, given=tuple(explicit), asked=asked)


def plan_resume(path: Path, changes: Mapping[str, Any], *, verify: bool = True) -> Plan:
    """The run in `path`, from its newest checkpoint on, with its own settings but for `changes`.

    Args:
      verify: compare the run's files with their checksums.

    Raises:
      InputError: no run there, a damaged file, its data are gone, or a setting that a run keeps.
    """
    check_changes(changes)
    settings, dataset = run_folder.read_config(path, verify)
    if changes and ENCODERS[settings.encoder.model_type].counted:
        raise InputError(
            f"--resume: {path} is a run of {settings.encoder.model_type}, which is counted, not trained; leave out "
            + ", ".join(f"--{name}" for name in changes)
        )
    config = read_run_config(path, check=False).content
    return Plan(path, settings.replace(**changes), dataset, resumes=True, config=config, verify=verify)


def plan_warm_start(
    dataset: Dataset,
    before: Path,
    changes: Mapping[str, Any],
    *,
    path: Path,
    overwrite: bool = False,
    allow_no_match: bool = False,
    verify: bool = True,
) -> Plan:
    """A new run that starts from the weights of the run in `before`, with its settings and `changes` to them.

    Args:
      allow_no_match: go on where no item of the dataset is known to that run.
      verify: compare that run's files with their checksums.

    Raises:
      InputError: no run there, a setting that its weights do not allow, or no item that both have.
    """
    run, settings = load_for_warm_start(before, changes, verify)
    if settings.items.item_tower != "id" and dataset.features is None:
        raise InputError(
            f"--warm_start {before}: it reads features of the items ({settings.items.item_tower}), and {dataset.path} "
            "has none; prepare it with --items TABLE --item_features COL,COL, or train without --warm_start"
        )
    if not allow_no_match:
        refuse_no_match(run, dataset)
    return Plan(path, settings.decided(dataset.repeats), dataset, overwrite=overwrite, before=run)


@contextlib.contextmanager
def opened(plan: Plan) -> Iterator[Trainer | Counter]:
    """Who trains or counts as planned, its run folder made or reopened, and within the block nobody else's to train in.

    Raises:
      InputError: what cannot be built, a folder that holds something else or in which another process trains, or a
        resumed run whose changes would train nothing.
    """
    with contextlib.ExitStack() as held:
        replaces = plan.overwrite and (plan.path / CONFIG).is_file()
        if plan.resumes or replaces:
            run_folder.lock(plan.path, held)  # of a run that is replaced it stays held: see create_run
        elif not plan.overwrite:
            run_folder.refuse_run(plan.path)
        # The trainer comes before the folder: what cannot be built neither leaves nor costs one.
        trainer = make_trainer(plan)
        if plan.resumes:
            _go_on(plan, trainer)
        else:

            def save_start(folder: Path) -> dict[str, Any]:
                return {**({"asked": plan.asked} if plan.asked else {}), **trainer.save_start(folder)}

            run_folder.create_run(plan.path, trainer.settings, plan.dataset, replaces, save_start, held)
        yield trainer


def make_trainer(plan: Plan) -> Trainer | Counter:
    """Who trains or counts as planned; nothing is written.

    Raises:
      InputError: what cannot be built, or does not fit into the memory.
    """
    if ENCODERS[plan.settings.encoder.model_type].counted:
        return Counter(plan.path, plan.settings, plan.dataset, plan.given, plan.verify)
    table = plan.settings.boost.boost_table
    if table in CONTENT_TABLES and plan.dataset.features is None and not plan.resumes:
        raise InputError(
            f"--boost_table {table}: it reads features of the items, and {plan.dataset.path} has none; prepare it with "
            "--items TABLE --item_features COL,COL, or take --boost_table chosen"
        )
    refuse_too_large(plan.settings, plan.dataset, plan.starts)
    return Trainer(plan.path, plan.settings, plan.dataset, plan.before, plan.verify)


def _go_on(plan: Plan, trainer: Trainer | Counter) -> None:
    """Restore a run that is resumed, and write down what has changed."""
    if read_run_config(plan.path, check=False).content != plan.config:
        raise InputError(f"{plan.path}: another process has changed this run meanwhile; give the command again")
    trainer.restore()
    if trainer.is_over and plan.settings != run_folder.read_settings(plan.path):
        training = plan.settings.training
        raise InputError(
            f"{plan.path}: training is over at step {trainer.step:,}, so what --resume changes would train "
            f"nothing; give a larger --max_steps (now {training.max_steps}) or --patience (now "
            f"{training.patience}), or start a run from its weights with --warm_start {plan.path}"
        )
    run_folder.update_settings(plan.path, plan.settings)


def carry_out(
    plan: Plan,
    on_validation: OnValidation | None = None,
    on_open: Callable[[Plan, Trainer | Counter], None] | None = None,
) -> Trainer | Counter:
    """Train as planned, until the budget or the patience is used up.

    Args:
      on_validation: called with each Validation; on_open: called before the first step.

    Raises:
      InputError: as `opened`, or a full disk.
      TrainingDiverged: a loss became NaN or infinite.
      TrainingInterrupted: Ctrl-C or SIGTERM; everything is saved.
    """
    with opened(plan) as trainer:
        if on_open is not None:
            on_open(plan, trainer)
        if not trainer.train(on_validation):
            raise _interrupted(plan, trainer)
        if plan.settings.boost.boost == "counted":
            try:
                with Interrupts() as interrupts:
                    boost_run(plan.path, plan.dataset, trainer.validation, plan.verify, interrupts)
            except KeyboardInterrupt:
                raise _interrupted(plan, trainer) from None
    return trainer


def _interrupted(plan: Plan, trainer: Trainer | Counter) -> TrainingInterrupted:
    return TrainingInterrupted(
        f"Stopped at step {trainer.step:,}; everything is saved. Go on with\n"
        f"  {command('train', '--resume', '--run_dir', plan.path)}\n"
        f"or in Python remi_tf.resume({str(plan.path)!r})."
    )


def notes(trainer: Trainer | Counter) -> list[str]:
    """What is worth knowing about a run's settings before it trains, one sentence each."""
    objective, num_items = trainer.settings.objective, trainer.dataset.num_items
    if isinstance(trainer, Counter):
        return [trainer.choice.sentence()] if trainer.choice else []
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
