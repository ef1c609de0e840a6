"""Some users of a split, one by one: what a model reads of them, how it routes it, and what it lists."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from remi_tf.counted.base import CountedModel
from remi_tf.data.dataset.interactions import Interactions
from remi_tf.data.dataset.views import features, histories, targets
from remi_tf.evaluation.evaluate import EVALUATION_BYTES
from remi_tf.evaluation.interest_report import examine
from remi_tf.evaluation.tally import Evaluation, left_out
from remi_tf.model import Encodes
from remi_tf.systems import System, best

LENGTH = 20
"""Items of a list that are shown."""
FEW = 3
"""Users that are shown as the best ones, and as the worst ones."""


@dataclass(frozen=True)
class Chosen:
    """Positions among the evaluated users (not in the split): some at random, those with the best lists, the best one
    first, and those with the worst, the worst one first. None is among the best and the worst."""

    sample: list[int]
    best: list[int]
    worst: list[int]

    @property
    def all(self) -> list[int]:
        """Each of them once."""
        return list(dict.fromkeys([*self.sample, *self.best, *self.worst]))


@dataclass(frozen=True)
class UserView:
    """One user, as one model sees the user.

    history: [n] rows that the model reads, oldest first. listed: rows of the list, best first. targets: distinct rows.
    routing: [K, n], NaN for interests that the user does not have; None where the model has no routing.
    interests: which interest scores each listed item highest, from 0; -1 for popular items. None where there is at most
      one interest.
    """

    history: np.ndarray
    listed: np.ndarray
    targets: np.ndarray
    routing: np.ndarray | None = None
    interests: np.ndarray | None = None


def choose_users(evaluation: Evaluation, metric: str, number: int, seed: int) -> Chosen:
    """`number` users at random, and the `FEW` best and worst ones by a metric; equal ones by the same random order."""
    order = np.random.default_rng(seed).permutation(len(evaluation.users))
    by_score = order[np.argsort(-evaluation.per_user[metric][order], kind="stable")]
    few = min(FEW, len(order) // 2)
    return Chosen(order[:number].tolist(), by_score[:few].tolist(), by_score[::-1][:few].tolist())


def view_users(model: System, data: Interactions, users: np.ndarray, exclude_history: bool) -> list[UserView]:
    """What a model sees of a few users, which are positions in the split."""
    if not len(users):
        return []
    history = histories(data, users, model.max_history)
    known = features(data, users, model.max_history, model.needs)
    exclude = tf.constant(left_out(data, users, exclude_history)) if exclude_history else None
    ids, _ = best(model, tf.constant(history), LENGTH, exclude, EVALUATION_BYTES, **known)
    wanted, offsets = targets(data, users)
    views = [
        UserView(row[row > 0], listed[listed > 0], np.unique(wanted[start:end]))
        for row, listed, start, end in zip(history, ids.numpy(), offsets[:-1], offsets[1:], strict=True)
    ]
    return views if isinstance(model, CountedModel) else _with_interests(model, history, known, ids, views)


def _with_interests(
    model: Encodes, history: np.ndarray, known: dict[str, np.ndarray], ids: tf.Tensor, views: Sequence[UserView]
) -> list[UserView]:
    interests = model.encode(tf.constant(history), **known)
    found = examine(interests, tf.gather(model.item_vectors(), ids))
    answers, active = found["answers"].numpy(), found["active"].numpy()
    rows = None if interests.routing is None else np.where(active[:, :, None], interests.routing.numpy(), np.nan)
    seen = []
    for user, view in enumerate(views):
        read = len(view.history)
        by = np.argmax(answers[user, :, : len(view.listed)], axis=0) if read else np.full(len(view.listed), -1)
        seen.append(
            UserView(
                view.history,
                view.listed,
                view.targets,
                None if rows is None or not read else rows[user, :, :read],
                by if answers.shape[1] > 1 else None,
            )
        )
    return seen
