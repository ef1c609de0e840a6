"""Answers by an index: the served graph's interests fetch items from it."""

from typing import Any

import numpy as np
import tensorflow as tf

from remi_tf.counted.base import CountedModel
from remi_tf.errors import InputError
from remi_tf.retrieval.boosts import summed
from remi_tf.retrieval.faiss_index import ItemIndex
from remi_tf.serving.graph import ServingGraph
from remi_tf.serving.request import last_known
from remi_tf.systems import boosts_of
from remi_tf.training.run_folder import SavedRun


class IndexSearch:
    """(history [B, W], inputs of the graph) → items, scores and interest [B, n].

    Args:
      given: top_n, and exclude where there is one, as of `choices.checked`.
      exclude_history: leave out the items of the history.
    """

    def __init__(
        self, index: ItemIndex, run: SavedRun, graph: ServingGraph, given: dict[str, Any], exclude_history: bool
    ):
        self.index, self.run, self.graph, self.exclude_history = index, run, graph, exclude_history
        self.vocabulary, self.top_n = run.catalogue.vocabulary, given["top_n"]
        self.everybody = self.vocabulary.rows(given.get("exclude", [[]])[0])  # [X]

    def __call__(self, items: np.ndarray, inputs: dict[str, tf.Tensor]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        interests = self.graph.functions["interests"](*inputs.values())["interests"].numpy()  # [B, K, d]
        rows = self.vocabulary.rows(items.ravel()).reshape(items.shape)
        if not np.isfinite(interests[rows.any(axis=1)]).all():
            raise diverged(self.run)
        exclude = np.broadcast_to(self.everybody, (len(items), len(self.everybody)))
        if self.exclude_history:
            exclude = np.concatenate([exclude, rows], axis=1)
        ids, scores = self.index.search(interests, self.top_n, exclude, self._boosts(rows))
        products = np.matmul(self.index.vectors[ids], interests.transpose(0, 2, 1))
        interest = products.argmax(axis=2).astype(np.int32)
        for user in np.flatnonzero(~rows.any(axis=1)):  # no known item: take the first rows, the popular items
            popular = np.setdiff1d(self.index.rows[: self.top_n + exclude.shape[1]], exclude[user])[: self.top_n]
            ids[user], scores[user], interest[user] = 0, 0, -1
            ids[user, : len(popular)] = popular
        texts = np.array(self.vocabulary.raw_ids(ids.ravel().tolist()), object).reshape(ids.shape)
        return texts, scores, interest

    def _boosts(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """What the histories [B, any] rows, 0 = unknown, add to the scores of the model's items, if it has a boost."""
        model = self.run.model
        assert not isinstance(model, CountedModel)  # which has no index
        found = boosts_of(model, last_known(rows, rows, model.max_history))
        if found is None:
            return None
        ids = found.ids.numpy()
        return summed(np.where(np.isin(ids, self.run.catalogue.removed), 0, ids), found.amounts.numpy())


def diverged(run: SavedRun) -> InputError:
    """The error where a model gives no number."""
    return InputError(f"{run.path}: the model gives no number for a history; the run has diverged")
