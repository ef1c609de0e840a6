"""The run folder: what ran, its checkpoints and its measurements.

config.json      every setting, the dataset with its fingerprint and profile columns, versions, git revision
items.txt        the vocabulary that the rows of the item table follow; titles and categories if the dataset has them
run.json         the manifest of the above: sizes and SHA-256
checkpoints/     the newest two full states (weights, optimizer slots, progress), for --resume
boost/           what is added to the scores of the best weights, if --boost counted (boost_folder.py)
best/            weights of the best two validations so far, for evaluate.py, export.py and recommend.py
item_knn.json    the settings of ItemKNN that evaluate.py has chosen, for the next time
metrics.jsonl    one line for each validation
tensorboard/     the same as TensorBoard events
.lock            held by the process that trains here
"""

import contextlib
import errno
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import tensorflow as tf
from absl import logging

import remi_tf
from remi_tf.counted.base import CountedModel
from remi_tf.data.dataset.catalogue import Catalogue, item_files
from remi_tf.data.dataset.folder import DATA, MANIFEST, PROFILE_COLUMNS, Dataset, load_dataset
from remi_tf.data.dataset.manifest import NUM_COLD, REPEATS
from remi_tf.data.dataset.profiles import columns_to_json
from remi_tf.doctor import versions
from remi_tf.errors import InputError, command
from remi_tf.files import atomic_folder
from remi_tf.locks import locked
from remi_tf.model import MultiInterestModel
from remi_tf.settings.exclusion import excludes_history
from remi_tf.settings.settings import Settings
from remi_tf.systems import finish, make_system
from remi_tf.training.boost_folder import restore_boost
from remi_tf.training.checkpoints import CheckpointKeeper
from remi_tf.training.measurements import read_metrics
from remi_tf.training.run_config import CONFIG, read_run_config, rewrite_config, write_new_config

CHECKPOINTS, BEST, ITEM_KNN = "checkpoints", "best", "item_knn.json"


@dataclass(frozen=True, repr=False)
class SavedRun:
    """A trained run, ready to use. The model has the best weights, which were saved at `step`.

    repeats: the share of repeats of its log; None for a run of an older version.
    """

    path: Path
    settings: Settings
    catalogue: Catalogue
    model: MultiInterestModel | CountedModel
    step: int
    repeats: float | None = field(default=None, kw_only=True)
    verify: bool = field(default=True, kw_only=True)

    def __repr__(self) -> str:
        model_type, items = self.settings.encoder.model_type, self.catalogue.num_items
        data = f"{model_type} on {self.catalogue.name}, {items:,} items"
        return f"<Run {self.path}: {data}, best weights of step {self.step:,}>"

    @cached_property
    def dataset(self) -> Dataset:
        """The data it was trained on.

        Raises:
          InputError: they are gone or have changed.
        """
        return read_config(self.path, self.verify)[1]

    def excludes_history(self, asked: bool | str | None = None) -> bool:
        """Whether lists leave out the user's history: as validation did (None), yes, no or auto.

        Raises:
          InputError: `asked` is something else, or it is auto, and an older run's dataset is gone.
        """
        asked = self.settings.training.exclude_history if asked is None else asked
        return excludes_history(asked, lambda: self.dataset.repeats if self.repeats is None else self.repeats)

    def evaluation_path(self, split: str, exclude_history: bool) -> Path:
        """Where evaluate.py writes what it finds. The run's own way has the plain name."""
        other = "_exclude_history" if exclude_history else "_with_history"
        return self.path / f"evaluation_{split}{'' if exclude_history == self.excludes_history() else other}.json"


def lock(path: Path, held: contextlib.ExitStack) -> None:
    """Keep other processes from training in a run folder until `held` is closed. Those that only read are free.

    Raises:
      InputError: another process trains there; the message has its pid and host. Or the folder cannot be written.
    """
    try:
        held.enter_context(locked(path, "training this run"))
    except OSError as error:
        raise _not_writable(path, error) from error


def create_run(
    path: Path,
    settings: Settings,
    dataset: Dataset,
    overwrite: bool,
    save_start: Callable[[Path], dict[str, Any]] | None = None,
    held: contextlib.ExitStack | None = None,
) -> None:
    """Make a run folder with its config, vocabulary and titles, whole or not at all.

    Args:
      overwrite: replace the run that is there. Whoever says so holds its lock.
      save_start: puts the state that training starts from into the folder, where there is one, and returns what
        config.json is to hold besides.
      held: gets the lock of the new folder, which is held from the folder's first moment.

    Raises:
      InputError: the folder holds a run and `overwrite` is false, it holds something else, or cannot be written.
    """
    if not overwrite:
        refuse_run(path)
    try:
        with atomic_folder(path, CONFIG, overwrite) as folder:
            for name in item_files(dataset.path, with_features=settings.items.item_tower != "id"):
                if (dataset.path / name).is_file():
                    shutil.copyfile(dataset.path / name, folder / name)
            config = _new_config(settings, dataset)
            if save_start is not None:
                config |= save_start(folder)
            write_new_config(folder, config)
            if held is not None:
                lock(folder, held)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY):
            raise InputError(f"{path}: another process has just made it; name another --run_dir") from error
        raise _not_writable(path, error) from error


def refuse_run(path: Path) -> None:
    """Raise InputError if the folder holds a run."""
    if (path / CONFIG).is_file():
        raise InputError(
            f"{path} holds a run already; add --resume to go on with it, --overwrite, or another --run_dir (in Python "
            "remi_tf.resume, overwrite=True, or another run_dir)"
        )


