"""What becomes of items that training has never seen: how often lists hold them, and how well they are ranked.

Against three yardsticks that need no training either: chance, the popularity of an item's features, and content kNN on
the same features.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from scipy import sparse

from remi_tf.counted.base import CountedModel
from remi_tf.counted.content import Contents, codes_of_rows
from remi_tf.data.dataset.folder import Dataset
from remi_tf.data.dataset.interactions import Interactions
from remi_tf.data.dataset.views import features, histories, targets
from remi_tf.data.features.store import Features
from remi_tf.evaluation.evaluate import EVALUATION_BYTES
from remi_tf.evaluation.tally import batches, left_out, users_with_targets
from remi_tf.model import Encodes
from remi_tf.retrieval.boosts import Boosts
from remi_tf.retrieval.top_k import top_k
from remi_tf.systems import System, best, boosts_of, finish

LENGTH, BATCH = 50, 256
FEWEST = 4  # cold items for each place in a list of cold items: else every way to rank them is good
USERS = 2000  # validation users that choose the decay
CONTENT_HISTORY, DECAYS = 100, (0.8, 0.9, 0.95, 1.0)
"""Newest items that content kNN reads, and what an item of the history counts for each newer one; chosen on validation
users."""
MODEL, CONTENT, POPULARITY, CHANCE = "model", "ContentKNN", "popularity of features", "chance"
Scores = Callable[[Interactions, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class ColdReport:
    """recall@50 of the targets that are warm and of those that are cold, in the lists as they are: [users] arrays, NaN
    for users without such targets. share_of_lists, share_of_targets: of cold items. among: name → [users] recall@50 of
    the cold targets where only cold items are ranked, in lists of `length`, which is less where there are few."""

    warm: np.ndarray
    cold: np.ndarray
    share_of_lists: float
    share_of_targets: float
    among: dict[str, np.ndarray]
    length: int = LENGTH

    @property
    def figures(self) -> dict[str, Any]:
        """Means over users, for JSON and tables; None where there is no such target."""
        return {
            "users": int(np.isfinite(self.cold).sum()),
            "warm": _mean(self.warm),
            "cold": _mean(self.cold),
            "share_of_lists": self.share_of_lists,
            "share_of_targets": self.share_of_targets,
            "length": self.length,
            "among": {name: _mean(values) for name, values in self.among.items()},
        }


def _mean(values: np.ndarray) -> float | None:
    there = values[np.isfinite(values)]
    return float(there.mean()) if len(there) else None


def evaluate_cold(model: System, dataset: Dataset, split: str, exclude_history: bool) -> ColdReport:
    """How a model deals with the items that its dataset hides from training (--cold_share)."""
    finish(model)
    data, first = dataset.split(split), dataset.num_items - dataset.num_cold + 1
    users = users_with_targets(data)
    lists, among = [], []
    for batch in batches(data, users, BATCH, exclude_history):
        whole = left_out(data, batch, exclude_history)
        history = tf.constant(histories(data, batch, model.max_history))
        known = features(data, batch, model.max_history, model.needs)
        exclude = tf.constant(whole) if exclude_history else None
        lists.append(best(model, history, LENGTH, exclude, EVALUATION_BYTES, **known)[0].numpy())
        if not isinstance(model, CountedModel):
            among.append(_among_cold(model, history, known, exclude, first))
    items, offsets = targets(data, users)
    found = np.concatenate(lists)
    length = max(1, min(LENGTH, dataset.num_cold // FEWEST))
    ranked = {MODEL: np.concatenate(among)} if among else {}
    if dataset.features is not None:
        ranked |= _yardsticks(dataset, split, users, first, exclude_history)
    return ColdReport(
        _recall(found, items, offsets, items < first),
        _recall(found, items, offsets, items >= first),
        float(np.mean(found >= first)),
        float(np.mean(items >= first)),
        {each: _recall(ids[:, :length], items, offsets, items >= first) for each, ids in ranked.items()},
        length,
    )


def _among_cold(model: Encodes, history: tf.Tensor, known: dict, exclude: tf.Tensor | None, first: int) -> np.ndarray:
    """[B, LENGTH] the best of the rows `first` and above."""
    interests, vectors = model.encode(history, **known).vectors, model.item_vectors()
    table = tf.concat([vectors[:1], vectors[first:]], axis=0)
    boosts = boosts_of(model, history)
    if boosts is not None:
        boosts = Boosts(tf.maximum(boosts.ids - (first - 1), 0), boosts.amounts)
    left = None if exclude is None else tf.maximum(exclude - (first - 1), 0)
    ids, _ = top_k(interests, table, min(LENGTH, int(table.shape[0]) - 1), exclude=left, boosts=boosts)
    return np.where(ids > 0, ids + (first - 1), 0)


def _yardsticks(dataset: Dataset, split: str, users: np.ndarray, first: int, exclude_history: bool) -> dict:
    """Name → [users, LENGTH] lists of cold items."""
    assert dataset.features is not None
    contents = Contents(dataset.features)
    by_decay = {decay: _content(contents, first, decay) for decay in DECAYS}
    of_valid = users_with_targets(dataset.valid)[:USERS]
    items, offsets = targets(dataset.valid, of_valid)

    def on_valid(scores: Scores) -> float:
        ids = _ranked(scores, dataset.valid, of_valid, first, exclude_history)
        return _mean(_recall(ids, items, offsets, items >= first)) or 0.0

    decay = max(DECAYS, key=lambda each: on_valid(by_decay[each]))
    generator, popular = np.random.default_rng(0), _popularity(dataset.features, dataset.train)[first:]
    scorers: dict[str, Scores] = {
        CONTENT: by_decay[decay],
        POPULARITY: lambda data, batch: np.tile(popular, (len(batch), 1)),
        CHANCE: lambda data, batch: generator.random((len(batch), dataset.num_cold)),
    }
    data = dataset.split(split)
    return {name: _ranked(scores, data, users, first, exclude_history) for name, scores in scorers.items()}


def _content(contents: Contents, first: int, decay: float) -> Scores:
    cold = contents.items[first:].T.tocsr()

    def scores(data: Interactions, batch: np.ndarray) -> np.ndarray:
        history = histories(data, batch, CONTENT_HISTORY)
        ages = np.maximum((history > 0).sum(axis=1, keepdims=True) - 1 - np.arange(CONTENT_HISTORY), 0)
        weights = np.where(history > 0, decay**ages, 0).astype(np.float32)
        starts = np.arange(len(batch) + 1) * CONTENT_HISTORY
        shape = (len(batch), contents.items.shape[0])
        read = sparse.csr_matrix((weights.ravel(), history.ravel(), starts), shape=shape)
        return ((read @ contents.items) @ cold).toarray()

    return scores


def _popularity(known: Features, train: Interactions) -> np.ndarray:
    """[rows]: for each item, the mean over its codes of how often a training item with the code occurs."""
    counts = np.bincount(train.items, minlength=known.num_rows).astype(np.float64)
    has = codes_of_rows(known)
    mean = (counts @ has) / np.maximum((counts > 0).astype(np.float64) @ has, 1)  # of each code
    return (has @ mean) / np.maximum(np.diff(has.indptr), 1)


def _ranked(scores: Scores, data: Interactions, users: np.ndarray, first: int, exclude_history: bool) -> np.ndarray:
    """[users, LENGTH] rows of the cold items with the highest scores."""
    pieces = []
    for batch in batches(data, users, BATCH, exclude_history):
        found = np.array(scores(data, batch), np.float64)
        whole = left_out(data, batch, exclude_history)
        user, place = np.nonzero(whole >= first)
        found[user, whole[user, place] - first] = -np.inf
        pieces.append(first + _best(found))
    return np.concatenate(pieces)


def _best(scores: np.ndarray) -> np.ndarray:
    """[B, LENGTH] the columns with the highest scores, best first."""
    count = min(LENGTH, scores.shape[1])
    top = np.sort(np.argpartition(-scores, count - 1, axis=1)[:, :count], axis=1)
    order = np.argsort(-np.take_along_axis(scores, top, axis=1), axis=1, kind="stable")
    return np.take_along_axis(top, order, axis=1)


def _recall(ids: np.ndarray, items: np.ndarray, offsets: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """[users] share of the counted targets that are in the lists; NaN for users without any."""
    user = np.repeat(np.arange(len(ids)), np.diff(offsets))[counted]
    wanted = items[counted]
    width = int(max(items.max(initial=0), ids.max(initial=0))) + 1
    keys = np.unique(user * width + wanted)
    listed = np.isin(keys, np.arange(len(ids))[:, None] * width + ids)
    owners = keys // width
    total = np.bincount(owners, minlength=len(ids))
    return np.bincount(owners, listed, minlength=len(ids)) / np.where(total, total, np.nan)
