"""manifest.json of a dataset folder: what it must say, and whether the files are those that it describes."""

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from remi_tf.data.dataset.interactions import SPLITS
from remi_tf.data.dataset.profiles import is_column
from remi_tf.errors import InputError
from remi_tf.manifests import CHANGED, is_unchanged, read_object, verify

FORMAT_VERSION, READ_VERSIONS = 2, (1, 2)
"""Version 1 has no features of items."""
MANIFEST, PROFILE_COLUMNS, REPEATS, NUM_COLD = "manifest.json", "profile_columns", "repeats", "num_cold"
REMEDY = "prepare the dataset again"


def fingerprint(contents: dict[str, Any]) -> str:
    """SHA-256 over the checksums of the dataset's files, and the profile columns if there are any."""
    return hashlib.sha256(json.dumps(contents, sort_keys=True).encode()).hexdigest()


def read_manifest(folder: Path, required: list[str], optional: list[str]) -> dict[str, Any]:
    """The manifest of a dataset folder, with every key of the right type.

    Args:
      required: files that it must list; optional: files that may lie in the folder only if it lists them.

    Raises:
      InputError: it is missing, damaged or changed, or another format version; the message names the key.
    """
    path = folder / MANIFEST
    manifest = read_object(path, REMEDY)
    if manifest.get("format_version") not in READ_VERSIONS:
        versions = " and ".join(map(str, READ_VERSIONS))
        raise InputError(
            f"{path}: format version {manifest.get('format_version')!r}, this remi_tf reads {versions}; {REMEDY}"
        )
    for key, is_right in _KEYS.items():
        if not is_right(manifest.get(key)):
            raise InputError(f"{path}: {key!r} is missing or not what prepare writes; {REMEDY}")
    files, profiles = manifest["files"], {key: manifest[key] for key in (PROFILE_COLUMNS,) if manifest.get(key)}
    if missing := [name for name in required if name not in files]:
        raise InputError(f"{path}: 'files' does not list {missing[0]}; {REMEDY}")
    if manifest.get("sizes", files).keys() != files.keys():
        raise InputError(f"{path}: 'sizes' and 'files' list different files; {REMEDY}")
    if not is_unchanged(manifest) or manifest["fingerprint"] != fingerprint({**files, **profiles}):
        raise InputError(f"{path}: {CHANGED}; {REMEDY}")
    if strange := [name for name in optional if name not in files and (folder / name).exists()]:
        raise InputError(f"{folder / strange[0]}: prepare did not write it (it is not in {MANIFEST}); remove it")
    return manifest


def check_files(folder: Path, manifest: dict[str, Any], items: str, checksums: bool) -> None:
    """Compare every file with the manifest: first its presence and size, then, if `checksums`, its bytes.

    Args:
      items: the file with one line for each item.

    Raises:
      InputError: a file is missing, shorter, longer or changed; the message names it.
    """
    sizes = manifest.get("sizes", {})
    entries = {
        name: {"sha256": digest, **({"bytes": sizes[name]} if name in sizes else {})}
        for name, digest in manifest["files"].items()
    }
    verify(folder, entries, REMEDY, checksums)
    if checksums and (lines := _count_lines(folder / items)) != manifest["num_items"]:
        raise InputError(
            f"{folder / MANIFEST}: num_items is {manifest['num_items']:,}, but {items} has {lines:,}; {REMEDY}"
        )


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def is_share(value: Any) -> bool:
    """Whether it is a number from 0 to 1, as JSON has it."""
    return type(value) in (int, float) and 0 <= value <= 1


def _is_files(value: Any) -> bool:
    """{name in the folder itself: SHA-256}"""
    return (
        isinstance(value, dict)
        and bool(value)
        and all(re.fullmatch(r"[^/\\]+", name) and name not in (".", "..") for name in value)
        and all(isinstance(digest, str) and re.fullmatch("[0-9a-f]{64}", digest) for digest in value.values())
    )


def _is_splits(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(value.get(split), dict)
        and all(_is_count(value[split].get(count)) for count in ("users", "interactions"))
        for split in SPLITS
    )


def _is_columns(value: Any) -> bool:
    """What `columns_to_json` gives, or nothing."""
    return value is None or (isinstance(value, list) and all(map(is_column, value)))


_KEYS: dict[str, Callable[[Any], bool]] = {
    "name": lambda value: isinstance(value, str),
    "num_items": lambda value: _is_count(value) and value > 0,
    "splits": _is_splits,
    "made_by": lambda value: isinstance(value, dict),
    "files": _is_files,
    "sizes": lambda value: value is None or (isinstance(value, dict) and all(map(_is_count, value.values()))),
    "fingerprint": lambda value: isinstance(value, str),
    PROFILE_COLUMNS: _is_columns,
    REPEATS: lambda value: value is None or is_share(value),
    NUM_COLD: lambda value: value is None or _is_count(value),
}


def _count_lines(path: Path) -> int:
    with open(path, "rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