def _new_config(settings: Settings, dataset: Dataset) -> dict[str, Any]:
    known: dict[str, Any] = {"name": dataset.name, "fingerprint": dataset.fingerprint, "num_items": dataset.num_items}
    known |= {REPEATS: dataset.repeats, NUM_COLD: dataset.num_cold}
    columns = columns_to_json(dataset.profile_columns)
    return {
        "settings": settings.to_json(),
        "dataset": {"path": str(dataset.path.resolve()), **known, PROFILE_COLUMNS: columns},
        "versions": {"remi_tf": remi_tf.__version__, **versions()},
        "git_revision": _git_revision(),
    }


def _not_writable(path: Path, error: OSError) -> InputError:
    return InputError(f"{path}: cannot be written ({error.strerror or error}); make room, or name another --run_dir")


def read_settings(path: Path) -> Settings:
    """Settings of a run.

    Raises:
      InputError: no run there.
    """
    return read_run_config(path, check=False).settings


def update_settings(path: Path, settings: Settings) -> None:
    """Write settings that a resumed run has changed into its config."""
    config = read_run_config(path, check=False).content
    if config["settings"] != settings.to_json():
        rewrite_config(path, {**config, "settings": settings.to_json()})


def read_config(path: Path, verify: bool = True) -> tuple[Settings, Dataset]:
    """Settings and dataset of a run.

    Args:
      verify: compare the files of the run and of its dataset with their checksums.

    Raises:
      InputError: no run there, a file of it is damaged, or its dataset is gone or another one.
    """
    config = read_run_config(path, verify)
    there = config.dataset if (config.dataset / MANIFEST).is_file() else DATA / config.name
    if not (there / MANIFEST).is_file():
        raise InputError(
            f"{path} was trained on {config.dataset}, which is not there, nor in {there}; put it back or "
            f"prepare it as before ({command('export')} and {command('recommend')} do not need it)"
        )
    dataset = load_dataset(there, verify)
    if dataset.fingerprint != config.fingerprint:
        raise InputError(
            f"{there}: not the data that {path} was trained on (fingerprint {dataset.fingerprint[:12]}, the run has "
            f"{config.fingerprint[:12]}); prepare it as before, or train again"
        )
    return config.settings, dataset


def load_saved_run(path: str | Path, verify: bool = True, boosted: bool = True) -> SavedRun:
    """Open a run with its best weights. The dataset is opened only when `dataset` is read.

    Args:
      boosted: with its boost, if it has one.
      verify: compare sizes and SHA-256 of the run's files, its weights and (when it is opened) its dataset with what
        was written. Without it, damage that cannot be seen otherwise is used.

    Raises:
      InputError: no run there, a damaged file, or no weights saved yet.
    """
    path = Path(path)
    config = read_run_config(path, verify)
    catalogue = Catalogue(
        path, config.name, config.fingerprint, config.num_items, profile_columns=config.profile_columns,
        num_cold=config.num_cold,
    )  # fmt: skip
    has_tower = config.settings.items.item_tower != "id"
    features = catalogue.features if has_tower else None
    model = make_system(config.settings, catalogue.num_items, catalogue.profile_sizes, features=features)
    build(model)
    resume = command("train", "--resume", "--run_dir", path)
    try:
        step = best_keeper(model, path, verify).restore()
    except InputError as error:
        raise InputError(f"{error}; {resume} chooses again, else train again") from error
    if step is None:
        raise InputError(f"{path}: no best weights yet; the first validation saves them, go on with {resume}")
    finish(model)
    _warn_of_better(path, step, config.settings.training.select)
    if boosted and isinstance(model, MultiInterestModel):
        model.boost = restore_boost(path, config.settings, catalogue.num_items, catalogue.num_cold, step, verify)
    return SavedRun(path, config.settings, catalogue, model, step, repeats=config.repeats, verify=verify)


def _warn_of_better(path: Path, step: int, metric: str) -> None:
    """Say if the measurements know of better weights than those of `step`: these are gone or damaged."""
    name = f"valid_{metric}"
    scores = {line["step"]: line[name] for line in read_metrics(path) if isinstance(line.get(name), float)}
    best = max(scores, key=lambda other: scores[other], default=step)
    if step in scores and scores[best] > scores[step]:
        logging.warning(
            "%s: these are the weights of step %s (%s %.4f); those of step %s (%.4f) were better and are not there",
            path, step, metric, scores[step], best, scores[best],
        )  # fmt: skip


def build(model: MultiInterestModel | CountedModel) -> None:
    """Create the variables that layers make at their first call."""
    if isinstance(model, CountedModel):
        return
    widths = {"days": model.max_history, "profile": len(model.profile_sizes)}
    features = {name: tf.zeros([1, widths[name]], tf.int32) for name in model.needs}
    model.interests(tf.zeros([1, model.max_history], tf.int32), **features)


def best_keeper(model: MultiInterestModel | CountedModel, path: Path, verify: bool) -> CheckpointKeeper:
    """Saves and restores the best weights of the run in the folder `path`."""
    return CheckpointKeeper(weights(model), path / BEST, whole=False, check=verify)


def weights(model: MultiInterestModel | CountedModel) -> tf.train.Checkpoint:
    """What a finished model consists of, without optimizer slots."""
    if isinstance(model, CountedModel):
        return tf.train.Checkpoint(**model.tables)
    if model.items is not None:
        return tf.train.Checkpoint(items=model.items, encoder=model.encoder)
    return tf.train.Checkpoint(item_table=model.item_table, encoder=model.encoder)


def _git_revision() -> str | None:
    """The checkout's commit, with + when files differ from it; None outside a checkout."""
    describe = ["git", "-C", str(Path(remi_tf.__file__).parent), "describe", "--always", "--dirty=+", "--abbrev=40"]
    try:
        return subprocess.run(describe, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
