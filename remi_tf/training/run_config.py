"""config.json of a run folder, and run.json, the manifest of the files that stay: checked when a run is opened."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from absl import logging

from remi_tf.data.dataset.catalogue import CATEGORIES, ITEMS, TITLES, item_files
from remi_tf.data.dataset.folder import PROFILE_COLUMNS
from remi_tf.data.dataset.manifest import NUM_COLD, REPEATS, is_share
from remi_tf.data.dataset.profiles import ProfileColumn, columns_from_json, is_column
from remi_tf.data.features.store import CODES, FEATURES, OFFSETS
from remi_tf.errors import InputError, command
from remi_tf.files import write_json
from remi_tf.manifests import describe, read_manifest, sha256, verify, write_manifest
from remi_tf.settings.settings import Settings

CONFIG, RUN_MANIFEST, KIND, VERSION = "config.json", "run.json", "run", 1
NEXT_CONFIG = "next_config"
_CHANGED = (
    "it was changed since train.py wrote it; put a copy of it back, or train again (--no_verify opens a run unchecked)"
)


class RunConfig(NamedTuple):
    """config.json, checked. `content` is all of it; `dataset` is the path of the data it was trained on, `repeats`
    their share of repeats (None in runs of older versions), `num_cold` how many items they hide from training."""

    content: dict[str, Any]
    settings: Settings
    dataset: Path
    name: str
    fingerprint: str
    num_items: int
    profile_columns: tuple[ProfileColumn, ...]
    repeats: float | None
    num_cold: int


def system_name(config: Mapping[str, Any], settings: Settings) -> str:
    """What was asked for, as flags of train.py: "REMI --recipe released". Older runs know their model only."""
    asked = config.get("asked")
    if not isinstance(asked, dict):
        return settings.encoder.model_type
    name, recipe = asked.get("model_type", settings.encoder.model_type), asked.get("recipe", "default")
    return f"{name}{' --remi' if asked.get('remi') else ''}{f' --recipe {recipe}' if recipe != 'default' else ''}"


def write_new_config(folder: Path, config: Mapping[str, Any]) -> None:
    """Write config.json of a new run, and last the manifest of it and of the files of the items."""
    write_json(folder / CONFIG, {"format_version": VERSION, **config})
    names = [name for name in (CONFIG, *item_files(folder)) if (folder / name).is_file()]
    write_manifest(folder / RUN_MANIFEST, KIND, VERSION, describe(folder, names))


def rewrite_config(path: Path, config: Mapping[str, Any]) -> None:
    """Replace config.json and renew the manifest, so that both agree at every moment.

    The manifest names the checksum of the next config.json first, then the file is replaced, then the manifest knows
    that one only. A run of version 0.1.0 has no manifest and gets none: nobody knows what its files were.
    """
    manifest = path / RUN_MANIFEST
    if not manifest.exists():
        write_json(path / CONFIG, config)
        return
    files = {**read_manifest(manifest, KIND, VERSION, _CHANGED)["files"], **describe(path, [CONFIG])}
    following = path / f".{CONFIG}.next"
    write_json(following, config)
    entry = describe(path, [following.name])[following.name]
    write_manifest(manifest, KIND, VERSION, files, **{NEXT_CONFIG: entry})
    following.replace(path / CONFIG)
    write_manifest(manifest, KIND, VERSION, {**files, CONFIG: entry})


def read_run_config(path: Path, check: bool = True) -> RunConfig:
    """config.json of a run.

    Args:
      check: compare the files of the run with its manifest first.

    Raises:
      InputError: no run there, a file that is not the one that was written, or a config that cannot be one.
    """
    config = _read_json(path)
    if check:
        _check_files(path, config)
    if not isinstance(config, dict) or config.get("format_version", VERSION) != VERSION:
        found = config.get("format_version") if isinstance(config, dict) else type(config).__name__
        raise InputError(f"{path / CONFIG}: format version {found!r}, this remi_tf reads {VERSION}; {_CHANGED}")
    try:
        settings = Settings.from_json(config["settings"])
    except (InputError, KeyError, TypeError, AttributeError) as error:
        what = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise InputError(f"{path / CONFIG}: settings: {what}; {_CHANGED}") from error
    run = RunConfig(config, settings, *_data_of(path, config.get("dataset")))
    _check_items(path, run.num_items)
    return run


def _read_json(path: Path) -> Any:
    try:
        return json.loads((path / CONFIG).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        if (path / RUN_MANIFEST).exists():
            raise InputError(f"{path / CONFIG}: missing; put a copy of it back, or train again") from error
        raise InputError(f"{path}: no run here ({CONFIG} is missing); train one with {command('train')}") from error
    except ValueError as error:
        raise InputError(f"{path / CONFIG}: not JSON ({error}); {_CHANGED}") from error


def _check_files(path: Path, config: Any) -> None:
    """Compare the files with the manifest. A run of version 0.1.0 has none."""
    if not (path / RUN_MANIFEST).exists() and isinstance(config, dict) and "format_version" not in config:
        logging.info("%s: written by version 0.1.0, without checksums; its files are not verified", path)
        return
    of_data = config.get("dataset") if isinstance(config, dict) else None
    data = of_data.get("path", "the dataset") if isinstance(of_data, dict) else "the dataset"
    manifest = read_manifest(path / RUN_MANIFEST, KIND, VERSION, _CHANGED)
    files, following = manifest["files"], manifest.get(NEXT_CONFIG)
    if isinstance(following, dict) and following.get("sha256") == sha256(path / CONFIG):
        files = {**files, CONFIG: following}
    if CONFIG not in files or ITEMS not in files:
        raise InputError(f"{path / RUN_MANIFEST}: its list of files is damaged; {_CHANGED}")
    verify(path, {CONFIG: files[CONFIG]}, _CHANGED)
    verify(path, files, f"copy it from {data}, or train again")
    for name in (*item_files(path), FEATURES, CODES, OFFSETS):
        if name not in files and (path / name).exists():
            raise InputError(f"{path / name}: no file of this run, which was trained without one; move it away")


def _data_of(path: Path, known: Any) -> tuple[Path, str, str, int, tuple[ProfileColumn, ...], float | None, int]:
    """What config.json says of the dataset, in the order of `RunConfig`."""
    kinds = {"path": str, "name": str, "fingerprint": str, "num_items": int}
    if not isinstance(known, dict):
        raise InputError(f"{path / CONFIG}: nothing about the dataset; {_CHANGED}")
    for name, kind in kinds.items():
        if type(known.get(name)) is not kind:
            raise InputError(f"{path / CONFIG}: dataset: {name} {known.get(name)!r} is no {kind.__name__}; {_CHANGED}")
    columns = known.get(PROFILE_COLUMNS, [])
    if not isinstance(columns, list) or not all(map(is_column, columns)):
        raise InputError(f"{path / CONFIG}: dataset: {PROFILE_COLUMNS} cannot be read; {_CHANGED}")
    repeats = known.get(REPEATS)
    if repeats is not None and not is_share(repeats):
        raise InputError(f"{path / CONFIG}: dataset: {REPEATS} {repeats!r} is not a number from 0 to 1; {_CHANGED}")
    num_cold = known.get(NUM_COLD, 0)
    if type(num_cold) is not int or not 0 <= num_cold < known["num_items"]:
        raise InputError(f"{path / CONFIG}: dataset: {NUM_COLD} {num_cold!r} is no number of items; {_CHANGED}")
    names = (known["name"], known["fingerprint"], known["num_items"])
    return Path(known["path"]), *names, columns_from_json(columns), repeats, num_cold


def _check_items(path: Path, num_items: int) -> None:
    """Compare the files of the items with their number: what a run without checksums can be checked for."""
    for name, what in ((ITEMS, "items"), (TITLES, "titles")):
        if name == TITLES and not (path / name).exists():
            continue
        try:
            with open(path / name, encoding="utf-8", newline="\n") as file:
                count = sum(1 for _ in file)
        except (OSError, ValueError) as error:
            raise InputError(f"{path / name}: cannot be read ({error}); copy it from the dataset") from error
        if count != num_items:
            raise InputError(
                f"{path / name}: {count:,} {what}, and {CONFIG} has num_items {num_items:,}; copy it from the dataset, "
                "or train again"
            )
    if (path / CATEGORIES).exists():
        try:
            shape = np.load(path / CATEGORIES, mmap_mode="r", allow_pickle=False).shape
        except (OSError, ValueError) as error:
            raise InputError(f"{path / CATEGORIES}: cannot be read ({error}); copy it from the dataset") from error
        if shape != (num_items + 1,):
            raise InputError(
                f"{path / CATEGORIES}: {shape} numbers for {num_items:,} items; copy it from the dataset, or train "
                "again"
            )
