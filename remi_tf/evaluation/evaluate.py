"""Evaluation over the whole catalogue: every user of a split, exact retrieval, per-user metrics."""

import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf

from remi_tf.data.dataset.interactions import Interactions
from remi_tf.data.dataset.views import features, histories, targets
from remi_tf.errors import InputError, TrainingDiverged
from remi_tf.evaluation import metrics
from remi_tf.evaluation.interest_report import InterestReport, examine
from remi_tf.evaluation.metrics import CUT_OFFS
from remi_tf.model import Encodes
from remi_tf.progress import bar
from remi_tf.retrieval.top_k import answer

EVALUATION_BYTES = 256 * 2**20
"""Bound on the scores held at a time. At 256 users, a quarter faster than 64 MiB."""
HISTORY_PLACES = 1 << 20
"""Bound on users × longest history, where histories are left out of the lists (or one user): 4 MiB of ids."""


@dataclass(frozen=True, repr=False)
class Evaluation:
    """Per-user metrics of one split.

    per_user: metric@n → `[evaluated users]` float64.
    users: `[evaluated users]`, their positions in the split.
    without_targets: number of users left out because they have no targets.
    seconds: wall time.
    interests: `InterestReport.figures`; empty for a system without interests.
    """

    per_user: dict[str, np.ndarray]
    users: np.ndarray
    without_targets: int
    seconds: float
    interests: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        means = ", ".join(f"{name} {value:.4f}" for name, value in self.means.items())
        return f"<Evaluation of {len(self.users):,} users: {means}>"

    @property
    def means(self) -> dict[str, float]:
        """metric@n → mean over the evaluated users."""
        return {name: float(values.mean()) for name, values in self.per_user.items()}


