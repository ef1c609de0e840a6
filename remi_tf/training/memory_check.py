"""Whether what a run needs fits into the memory that is there; if not, which settings would help most."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import tensorflow as tf

from remi_tf.counted.memory import available_memory, in_words, refuse_larger
from remi_tf.data.dataset.folder import Dataset
from remi_tf.errors import InputError
from remi_tf.settings.settings import Settings
from remi_tf.training.needs_memory import HOST, needed, run_parts

SMALLEST_DIM = 8
"""Vectors are not advised to be smaller."""
LEAST = 0.05
"""A change that saves less than this share of what is missing is not worth a word."""


class Change(NamedTuple):
    """A setting, another value for it, and the bytes that this saves on top of the changes that were chosen before."""

    name: str
    value: Any
    saves: int


def available(device: str) -> int | None:
    """Bytes that this process may still take on a device; None if nobody tells."""
    if device == HOST:
        return available_memory()
    try:
        from tensorflow.python.client import device_lib

        limits = {each.name: each.memory_limit for each in device_lib.list_local_devices()}
        used = tf.config.experimental.get_memory_info(device)["current"]
        return max(int(limits[f"/device:{device}"]) - int(used), 0)
    except (ImportError, KeyError, ValueError, tf.errors.OpError):
        return None


def refuse_too_large(settings: Settings, dataset: Dataset, starts: str = "new") -> None:
    """Refuse a run of a trained model that cannot fit, before anything of its size is made.

    Args:
      starts: as of `run_parts`.

    Raises:
      InputError: what it needs, what there is, and which settings would save most.
    """
    for device, size in needed(run_parts(settings, dataset, starts)).items():
        there = available(device)
        if there is None or size <= there:
            continue
        where = "" if device == HOST else f" on {device}"
        what = f"--model_type {settings.encoder.model_type}: training on {dataset.num_items:,} items{where}"
        changes = helpful(settings, dataset, starts, device, size - there)
        refuse_larger(what, size, there, _in_words(changes, size, there))


def _in_words(changes: list[Change], size: int, there: int) -> str:
    more = "prepare the log with a larger --min_count (fewer items), or take a machine with more memory"
    if not changes:
        return more
    listed = " and ".join(
        f"--{change.name} {change.value} (saves {in_words(change.saves)}{' more' if place else ''})"
        for place, change in enumerate(changes)
    )
    enough = size - sum(change.saves for change in changes) <= there
    return f"take {listed}; or {more}" if enough else f"even with {listed} it would not fit: {more}"


def helpful(settings: Settings, dataset: Dataset, starts: str, device: str, missing: int) -> list[Change]:
    """Changes that together save the missing bytes, those that save most first; fewer where nothing more helps.

    Args: as of `refuse_too_large`. missing: bytes on `device`.
    """
    size, chosen = needed(run_parts(settings, dataset, starts))[device], dict[str, Change]()
    while missing > 0:
        found = [
            (size - needed(run_parts(changed, dataset, starts))[device], name, value, changed)
            for name, value, changed in _changed(settings, starts)
        ]
        saves, name, value, settings = max(found, key=lambda each: each[0], default=(0, "", 0, settings))
        if saves < LEAST * missing:
            break
        before = chosen[name].saves if name in chosen else 0
        chosen[name] = Change(name, value, before + saves)
        size, missing = size - saves, missing - saves
    return list(chosen.values())


def _changed(settings: Settings, starts: str) -> Iterator[tuple[str, Any, Settings]]:
    """(setting, value, all settings with it) of what a run that starts in this way may change."""
    values = settings.flat()
    others = {
        "init": "random",
        "boost": "none",
        "average_steps": 0,
        "optimizer": "lazy_adam",
        "item_tower": "id",
        "embedding_dim": max(values["embedding_dim"] // 2, SMALLEST_DIM),
        "batch_size": max(values["batch_size"] // 2, 1),
        "num_negatives": max(values["num_negatives"] // 2, 1),
    }
    fixed = {"new": (), "warm": ("init", "item_tower", "embedding_dim"), "resumed": tuple(others)}[starts]
    for name, value in others.items():
        if name in fixed or value == values[name] or (name == "embedding_dim" and value > values[name]):
            continue
        try:
            yield name, value, settings.replace(**{name: value})
        except InputError:  # the model does not go with it
            continue
