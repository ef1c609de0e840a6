"""Evaluation over the whole catalogue: every user of a split, exact retrieval, per-user metrics."""

import dataclasses
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from remi_tf import metrics
from remi_tf.data.interactions import Interactions
from remi_tf.data.pipeline import day_numbers
from remi_tf.encoders.base import Interests
from remi_tf.errors import InputError, TrainingDiverged
from remi_tf.interest_report import InterestReport, examine
from remi_tf.retrieval.top_k import Model, answer

TOP_N = (20, 50)
SCORE_BYTES = 256 * 2**20
"""Scores held at a time; at 256 users, a quarter faster than with 64 MiB."""

_retrievers: weakref.WeakKeyDictionary[Any, dict[tuple[int, bool], Callable]] = weakref.WeakKeyDictionary()


class Examined(Model, Protocol):
    """A model whose interests can be looked into."""

    def encode(self, history: Any, **features: Any) -> Interests:
        """`interests` with what is known of them beside their vectors."""


@dataclass(frozen=True)
class Evaluation:
    """Per-user metrics of one split.

    per_user: metric@n → `[evaluated users]` float64; users: `[evaluated users]` their positions in the split;
    without_targets: users left out, as they have no targets; seconds: wall time; interests: `InterestReport.figures`,
    empty for a system without.
    """

    per_user: dict[str, np.ndarray] = field(repr=False)
    users: np.ndarray = field(repr=False)
    without_targets: int
    seconds: float
    interests: dict[str, Any] = field(default_factory=dict)

    @property
    def means(self) -> dict[str, float]:
        """metric@n → mean over the evaluated users."""
        return {name: float(values.mean()) for name, values in self.per_user.items()}


def evaluate(
    model: Examined,
    interactions: Interactions,
    top_n: Sequence[int] = TOP_N,
    exclude_history: bool = False,
    released_ndcg: bool = False,
    batch_size: int = 256,
    progress: bool = False,
) -> Evaluation:
    """Metrics of `model` for the users of `interactions`; the graph is built once per model and setting.

    Args:
      exclude_history: do not recommend what the model read (the last `model.max_history` items of the history);
        the papers do recommend it.
      released_ndcg: also the NDCG of the released REMI code (slow).
      progress: show a progress bar on a terminal.

    Raises:
      InputError: `top_n` is empty or not positive, or no user has targets.
      TrainingDiverged: the model's interests or its item table are not finite.
    """
    retrieve = _retriever(model, max(_checked(top_n)), exclude_history)
    report: InterestReport | None = None

    def batch(users: np.ndarray) -> np.ndarray:
        nonlocal report
        history = histories(interactions, users, model.max_history)
        result = retrieve(history, features(interactions, users, model.max_history, model.needs))
        ids = result[0].numpy()
        if not ids[:, 0].all():
            raise TrainingDiverged(
                f"no item can be ranked for user {users[np.argmin(ids[:, 0])]} of the split: the model's interests "
                "or its item table are NaN or infinite; train anew with a lower --learning_rate"
            )
        found = {name: tensor.numpy() for name, tensor in result[1].items()}
        report = report or InterestReport(found["active"].shape[1])
        report.add(found, (history > 0).sum(axis=1), metrics.contained(ids, *targets(interactions, users)))
        return ids

    result = _evaluate(batch, interactions, top_n, released_ndcg, batch_size, progress)
    return dataclasses.replace(result, interests=report.figures if report else {})


def most_popular(
    train: Interactions,
    interactions: Interactions,
    top_n: Sequence[int] = TOP_N,
    exclude_last: int = 0,
    released_ndcg: bool = False,
    batch_size: int = 256,
) -> Evaluation:
    """The same metrics for MostPopular: items by their count in the training users' sequences.

    Everyone gets the same list, without the last `exclude_last` items of the own history; ties by the lower id.

    Raises:
      InputError: as `evaluate`.
    """
    counts = np.bincount(train.items)
    counts[0] = 0
    ranked = np.argsort(-counts, kind="stable").astype(np.int32)
    ranked = ranked[counts[ranked] > 0]
    k = max(_checked(top_n))

    def batch(users: np.ndarray) -> np.ndarray:
        if not exclude_last:
            return _padded(np.broadcast_to(ranked[:k], (len(users), min(k, len(ranked)))), k)
        candidates = np.broadcast_to(ranked[: k + exclude_last], (len(users), min(k + exclude_last, len(ranked))))
        history = histories(interactions, users, exclude_last)
        excluded = metrics.contained(candidates, history.ravel(), np.arange(len(users) + 1) * exclude_last)
        kept_first = np.argsort(excluded, axis=1, kind="stable")[:, :k]
        ids = np.where(excluded, 0, candidates)
        return _padded(np.take_along_axis(ids, kept_first, axis=1), k)

    return _evaluate(batch, interactions, top_n, released_ndcg, batch_size, progress=False)


