"""Start a run on new data from a finished run. Its weights are taken over, new items start near the items they occur
with, and items that are gone are reported."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from remi_tf.data.dataset.folder import Dataset
from remi_tf.data.dataset.interactions import Interactions
from remi_tf.data.dataset.views import features, histories
from remi_tf.data.tables.ids import matched
from remi_tf.errors import InputError
from remi_tf.model import MultiInterestModel
from remi_tf.retrieval.top_k import top_k
from remi_tf.settings.encoders import ENCODERS
from remi_tf.settings.names import known_settings
from remi_tf.settings.settings import Settings
from remi_tf.training.run_config import CONFIG
from remi_tf.training.run_folder import SavedRun, load_saved_run
from remi_tf.training.warm_features import take_over_features

LIST_LENGTH, USERS, BATCH = 50, 500, 100
"""Lists that choose the length of new items' vectors: items in a list, users with a list, users at a time."""
PIECE = 1 << 16
"""Occurrences of new items that are looked at together: bounds the memory to PIECE rows of the item table."""
LITTLE = 0.1
"""The share of known items below which a warm start warns that it takes over little."""


@dataclass(frozen=True)
class WarmStart:
    """Where the rows of a new item table came from.

    run, step: the run and the step of its weights; known: items taken over; averaged: new items that began at the mean
    of known ones; drawn: new items that no known one occurs with; gone: raw ids of the run that are not in the data;
    new: raw ids of the data that are not in the run.
    """

    run: Path
    step: int
    known: int
    averaged: int
    drawn: int
    gone: Sequence[str]
    new: Sequence[str] = ()

    def to_json(self) -> dict[str, Any]:
        """What the new run's config.json says about it."""
        counts = {"known": self.known, "averaged": self.averaged, "drawn": self.drawn, "gone": len(self.gone)}
        return {"run": str(self.run.resolve()), "step": self.step, "items": counts}

    def lines(self) -> list[str]:
        """The same for people."""
        total = self.known + self.averaged + self.drawn
        lines = [
            f"Warm start from {self.run} (step {self.step:,}): {self.known:,} items as they were, {self.averaged:,} "
            f"new ones amid the known items around them, {self.drawn:,} as usual (no known item around)."
        ]
        if self.known < LITTLE * total:
            lines.append(
                f"Warning: only {self.known:,} of {total:,} items are known to the run ({self.known / total:.1%}), so "
                f"little is taken over; new in the data: {_examples(self.new)}. Are ids spelled as they were?"
            )
        if self.gone:
            gone = _examples(self.gone)
            lines.append(f"No longer recommended: {len(self.gone):,} items that the data do not hold ({gone}).")
        return lines


def load_for_warm_start(path: Path, changes: Mapping[str, Any], verify: bool = True) -> tuple[SavedRun, Settings]:
    """The run to start from, and the new run's settings: the old one's, but for `changes`.

    Args:
      verify: compare the run's files with their checksums.

    Raises:
      InputError: no run there, a run that is counted, or a setting that its weights do not allow.
    """
    if not (path / CONFIG).is_file():
        raise InputError(f"--warm_start {path}: no run here ({CONFIG} is missing); name the folder of a run")
    run = load_saved_run(path, verify, boosted=False)
    if ENCODERS[run.settings.encoder.model_type].counted:
        raise InputError(
            f"--warm_start {path}: {run.settings.encoder.model_type} is counted, not trained; leave it out"
        )
    values, known = run.settings.flat(), known_settings()
    if "init" in changes:
        raise InputError(f"--init {changes['init']}: --warm_start {path} takes over its item table; leave it out")
    for name, value in changes.items():
        if known[name].group in ("encoder", "items") and name != "id_dropout" and value != values[name]:
            raise InputError(
                f"--{name} {value}: --warm_start {path} takes over the weights of a run with {name} {values[name]}; "
                "leave it out, or train without --warm_start"
            )
    settings = run.settings.replace(**changes)
    if settings.training.max_steps == 0 and "max_steps" not in changes:
        raise InputError(
            f"--warm_start {path}: that run was taken over as it was, with --max_steps 0; say how many --max_steps "
            "this one is to take"
        )
    before, after = run.settings.objective.loss, settings.objective.loss
    if before != after and "idw" in (before, after):
        raise InputError(
            f"--loss {after}: --warm_start {path} was trained with {before}, and cosines and inner products need "
            "different vectors; leave it out, or train without --warm_start"
        )
    for name in changes:
        settings.refuse_unread(name, f"--{name} {changes[name]}")
    return run, settings


