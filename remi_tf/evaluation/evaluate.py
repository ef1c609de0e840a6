"""Evaluation over the whole catalogue: every user of a split, exact retrieval, per-user metrics."""

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from remi_tf.counted.base import CountedModel
from remi_tf.data.dataset.interactions import Interactions
from remi_tf.data.dataset.views import features, histories, targets
from remi_tf.errors import TrainingDiverged
from remi_tf.evaluation import metrics
from remi_tf.evaluation.interest_report import InterestReport, examine
from remi_tf.evaluation.list_metrics import ItemFacts
from remi_tf.evaluation.metrics import CUT_OFFS
from remi_tf.evaluation.tally import Evaluation, Tally, batches, checked_cut_offs, left_out, users_with_targets
from remi_tf.progress import bar
from remi_tf.retrieval.top_k import answer
from remi_tf.systems import System, best, boosts_of, finish, items_of

EVALUATION_BYTES = 256 * 2**20
"""Bound on the scores held at a time. At 256 users, a quarter faster than 64 MiB."""
BATCH_SIZE = 256
"""Users that are evaluated together."""


class Evaluator:
    """Evaluates one model many times. Its graph is built once.

    Args:
      top_n: cut-offs of the metrics.
      exclude_history: leave the user's whole history out of the list, also what is too old for the model to read.
      items: also the metrics of list_metrics.py; None leaves them out.

    Raises:
      InputError: `top_n` is empty or not positive.
    """

    def __init__(
        self,
        model: System,
        top_n: Sequence[int] = CUT_OFFS,
        exclude_history: bool = False,
        items: ItemFacts | None = None,
    ):
        self.model, self.top_n, self._exclude_history = model, checked_cut_offs(top_n), exclude_history
        self._items = items
        signature = input_signature(model)
        # The concrete function: TensorFlow warns when several evaluators each trace their own.
        self._retrieve = tf.function(self._ids_and_interests, input_signature=signature).get_concrete_function()

    def evaluate(
        self,
        interactions: Interactions,
        published_ndcg: bool = False,
        batch_size: int = BATCH_SIZE,
        progress: bool = False,
    ) -> Evaluation:
        """Metrics for the users of `interactions`.

        Args:
          published_ndcg: also the NDCGs of published tables, whose order is not that of the list (slow).
          progress: show a progress bar on a terminal.

        Raises:
          InputError: no user has targets.
          TrainingDiverged: the model's interests or its item table are not finite.
        """
        finish(self.model)
        report: InterestReport | None = None

        def batch(users: np.ndarray) -> np.ndarray:
            nonlocal report
            history = histories(interactions, users, self.model.max_history)
            known = features(interactions, users, self.model.max_history, self.model.needs)
            whole = left_out(interactions, users, self._exclude_history)
            ids, found = self._retrieve(history, whole, known)
            ids = ids.numpy()
            refuse_unranked(ids, users, whole, items_of(self.model))
            arrays = {name: tensor.numpy() for name, tensor in found.items()}
            if arrays:
                report = report or InterestReport(arrays["active"].shape[1])
                hits = metrics.contained(ids, *targets(interactions, users))
                report.add(arrays, (history > 0).sum(axis=1), hits, ids > 0)
            return ids

        tally = Tally(self.top_n, self._items, published_ndcg)
        result = _evaluate(batch, interactions, tally, batch_size, progress, self._exclude_history)
        return dataclasses.replace(result, interests=report.figures if report else {})

    def _ids_and_interests(
        self, history: tf.Tensor, whole: tf.Tensor, features: dict[str, tf.Tensor]
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """(history `[B, max_history]`, whole histories, features) → ids `[B, k]`, and what `examine` finds."""
        k, exclude = max(self.top_n), whole if self._exclude_history else None
        if isinstance(self.model, CountedModel):
            return best(self.model, history, k, exclude, EVALUATION_BYTES, **features)[0], {}
        interests, item_vectors = self.model.encode(history, **features), self.model.item_vectors()
        boosts = boosts_of(self.model, history)
        ids, _ = answer(interests.vectors, item_vectors, history, k, exclude, EVALUATION_BYTES, boosts)
        return ids, examine(interests, tf.gather(item_vectors, ids))


def evaluate(
    model: System,
    interactions: Interactions,
    top_n: Sequence[int] = CUT_OFFS,
    exclude_history: bool = False,
    published_ndcg: bool = False,
    batch_size: int = BATCH_SIZE,
    progress: bool = False,
    items: ItemFacts | None = None,
) -> Evaluation:
    """Metrics of `model` for the users of `interactions`. Arguments and errors as in `Evaluator`."""
    return Evaluator(model, top_n, exclude_history, items).evaluate(interactions, published_ndcg, batch_size, progress)


def _evaluate(
    retrieve: Callable[[np.ndarray], np.ndarray],
    interactions: Interactions,
    tally: Tally,
    batch_size: int,
    progress: bool,
    exclude_history: bool,
) -> Evaluation:
    """Metrics of the lists that `retrieve` gives (`[B]` positions of users → `[B, max n]` ids), batch by batch."""
    start = time.perf_counter()
    users = users_with_targets(interactions)
    pieces = batches(interactions, users, batch_size, exclude_history)
    for batch in bar("evaluate", iterable=pieces, shown=progress):
        tally.add(retrieve(batch), *targets(interactions, batch))
    return tally.result(interactions, users, time.perf_counter() - start)


def input_signature(model: System) -> list[Any]:
    """What a model's graph reads: history `[B, max_history]`, what to leave out `[B, any]`, and needed features."""
    widths = {"days": model.max_history, "profile": None}
    return [
        tf.TensorSpec([None, model.max_history], tf.int32),
        tf.TensorSpec([None, None], tf.int32),
        {name: tf.TensorSpec([None, widths[name]], tf.int32) for name in model.needs},
    ]


def refuse_unranked(ids: np.ndarray, users: np.ndarray, left_out: np.ndarray, num_items: int) -> None:
    """Raise TrainingDiverged if a model has ranked no item for one of `users`, though there are items to rank.

    Args:
      ids: `[U, N]` lists, 0 = nothing.
      left_out: `[U, any]` ids that may not be in the list, 0 = none.
    """
    unranked = np.flatnonzero(ids[:, 0] == 0)
    wrong = [user for user in unranked if len(np.setdiff1d(left_out[user], [0])) < num_items]
    if wrong:
        raise TrainingDiverged(
            f"no item can be ranked for user {users[wrong[0]]} of the split: the model's interests or its item table "
            "are NaN or infinite; train again with a lower --learning_rate"
        )