def histories(interactions: Interactions, users: np.ndarray, max_history: int) -> np.ndarray:
    """The last `max_history` items of the users' histories, right-padded: `[U]` → `[U, max_history]` int32."""
    return _ends(interactions, interactions.items, users, max_history).astype(np.int32)


def features(
    interactions: Interactions, users: np.ndarray, max_history: int, needs: Sequence[str]
) -> dict[str, np.ndarray]:
    """What a model `needs` beside `histories`: days `[U, max_history]` and profile `[U, columns]`, both int32.

    Raises:
      InputError: profiles are needed and there are none.
    """
    values = {}
    if "days" in needs:
        values["days"] = day_numbers(_ends(interactions, interactions.timestamps, users, max_history))
    if "profile" in needs:
        if interactions.profiles is None:
            raise InputError("the model reads user profiles, and these users have none; prepare them with --users")
        values["profile"] = np.asarray(interactions.profiles[users], np.int32)
    return values


def _ends(interactions: Interactions, values: np.ndarray, users: np.ndarray, length: int) -> np.ndarray:
    """`values` of the last `length` interactions of the users' histories, right-padded with 0: `[U, length]`."""
    cuts = np.asarray(interactions.cuts)[users]
    lengths = np.minimum(cuts, length)  # [U]
    starts = np.asarray(interactions.offsets)[users] + cuts - lengths  # [U]
    slots = np.arange(length)
    filled = slots < lengths[:, None]  # [U, length]
    return np.where(filled, values[np.where(filled, starts[:, None] + slots, 0)], 0)


def targets(interactions: Interactions, users: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What follows the users' histories, repeats kept: flat `[T]` int32 and its offsets `[U + 1]` int64."""
    offsets = np.asarray(interactions.offsets)
    starts = offsets[users] + np.asarray(interactions.cuts)[users]  # [U]
    counts = offsets[users + 1] - starts  # [U]
    target_offsets = np.concatenate([[0], np.cumsum(counts)])
    positions = np.arange(target_offsets[-1]) + np.repeat(starts - target_offsets[:-1], counts)
    return np.asarray(interactions.items[positions], np.int32), target_offsets


def _evaluate(
    retrieve: Callable[[np.ndarray], np.ndarray],
    interactions: Interactions,
    top_n: Sequence[int],
    released_ndcg: bool,
    batch_size: int,
    progress: bool,
) -> Evaluation:
    """Metrics of what `retrieve` (`[B]` positions of users → `[B, max n]` ids) gives, batch by batch."""
    start = time.perf_counter()
    with_targets = interactions.lengths > np.asarray(interactions.cuts)
    users = np.flatnonzero(with_targets)
    if not len(users):
        raise InputError(f"none of the {interactions.num_users} users of the split has targets: nothing to evaluate")
    parts = [
        metrics.per_user(retrieve(batch), *targets(interactions, batch), top_n, released_ndcg)
        for batch in tqdm(list(_batches(users, batch_size)), "evaluate", disable=None if progress else True)
    ]
    per_user = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return Evaluation(per_user, users, int((~with_targets).sum()), time.perf_counter() - start)


def _retriever(model: Examined, k: int, exclude_history: bool) -> Callable:
    """The graph (history `[B, max_history]`, features) → ids `[B, k]` and what `examine` finds; traced once a model."""
    functions = _retrievers.setdefault(model, {})
    if (k, exclude_history) not in functions:
        living = weakref.ref(model)  # the cache must not keep the model alive

        def retrieve(history: tf.Tensor, features: dict[str, tf.Tensor]) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
            model = living()
            assert model is not None
            interests, item_vectors = model.encode(history, **features), model.item_vectors()
            ids, _ = answer(interests.vectors, item_vectors, history, k, exclude_history, SCORE_BYTES)
            return ids, examine(interests, tf.gather(item_vectors, ids))

        widths = {"days": model.max_history, "profile": None}
        signature = [
            tf.TensorSpec([None, model.max_history], tf.int32),
            {name: tf.TensorSpec([None, widths[name]], tf.int32) for name in model.needs},
        ]
        functions[k, exclude_history] = tf.function(retrieve, input_signature=signature)
    return functions[k, exclude_history]


def _batches(users: np.ndarray, size: int) -> Iterator[np.ndarray]:
    for start in range(0, len(users), size):
        yield users[start : start + size]


def _padded(ids: np.ndarray, k: int) -> np.ndarray:
    return np.pad(ids, ((0, 0), (0, k - ids.shape[1])))


def _checked(top_n: Sequence[int]) -> Sequence[int]:
    if not top_n or min(top_n) < 1:
        raise InputError(f"top_n {','.join(map(str, top_n)) or '(empty)'}: give positive whole numbers such as 20,50")
    return top_n