class Evaluator:
    """Evaluates one model many times. Its graph is built once.

    Args:
      top_n: cut-offs of the metrics.
      exclude_history: leave the user's whole history out of the list, also what is too old for the model to read.

    Raises:
      InputError: `top_n` is empty or not positive.
    """

    def __init__(self, model: Encodes, top_n: Sequence[int] = CUT_OFFS, exclude_history: bool = False):
        self.model, self.top_n, self._exclude_history = model, _checked(top_n), exclude_history
        widths = {"days": model.max_history, "profile": None}
        signature = [
            tf.TensorSpec([None, model.max_history], tf.int32),
            tf.TensorSpec([None, None], tf.int32),
            {name: tf.TensorSpec([None, widths[name]], tf.int32) for name in model.needs},
        ]
        # The concrete function: TensorFlow warns when several evaluators each trace their own.
        self._retrieve = tf.function(self._ids_and_interests, input_signature=signature).get_concrete_function()

    def evaluate(
        self, interactions: Interactions, released_ndcg: bool = False, batch_size: int = 256, progress: bool = False
    ) -> Evaluation:
        """Metrics for the users of `interactions`.

        Args:
          released_ndcg: also the NDCG of the released REMI code (slow).
          progress: show a progress bar on a terminal.

        Raises:
          InputError: no user has targets.
          TrainingDiverged: the model's interests or its item table are not finite.
        """
        report: InterestReport | None = None

        def batch(users: np.ndarray) -> np.ndarray:
            nonlocal report
            history = histories(interactions, users, self.model.max_history)
            known = features(interactions, users, self.model.max_history, self.model.needs)
            whole = _whole_histories(interactions, users) if self._exclude_history else history[:, :0]
            ids, found = self._retrieve(history, whole, known)
            ids = ids.numpy()
            if not (ids[:, 0].astype(bool) | _holds_every_item(whole, int(self.model.item_table.shape[0]) - 1)).all():
                raise TrainingDiverged(
                    f"no item can be ranked for user {users[np.argmin(ids[:, 0])]} of the split: the model's "
                    "interests or its item table are NaN or infinite; train again with a lower --learning_rate"
                )
            arrays = {name: tensor.numpy() for name, tensor in found.items()}
            report = report or InterestReport(arrays["active"].shape[1])
            report.add(arrays, (history > 0).sum(axis=1), metrics.contained(ids, *targets(interactions, users)))
            return ids

        result = _evaluate(batch, interactions, self.top_n, released_ndcg, batch_size, progress, self._exclude_history)
        return dataclasses.replace(result, interests=report.figures if report else {})

    def _ids_and_interests(
        self, history: tf.Tensor, whole: tf.Tensor, features: dict[str, tf.Tensor]
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """(history `[B, max_history]`, whole histories, features) → ids `[B, k]` and what `examine` finds."""
        interests, item_vectors = self.model.encode(history, **features), self.model.item_vectors()
        k = max(self.top_n)
        exclude = whole if self._exclude_history else None
        ids, _ = answer(interests.vectors, item_vectors, history, k, exclude, EVALUATION_BYTES)
        return ids, examine(interests, tf.gather(item_vectors, ids))


def evaluate(
    model: Encodes,
    interactions: Interactions,
    top_n: Sequence[int] = CUT_OFFS,
    exclude_history: bool = False,
    released_ndcg: bool = False,
    batch_size: int = 256,
    progress: bool = False,
) -> Evaluation:
    """Metrics of `model` for the users of `interactions`. Arguments and errors as in `Evaluator`."""
    return Evaluator(model, top_n, exclude_history).evaluate(interactions, released_ndcg, batch_size, progress)


def most_popular(
    train: Interactions,
    interactions: Interactions,
    top_n: Sequence[int] = CUT_OFFS,
    exclude_history: bool = False,
    released_ndcg: bool = False,
    batch_size: int = 256,
) -> Evaluation:
    """The same metrics for MostPopular, which ranks items by their count in the training users' sequences.

    Everyone gets the same list; with `exclude_history`, without the own whole history. Ties go to the lower id.

    Raises:
      InputError: as `evaluate`.
    """
    counts = np.bincount(train.items)
    counts[0] = 0
    ranked = np.argsort(-counts, kind="stable").astype(np.int32)
    ranked = ranked[counts[ranked] > 0]
    k = max(_checked(top_n))

    def batch(users: np.ndarray) -> np.ndarray:
        if not exclude_history:
            return _padded(np.broadcast_to(ranked[:k], (len(users), min(k, len(ranked)))), k)
        history = _whole_histories(interactions, users)
        longest = history.shape[1]
        candidates = np.broadcast_to(ranked[: k + longest], (len(users), min(k + longest, len(ranked))))
        excluded = metrics.contained(candidates, history.ravel(), np.arange(len(users) + 1) * longest)
        kept_first = np.argsort(excluded, axis=1, kind="stable")[:, :k]
        ids = np.where(excluded, 0, candidates)
        return _padded(np.take_along_axis(ids, kept_first, axis=1), k)

    return _evaluate(batch, interactions, top_n, released_ndcg, batch_size, False, exclude_history)


def _evaluate(
    retrieve: Callable[[np.ndarray], np.ndarray],
    interactions: Interactions,
    top_n: Sequence[int],
    released_ndcg: bool,
    batch_size: int,
    progress: bool,
    exclude_history: bool,
) -> Evaluation:
    """Metrics of the lists that `retrieve` gives (`[B]` positions of users → `[B, max n]` ids), batch by batch."""
    start = time.perf_counter()
    with_targets = interactions.lengths > np.asarray(interactions.cuts)
    users = np.flatnonzero(with_targets)
    if not len(users):
        raise InputError(f"none of the {interactions.num_users} users of the split has targets: nothing to evaluate")
    widths = np.asarray(interactions.cuts) * exclude_history
    batches = [
        part
        for start in range(0, len(users), batch_size)
        for part in _narrow(users[start : start + batch_size], widths)
    ]
    parts = [
        metrics.per_user(retrieve(batch), *targets(interactions, batch), top_n, released_ndcg)
        for batch in bar("evaluate", iterable=batches, shown=progress)
    ]
    per_user = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return Evaluation(per_user, users, int((~with_targets).sum()), time.perf_counter() - start)


def _narrow(users: np.ndarray, widths: np.ndarray) -> Iterator[np.ndarray]:
    """The users, halved until each part has at most HISTORY_PLACES (users × largest width) or one user."""
    if len(users) == 1 or len(users) * widths[users].max() <= HISTORY_PLACES:
        yield users
    else:
        for half in np.array_split(users, 2):
            yield from _narrow(half, widths)


def _whole_histories(interactions: Interactions, users: np.ndarray) -> np.ndarray:
    """`[U, longest]` int32: all of the users' histories, right-padded with 0."""
    return histories(interactions, users, int(np.asarray(interactions.cuts)[users].max(initial=0)))


def _holds_every_item(whole: np.ndarray, num_items: int) -> np.ndarray:
    """`[U]` whether a history holds the whole catalogue, so that nothing is left for the list."""
    if whole.shape[1] < num_items:
        return np.zeros(len(whole), bool)
    return np.array([len(np.setdiff1d(history, [0])) == num_items for history in whole], bool)


def _padded(ids: np.ndarray, k: int) -> np.ndarray:
    return np.pad(ids, ((0, 0), (0, k - ids.shape[1])))


def _checked(top_n: Sequence[int]) -> Sequence[int]:
    if not top_n or min(top_n) < 1:
        raise InputError(f"top_n {','.join(map(str, top_n)) or '(empty)'}: give positive whole numbers such as 20,50")
    return top_n