def refuse_no_match(run: SavedRun, dataset: Dataset) -> None:
    """Refuse a warm start that would take over no item.

    Raises:
      InputError: no item of the dataset is known to the run; the message has ids of both.
    """
    if not rows_in_run(run, dataset).any():
        ours, theirs = dataset.vocabulary, run.catalogue.vocabulary
        some = [_examples(names.raw_ids(range(1, min(len(names), 4) + 1))) for names in (ours, theirs)]
        raise InputError(
            f"--warm_start {run.path}: it knows none of the {len(ours):,} items of {dataset.path} (there {some[0]}; in "
            f"the run {some[1]}); spell the ids alike, train without --warm_start, or add --allow_no_match to take "
            "over what is no item's"
        )


def rows_in_run(run: SavedRun, dataset: Dataset) -> np.ndarray:
    """[I] the row of each item of the dataset in the run's item table, 0 where the run does not know it.

    Ids of a column of whole numbers are the same with `.0` and without: older versions kept `103.0` as it stood.
    """
    ours, theirs = (names.raw_ids(range(1, len(names) + 1)) for names in (dataset.vocabulary, run.catalogue.vocabulary))
    row_of = {raw_id: row for row, raw_id in enumerate(matched(theirs, dataset.vocabulary), start=1)}
    return np.array([row_of.get(raw_id, 0) for raw_id in matched(ours, row_of)], np.int32)


def _examples(ids: Sequence[str]) -> str:
    return ", ".join(map(repr, ids[:3])) + (", …" if len(ids) > 3 else "")


def take_over(model: MultiInterestModel, run: SavedRun, dataset: Dataset) -> WarmStart:
    """Give a new `model` on `dataset` the weights of `run`: exact copies of its encoder and of the known items.

    The neighbours of a new item are the known items at most max_history places before or after it in the training
    users' sequences. Its row has the direction of their mean. Without neighbours it stays as it was initialised.

    The length of its row is a share of their mean length, the same share for all new items. It is chosen so that new
    items get as much of the lists as they have of the training log. A plain mean is so short that no list would hold
    it; at full length new items crowd out the others. The share is never smaller than what a plain mean keeps on
    average (`among_neighbours`): the lists of a small catalogue can hold most new items at any length, and the search
    would end at 0.

    Raises:
      InputError: the model reads profiles, and the data have other columns or values than the run.
    """
    if "profile" in model.needs and run.catalogue.profile_columns != dataset.profile_columns:
        raise InputError(
            f"--warm_start {run.path}: its profile columns and their values are not those of {dataset.path}, so that "
            "its embeddings of them cannot be taken over; train without --warm_start"
        )
    assert isinstance(run.model, MultiInterestModel)  # load_for_warm_start refuses the counted ones
    for variable, old in zip(model.encoder.weights, run.model.encoder.weights, strict=True):
        variable.assign(old)
    old_rows = np.concatenate([[0], rows_in_run(run, dataset)])  # [I + 1] row in the run, 0 = new
    if model.items is not None:
        _take_over_items(model, run, dataset, old_rows)
    old_table, table = run.model.item_table.numpy(), model.item_table.numpy()
    new, rows, kept = among_neighbours(dataset.train, old_rows, old_table, model.max_history)
    table[new] = rows
    table[old_rows > 0] = old_table[old_rows[old_rows > 0]]
    table[0] = old_table[0]
    _become(model, table)
    if len(new):
        known_rows = np.flatnonzero(old_rows)
        share_of_log = float(np.mean(old_rows[np.asarray(dataset.train.items)] == 0))
        interests, least = _some_interests(model, dataset.train), float(np.mean(kept))
        table[new] = rows * fair_length(interests, table[known_rows], rows, share_of_log, least)
        _become(model, table)
    gone = np.setdiff1d(np.arange(1, len(old_table)), old_rows)
    known = int((old_rows > 0).sum())
    drawn = dataset.num_items - known - len(new)
    gone_ids = run.catalogue.vocabulary.raw_ids(gone.tolist())
    new_ids = dataset.vocabulary.raw_ids((1 + np.flatnonzero(old_rows[1:] == 0)).tolist())
    return WarmStart(run.path, run.step, known, len(new), drawn, gone_ids, new_ids)


