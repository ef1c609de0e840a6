"""What an evaluation measures: the metrics of one system's lists, collected batch by batch."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from remi_tf.data.dataset.interactions import Interactions
from remi_tf.data.dataset.views import histories
from remi_tf.errors import InputError
from remi_tf.evaluation import metrics
from remi_tf.evaluation.list_metrics import ItemFacts, ListReport

HISTORY_PLACES = 1 << 20
"""Bound on users × longest history, where histories are left out of the lists (or one user): 4 MiB of ids."""


@dataclass(frozen=True, repr=False)
class Evaluation:
    """Per-user metrics of one split.

    per_user: metric@n → `[evaluated users]` float64; NaN where a metric has no value for a user.
    users: `[evaluated users]`, their positions in the split.
    without_targets: number of users left out because they have no targets.
    seconds: wall time.
    interests: `InterestReport.figures`; empty for a system without interests.
    whole_split: metric@n → one value of all lists together (`ListReport.whole_split`).
    listed: n → `[I + 1]` how often each row is in the lists of n; empty where list_metrics.py was not asked for.
    """

    per_user: dict[str, np.ndarray]
    users: np.ndarray
    without_targets: int
    seconds: float
    interests: dict[str, Any] = field(default_factory=dict)
    whole_split: dict[str, float] = field(default_factory=dict)
    listed: dict[int, np.ndarray] = field(default_factory=dict)

    def __repr__(self) -> str:
        means = ", ".join(f"{name} {value:.4f}" for name, value in self.means.items())
        return f"<Evaluation of {len(self.users):,} users: {means}>"

    @property
    def means(self) -> dict[str, float]:
        """metric@n → mean over the evaluated users that have a value. A metric that nobody has is left out."""
        return means(self.per_user)

    @property
    def figures(self) -> dict[str, float]:
        """`means` and `whole_split`."""
        return {**self.means, **self.whole_split}


def means(per_user: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Metric@n → mean of its values that are not NaN. A metric without any is left out."""
    there = {name: values[~np.isnan(values)] for name, values in per_user.items()}
    return {name: float(values.mean()) for name, values in there.items() if len(values)}


class Tally:
    """Measures the lists of one system, batch by batch.

    Args:
      top_n: cut-offs of the metrics.
      items: also the metrics of list_metrics.py; None leaves them out.
      published_ndcg: also the NDCGs of published tables, whose order is not that of the list (slow).
    """

    def __init__(self, top_n: Sequence[int], items: ItemFacts | None = None, published_ndcg: bool = False):
        self.top_n, self._published_ndcg = checked_cut_offs(top_n), published_ndcg
        self._report = ListReport(items, top_n) if items else None
        self._parts: list[dict[str, np.ndarray]] = []

    def add(self, ids: np.ndarray, targets: np.ndarray, offsets: np.ndarray) -> None:
        """Add a batch; the arguments are those of `metrics.per_user`."""
        found = metrics.per_user(ids, targets, offsets, self.top_n, self._published_ndcg)
        self._parts.append({**found, **(self._report.add(ids, targets, offsets) if self._report else {})})

    def result(self, interactions: Interactions, users: np.ndarray, seconds: float) -> Evaluation:
        """The evaluation of `users`, which are positions in the split, in the order of the batches."""
        per_user = {name: np.concatenate([part[name] for part in self._parts]) for name in self._parts[0]}
        found = Evaluation(per_user, users, interactions.num_users - len(users), seconds)
        if self._report is None:
            return found
        return replace(found, whole_split=self._report.whole_split, listed=self._report.listed)


def users_with_targets(interactions: Interactions) -> np.ndarray:
    """`[U]` positions of the users who can be evaluated.

    Raises:
      InputError: there are none.
    """
    users = np.flatnonzero(interactions.lengths > np.asarray(interactions.cuts))
    if not len(users):
        raise InputError(f"none of the {interactions.num_users} users of the split has targets: nothing to evaluate")
    return users


def batches(interactions: Interactions, users: np.ndarray, size: int, exclude_history: bool) -> list[np.ndarray]:
    """`users` in pieces of `size`, or less where `left_out` would be larger than HISTORY_PLACES."""
    widths = np.asarray(interactions.cuts) * exclude_history
    return [part for start in range(0, len(users), size) for part in _narrow(users[start : start + size], widths)]


def _narrow(users: np.ndarray, widths: np.ndarray) -> Iterator[np.ndarray]:
    """The users, halved until each part has at most HISTORY_PLACES (users × largest width) or one user."""
    if len(users) == 1 or len(users) * widths[users].max() <= HISTORY_PLACES:
        yield users
    else:
        for half in np.array_split(users, 2):
            yield from _narrow(half, widths)


def left_out(interactions: Interactions, users: np.ndarray, exclude_history: bool) -> np.ndarray:
    """Items that may not be in the users' lists: `[U, longest]` int32, the whole histories, right-padded with 0.

    `[U, 0]` if the history may be in the lists.
    """
    longest = int(np.asarray(interactions.cuts)[users].max(initial=0)) if exclude_history else 0
    return histories(interactions, users, longest)


def checked_cut_offs(top_n: Sequence[int]) -> Sequence[int]:
    """`top_n`.

    Raises:
      InputError: it is empty, or a cut-off is not positive.
    """
    if not top_n or min(top_n) < 1:
        raise InputError(f"top_n {','.join(map(str, top_n)) or '(empty)'}: give positive whole numbers such as 20,50")
    return top_n
