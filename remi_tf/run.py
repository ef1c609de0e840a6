"""The run folder: what ran, its checkpoints and its measurements.

config.json      every setting, the dataset with its fingerprint, versions, git revision
checkpoints/     the newest full state (weights, optimizer slots, progress), for --resume
best/            weights of the best validation so far, for evaluate.py, export.py and recommend.py
metrics.jsonl    one line a validation
tensorboard/     the same as TensorBoard events
items.txt        the vocabulary that the rows of the item table follow
"""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf

import remi_tf
from remi_tf.config import Settings
from remi_tf.data.interactions import DATA, ITEMS, MANIFEST, Dataset, load_dataset
from remi_tf.doctor import versions
from remi_tf.errors import InputError
from remi_tf.files import atomic_file, refuse_existing, write_json
from remi_tf.model import MultiInterestModel

CONFIG, METRICS, CHECKPOINTS, BEST = "config.json", "metrics.jsonl", "checkpoints", "best"


@dataclass(frozen=True)
class Run:
    """A trained run, open for use: the model holds the best weights."""

    path: Path
    settings: Settings
    dataset: Dataset
    model: MultiInterestModel
    step: int


def find_dataset(name_or_path: str) -> Dataset:
    """The dataset in a folder, or the one of that name below data/.

    Raises:
      InputError: there is neither, or it is damaged.
    """
    for path in (Path(name_or_path), DATA / name_or_path):
        if (path / MANIFEST).is_file():
            return load_dataset(path)
    prepared = sorted(path.parent.name for path in DATA.glob(f"*/{MANIFEST}"))
    raise InputError(
        f"--dataset {name_or_path}: no prepared dataset in {name_or_path} or {DATA / name_or_path}; make it with "
        f"python data/prepare.py --output {DATA / name_or_path} … "
        f"(prepared so far: {', '.join(prepared) or 'none'}; see data/README.md)"
    )


def create_run(path: Path, settings: Settings, dataset: Dataset, overwrite: bool) -> None:
    """Make a run folder with its config and vocabulary.

    Raises:
      InputError: the folder holds something and `overwrite` is false, or it holds no run.
    """
    if path.is_dir() and any(path.iterdir()) and not overwrite:
        raise InputError(
            f"{path} holds a run already; add --resume to go on with it, --overwrite, or another --run_dir"
        )
    refuse_existing(path, overwrite)
    if path.is_dir() and any(path.iterdir()):
        if not (path / CONFIG).is_file():
            raise InputError(f"{path} is no run folder ({CONFIG} is missing), so --overwrite does not delete it")
        shutil.rmtree(path)
    path.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(dataset.path / ITEMS, path / ITEMS)
    config = {
        "settings": settings.to_json(),
        "dataset": {
            "name": dataset.name,
            "path": str(dataset.path.resolve()),
            "fingerprint": dataset.fingerprint,
            "num_items": dataset.num_items,
        },
        "versions": {"remi_tf": remi_tf.__version__, **versions()},
        "git_revision": _git_revision(),
    }
    write_json(path / CONFIG, config)


def read_config(path: Path) -> tuple[Settings, Dataset]:
    """Settings and dataset of a run.

    Raises:
      InputError: no run there, or its dataset is gone or another one.
    """
    try:
        config = json.loads((path / CONFIG).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(
            f"--run_dir {path}: no run here ({CONFIG} is missing); train one with python train.py"
        ) from error
    except ValueError as error:
        raise InputError(f"{path / CONFIG}: not JSON ({error})") from error
    known = config["dataset"]
    there = Path(known["path"]) if (Path(known["path"]) / MANIFEST).is_file() else DATA / known["name"]
    dataset = load_dataset(there)
    if dataset.fingerprint != known["fingerprint"]:
        raise InputError(
            f"{there}: not the data that {path} was trained on (fingerprint {dataset.fingerprint[:12]}, the run has "
            f"{known['fingerprint'][:12]}); prepare it as it was, or train again"
        )
    return Settings.from_json(config["settings"]), dataset


def load_run(path: str | Path) -> Run:
    """Open a run with its best weights.

    Raises:
      InputError: no run there, no weights saved yet, or its dataset is gone.
    """
    path = Path(path)
    settings, dataset = read_config(path)
    checkpoint = tf.train.latest_checkpoint(path / BEST)
    if checkpoint is None:
        raise InputError(f"{path}: no best weights yet; the first validation saves them, go on with train.py --resume")
    model = MultiInterestModel(settings, dataset.num_items)
    build(model)
    weights(model).restore(checkpoint).assert_existing_objects_matched()
    return Run(path, settings, dataset, model, int(checkpoint.rsplit("-", 1)[1]))


def build(model: MultiInterestModel) -> None:
    """Create the variables that layers make at their first call."""
    model.interests(tf.zeros([1, model.max_history], tf.int32))


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
    command = ["git", "-C", str(Path(remi_tf.__file__).parent), "describe", "--always", "--dirty=+", "--abbrev=40"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
