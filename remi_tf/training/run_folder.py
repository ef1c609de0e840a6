"""The run folder: what ran, its checkpoints and its measurements.

config.json      every setting, the dataset with its fingerprint and profile columns, versions, git revision
checkpoints/     the newest full state (weights, optimizer slots, progress), for --resume
best/            weights of the best validation so far, for evaluate.py, export.py and recommend.py
metrics.jsonl    one line for each validation
tensorboard/     the same as TensorBoard events
items.txt        the vocabulary that the rows of the item table follow; titles and categories if the dataset has them
"""

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import tensorflow as tf

import remi_tf
from remi_tf.data.dataset.folder import (
    CATEGORIES,
    CATEGORY_NAMES,
    DATA,
    ITEMS,
    MANIFEST,
    PROFILE_COLUMNS,
    TITLES,
    Catalogue,
    Dataset,
    load_dataset,
)
from remi_tf.data.dataset.profiles import columns_from_json, columns_to_json
from remi_tf.doctor import versions
from remi_tf.errors import InputError, command
from remi_tf.files import atomic_file, atomic_folder, write_json
from remi_tf.model import MultiInterestModel
from remi_tf.settings.settings import Settings

CONFIG, METRICS, CHECKPOINTS, BEST = "config.json", "metrics.jsonl", "checkpoints", "best"


@dataclass(frozen=True, repr=False)
class SavedRun:
    """A trained run, ready to use. The model has the best weights, which were saved at `step`."""

    path: Path
    settings: Settings
    catalogue: Catalogue
    model: MultiInterestModel
    step: int
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


def create_run(
    path: Path,
    settings: Settings,
    dataset: Dataset,
    overwrite: bool,
    save_start: Callable[[Path], dict[str, Any]] | None = None,
) -> None:
    """Make a run folder with its config, vocabulary and titles, whole or not at all.

    Args:
      save_start: for a warm start: writes the state that training starts from into the folder, and returns what
        config.json is to hold about it.

    Raises:
      InputError: the folder holds a run and `overwrite` is false, or it holds something else.
    """
    if (path / CONFIG).is_file() and not overwrite:
        raise InputError(
            f"{path} holds a run already; add --resume to go on with it, --overwrite, or another --run_dir (in Python "
            "remi_tf.resume, overwrite=True, or another run_dir)"
        )
    with atomic_folder(path, CONFIG, overwrite) as folder:
        for name in (ITEMS, TITLES, CATEGORIES, CATEGORY_NAMES):
            if (dataset.path / name).is_file():
                shutil.copyfile(dataset.path / name, folder / name)
        known = {"name": dataset.name, "fingerprint": dataset.fingerprint, "num_items": dataset.num_items}
        columns = columns_to_json(dataset.profile_columns)
        config = {
            "settings": settings.to_json(),
            "dataset": {"path": str(dataset.path.resolve()), **known, PROFILE_COLUMNS: columns},
            "versions": {"remi_tf": remi_tf.__version__, **versions()},
            "git_revision": _git_revision(),
        }
        if save_start is not None:
            config["warm_start"] = save_start(folder)
        write_json(folder / CONFIG, config)


def read_settings(path: Path) -> Settings:
    """Settings of a run.

    Raises:
      InputError: no run there.
    """
    return Settings.from_json(_config(path)["settings"])


def update_settings(path: Path, settings: Settings) -> None:
    """Write the changed settings of a resumed run into its config."""
    write_json(path / CONFIG, {**_config(path), "settings": settings.to_json()})


def read_config(path: Path, verify: bool = True) -> tuple[Settings, Dataset]:
    """Settings and dataset of a run.

    Args:
      verify: as of `load_dataset`.

    Raises:
      InputError: no run there, or its dataset is gone or has changed.
    """
    config = _config(path)
    known = config["dataset"]
    there = Path(known["path"]) if (Path(known["path"]) / MANIFEST).is_file() else DATA / known["name"]
    if not (there / MANIFEST).is_file():
        raise InputError(
            f"{path} was trained on {known['path']}, which is not there, nor in {there}; put it back or "
            f"prepare it as before ({command('export')} and {command('recommend')} do not need it)"
        )
    dataset = load_dataset(there, verify)
    if dataset.fingerprint != known["fingerprint"]:
        raise InputError(
            f"{there}: not the data that {path} was trained on (fingerprint {dataset.fingerprint[:12]}, the run has "
            f"{known['fingerprint'][:12]}); prepare it as before, or train again"
        )
    return Settings.from_json(config["settings"]), dataset


def load_saved_run(path: str | Path, verify: bool = True) -> SavedRun:
    """Open a run with its best weights. The dataset is looked for only when `Run.dataset` is asked for.

    Args:
      verify: compare checksums, of the dataset too when it is opened.

    Raises:
      InputError: no run there, or no weights saved yet.
    """
    path = Path(path)
    config = _config(path)
    settings, known = Settings.from_json(config["settings"]), config["dataset"]
    columns = columns_from_json(known.get(PROFILE_COLUMNS, []))
    catalogue = Catalogue(path, known["name"], known["fingerprint"], known["num_items"], profile_columns=columns)
    model = MultiInterestModel(settings, catalogue.num_items, catalogue.profile_sizes)
    build(model)
    checkpoint = tf.train.latest_checkpoint(path / BEST)
    if checkpoint is None:
        raise InputError(
            f"{path}: no best weights yet; the first validation saves them, go on with {command('train')} --resume "
            f"--run_dir {path}"
        )
    weights(model).restore(checkpoint).assert_existing_objects_matched()
    return SavedRun(path, settings, catalogue, model, int(checkpoint.rsplit("-", 1)[1]), verify=verify)


def _config(path: Path) -> dict[str, Any]:
    try:
        return json.loads((path / CONFIG).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputError(f"{path}: no run here ({CONFIG} is missing); train one with {command('train')}") from error
    except ValueError as error:
        raise InputError(f"{path / CONFIG}: not JSON ({error}); it was changed after training wrote it") from error


def build(model: MultiInterestModel) -> None:
    """Create the variables that layers make at their first call."""
    widths = {"days": model.max_history, "profile": len(model.profile_sizes)}
    features = {name: tf.zeros([1, widths[name]], tf.int32) for name in model.needs}
    model.interests(tf.zeros([1, model.max_history], tf.int32), **features)


def weights(model: MultiInterestModel) -> tf.train.Checkpoint:
    """What a finished model consists of, without optimizer slots."""
    return tf.train.Checkpoint(item_table=model.item_table, encoder=model.encoder)


def append_metrics(path: Path, line: dict[str, Any]) -> None:
    """Add a line to metrics.jsonl."""
    with open(path / METRICS, "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def truncate_metrics(path: Path, step: int) -> None:
    """Drop the lines after `step` (and a half-written last one): a resumed run measures them again."""
    if not (path / METRICS).exists():
        return
    kept = []
    for line in (path / METRICS).read_text(encoding="utf-8").splitlines():
        try:
            if json.loads(line)["step"] <= step:
                kept.append(line + "\n")
        except ValueError:
            break
    with atomic_file(path / METRICS) as file:
        file.writelines(kept)


def _git_revision() -> str | None:
    """The checkout's commit, with + when files differ from it; None outside a checkout."""
    describe = ["git", "-C", str(Path(remi_tf.__file__).parent), "describe", "--always", "--dirty=+", "--abbrev=40"]
    try:
        return subprocess.run(describe, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
