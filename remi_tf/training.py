"""train.py: a run folder made or reopened, training in it, and what to do next."""

from pathlib import Path

from remi_tf import run as run_folder
from remi_tf.config import Settings
from remi_tf.data.interactions import Dataset
from remi_tf.errors import InputError
from remi_tf.trainer import SELECTION, Trainer


def run_training(
    path: Path,
    settings: Settings,
    dataset: Dataset,
    resume: bool,
    overwrite: bool,
    warm: run_folder.Run | None = None,
) -> int:
    """Make or reopen a run folder, train in it, tell how it went and what to do next.

    Args:
      warm: a finished run whose weights a new one starts from.

    Returns:
      Exit code: 0 at the end of training, 130 after an interrupt.

    Raises:
      InputError: what cannot be built, or a run resumed with other settings that has nothing left to train.
    """
    # Before the folder: what cannot be built neither leaves nor costs one.
    trainer = Trainer(path, settings, dataset, warm)
    if resume:
        trainer.restore()
        if trainer.is_over and settings != run_folder.read_settings(path):
            raise InputError(
                f"{path}: training is over at step {trainer.step:,}, so what --resume changes would train nothing; "
                f"give a larger --max_steps (now {settings.training.max_steps}) or --patience (now "
                f"{settings.training.patience}), or start a run from its weights with --warm_start {path}"
            )
        run_folder.update_settings(path, settings)
        print(f"Resuming {path} at step {trainer.step:,}.")
    elif trainer.warm_start is not None:
        run_folder.create_run(path, settings, dataset, overwrite, trainer.save_start)
        print(*trainer.warm_start.lines(), sep="\n")
    else:
        run_folder.create_run(path, settings, dataset, overwrite)
    print(f"{dataset.name}: {dataset.train.num_users:,} training users, {dataset.num_items:,} items → {path}")
    print(f"Settings beside the defaults of --help: {settings.changed() or 'none'}")
    drawn = settings.objective.num_negatives
    if settings.objective.sampler == "uniform" and drawn > dataset.num_items and trainer.counted_table is None:
        print(
            f"Note: --num_negatives {drawn} draws more than the {dataset.num_items:,} items there are; fewer, or where "
            "--beta is 0 --sampler full, cost less and tell as much"
        )
    warmup = settings.objective.variance_warmup
    if settings.objective.sampler == "srns" and warmup > trainer.max_steps:
        print(
            f"Note: --sampler srns chooses as dns does at first; its own weight grows over --variance_warmup {warmup} "
            f"steps, of which --max_steps {trainer.max_steps} sees a part"
        )
    finished = trainer.train()
    score, best_step = trainer.progress.best_score.numpy(), trainer.progress.best_step.numpy()
    if not finished:
        print(f"Stopped at step {trainer.step:,}; everything is saved. Go on with:")
        print(f"  python train.py --resume --run_dir {path}")
        return 130
    print(f"Finished at step {trainer.step:,}; best validation {SELECTION} {score:.4f} at step {best_step:,}. Next:")
    print(f"  python evaluate.py --run_dir {path}")
    return 0
