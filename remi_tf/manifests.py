"""What a folder is made of: sizes and SHA-256 of its files, written last and checked when the folder is opened."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from remi_tf.errors import InputError
from remi_tf.files import write_json

SEAL = "manifest_sha256"
CHANGED = "a value in it was changed since it was written"
Files = dict[str, dict[str, Any]]  # a file's name → {"bytes": size, "sha256": hexadecimal digits}


def describe(folder: Path, names: Iterable[str]) -> Files:
    """Size and checksum of the named files of a folder."""
    return {name: {"bytes": (folder / name).stat().st_size, "sha256": sha256(folder / name)} for name in names}


def seal(content: dict[str, Any]) -> dict[str, Any]:
    """The same with a checksum of its own, by which a change of any value is found."""
    content = json.loads(json.dumps(content))  # as it will be read
    return {**content, SEAL: _digest(content)}


def is_unchanged(content: Mapping[str, Any]) -> bool:
    """Whether what `seal` gave still has its values; true also of what an older version wrote without a seal."""
    return SEAL not in content or content[SEAL] == _digest({key: content[key] for key in content if key != SEAL})


def write_manifest(path: Path, kind: str, version: int, files: Files, **more: Any) -> None:
    """Write a manifest as JSON, sealed, whole or not at all. Call it after everything it describes is on the disk.

    Args:
      kind: what the folder is (run, checkpoint, export, index); another kind is refused when it is read.
      version: of the format.
      more: further facts.
    """
    write_json(path, seal({"format_version": version, "kind": kind, **more, "files": files}))


def read_manifest(path: Path, kind: str, version: int, remedy: str) -> dict[str, Any]:
    """What `write_manifest` wrote.

    Args:
      remedy: what to do about a damaged one; ends the message.

    Raises:
      InputError: it is not there, not JSON, of another kind or version, changed, or its list of files is not one.
    """
    manifest = read_object(path, remedy)
    if manifest.get("kind") != kind:
        raise InputError(f"{path}: not the manifest of {kind}; {remedy}")
    if manifest.get("format_version") != version:
        found = manifest.get("format_version")
        raise InputError(f"{path}: format version {found!r}, this remi_tf reads {version}; {remedy}")
    if not _is_list_of_files(manifest.get("files")):
        raise InputError(f"{path}: its list of files is damaged; {remedy}")
    if not is_unchanged(manifest):
        raise InputError(f"{path}: {CHANGED}; {remedy}")
    return manifest


def read_object(path: Path, remedy: str) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
      InputError: the file is missing, or holds something else.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{path}: missing; {remedy}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not JSON ({error}); {remedy}") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: not what was written there (no JSON object); {remedy}")
    return content


def verify(folder: Path, files: Mapping[str, Mapping[str, Any]], remedy: str, checksums: bool = True) -> None:
    """Compare files with what a manifest says of them, sizes first.

    Args:
      files: as of `describe`; older manifests have no sizes.
      checksums: whether the bytes are read too; without, only presence and size are looked at.

    Raises:
      InputError: a file is missing, longer or shorter, or has other bytes; the message names it.
    """
    for name, expected in files.items():
        path = folder / name
        if not path.is_file():
            raise InputError(f"{path}: missing; {remedy}")
        if (size := path.stat().st_size) != expected.get("bytes", size):
            raise InputError(f"{path}: {size:,} bytes, {expected['bytes']:,} were written; {remedy}")
    for name, expected in files.items() if checksums else ():
        if sha256(folder / name) != expected["sha256"]:
            raise InputError(f"{folder / name}: its bytes are not those that were written (SHA-256); {remedy}")


def sha256(path: str | Path) -> str:
    """The file's SHA-256 as hexadecimal digits, read in blocks."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _is_list_of_files(files: Any) -> bool:
    """Whether it is what `describe` gives, for files inside the folder."""

    def is_file(name: Any, entry: Any) -> bool:
        inside = not os.path.isabs(name) and ".." not in Path(name).parts
        return inside and isinstance(entry, dict) and type(entry.get("bytes")) is int and "sha256" in entry

    return isinstance(files, dict) and bool(files) and all(is_file(name, entry) for name, entry in files.items())
