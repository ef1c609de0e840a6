"""JSON files of results: written whole, and never over the answer to another question."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from remi_tf.errors import InputError
from remi_tf.files import write_json
from remi_tf.locks import locked_beside
from remi_tf.manifests import read_object

LATER_QUESTIONS = {"segments": False, "diversity": [], "published_ndcg": False}
"""What older files do not say, because it could not be asked for."""


def refuse_other(path: Path, asked: Mapping[str, Any], overwrite: bool) -> None:
    """Raise InputError if `path` has something else than an answer to the same question, unless `overwrite`."""
    remedy = "take another --json, or add --overwrite"
    if path.exists() and not path.is_file():
        raise InputError(f"--json {path}: a folder or a device; name a file")
    if overwrite or not path.exists():
        return
    there = {**LATER_QUESTIONS, **read_object(path, remedy)}
    if missing := [name for name in asked if name not in there]:
        raise InputError(f"{path}: not an evaluation of this kind (it has no {missing[0]}); {remedy}")
    for name, value in asked.items():
        if there[name] != value:
            raise InputError(f"{path}: holds an evaluation with {name} {there[name]}, asked for is {value}; {remedy}")


def write_results(path: Path, asked: Mapping[str, Any], results: Mapping[str, Any], overwrite: bool) -> None:
    """Write the question and its results.

    Raises:
      InputError: another process has written something else there in the meantime.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked_beside(path, "writing it", wait=True):
        refuse_other(path, asked, overwrite)
        write_json(path, {**asked, **results})