def _take_over_items(model: MultiInterestModel, run: SavedRun, dataset: Dataset, old_rows: np.ndarray) -> None:
    """The tower, and which items have a row that has learnt something: there, or in the data."""
    assert isinstance(run.model, MultiInterestModel) and model.items is not None and run.model.items is not None
    assert dataset.features is not None and run.catalogue.features is not None
    take_over_features(model, run.model, dataset.features, run.catalogue.features)
    had = np.where(old_rows > 0, run.model.items.occurrences.numpy()[old_rows], 0)
    had[dataset.num_items + 1 - dataset.num_cold :] = 0  # nobody may have seen these
    model.items.occurrences.assign(np.maximum(model.items.occurrences.numpy(), had))
    model.finish_items()


def _become(model: MultiInterestModel, table: np.ndarray) -> None:
    """Give all items the vectors of `table` [I + 1, d]."""
    if model.items is None:
        model.item_table.assign(tf.constant(table))
    else:
        model.items.become(table)
        model.finish_items()


def fair_length(interests: np.ndarray, known: np.ndarray, new: np.ndarray, share: float, least: float) -> float:
    """The factor on `new` with which new items take `share` of the users' lists of LIST_LENGTH.

    It is at least `least` (new items may then take more than `share`) and at most 1 (they may then take less).

    Args:
      interests: [B, K, d]; known, new: [n, d] and [m, d] item vectors, none of them padding.
    """
    of_known, of_new = (_best_scores(interests, vectors) for vectors in (known, new))  # [B, <= LIST_LENGTH]
    length = min(LIST_LENGTH, of_known.shape[1] + of_new.shape[1])

    def taken(factor: float) -> float:
        scores = np.concatenate([of_known, factor * of_new], axis=1)
        return float(np.mean(np.argsort(-scores, axis=1, kind="stable")[:, :length] >= of_known.shape[1]))

    low, high = least, 1.0
    if taken(high) <= share:
        return high
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (low, middle) if taken(middle) > share else (middle, high)
    return low


def _best_scores(interests: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    table = np.concatenate([np.zeros_like(vectors[:1]), vectors])
    count = min(LIST_LENGTH, len(vectors))
    starts = range(0, len(interests), BATCH)
    return np.concatenate([top_k(interests[start : start + BATCH], table, count)[1].numpy() for start in starts])


def _some_interests(model: MultiInterestModel, train: Interactions) -> np.ndarray:
    """[<= USERS, K, d] interests of training users, spread evenly over the split."""
    users = np.unique(np.linspace(0, train.num_users - 1, USERS).astype(np.int64))
    known = features(train, users, model.max_history, model.needs)
    return model.encode(histories(train, users, model.max_history), **known).vectors.numpy()


def among_neighbours(
    train: Interactions, old_rows: np.ndarray, old_table: np.ndarray, window: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vectors for new items: the mean of the known items around each, scaled to the mean length of these.

    Args:
      old_rows: [I + 1] the row in `old_table` of each row, 0 where it is new.
      old_table: [old I + 1, d].
      window: how many places before and after an occurrence are looked at.

    Returns:
      [n] new rows that have known neighbours; [n, d] float32 their vectors (a repeated neighbour counts each time);
      [n] the length of the plain mean as a share of the mean length, above 0 and at most 1.
    """
    items, offsets = np.asarray(train.items), np.asarray(train.offsets)
    places = np.flatnonzero(old_rows[items] == 0)
    rows, number = np.unique(items[places], return_inverse=True)  # [m] new rows; [places] which of them
    lengths = np.linalg.norm(old_table, axis=1)
    sums, total_lengths, counts = np.zeros([len(rows), old_table.shape[1]]), np.zeros(len(rows)), np.zeros(len(rows))
    for start in range(0, len(places), PIECE):
        place, of = places[start : start + PIECE], number[start : start + PIECE]
        user = np.searchsorted(offsets, place, side="right") - 1
        for shift in (*range(-window, 0), *range(1, window + 1)):
            inside = (place + shift >= offsets[user]) & (place + shift < offsets[user + 1])
            neighbour = old_rows[items[np.where(inside, place + shift, place)]]
            known = neighbour > 0  # new items are not neighbours; nor is `place`, where `inside` is false
            np.add.at(sums, of[known], old_table[neighbour[known]])
            total_lengths += np.bincount(of[known], lengths[neighbour[known]], minlength=len(rows))
            counts += np.bincount(of[known], minlength=len(rows))
    of_sums = np.linalg.norm(sums, axis=1)
    found = of_sums > 0
    scale = total_lengths[found] / (counts[found] * of_sums[found])
    return rows[found], (sums[found] * scale[:, None]).astype(np.float32), of_sums[found] / total_lengths[found]
