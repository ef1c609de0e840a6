"""Users in segments: for whom is a model good?

Three ways to divide the evaluated users:
  history            quarters by the length of their history (all of it, not only what the model reads)
  category_spread    quarters by how many categories the history is spread over: e^H, with the entropy H of the shares
                     of its known categories. 1 is a history in one category, c an even one over c
  target_popularity  where most of a user's targets lie: head, middle or tail. These are the most popular items, the
                     next ones and the rest; each part has a third of the training interactions. If two parts are
                     equal, the less popular one counts
Users with the same value are never divided, so quarters may differ in size, or be fewer than four.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from remi_tf.data.dataset.interactions import Interactions
from remi_tf.data.dataset.views import targets, whole_histories
from remi_tf.evaluation.list_metrics import ItemFacts, distinct_pairs
from remi_tf.evaluation.tally import Evaluation, means

PARTS = ("head", "middle", "tail")


@dataclass(frozen=True)
class Segment:
    """Some of the evaluated users. kind: how users were divided; name: which of them; members: their positions."""

    kind: str
    name: str
    members: np.ndarray

    def means(self, evaluation: Evaluation) -> dict[str, float]:
        """Metric@n → mean over the segment's users. The metrics of the whole split are not divided."""
        return means({name: values[self.members] for name, values in evaluation.per_user.items()})


def segments(interactions: Interactions, users: np.ndarray, items: ItemFacts) -> list[Segment]:
    """The segments of `users`, which are positions in the split, as `Evaluation.users` has them.

    Without categories there is no category_spread. Users who have read nothing of known category are a segment of
    their own there.
    """
    lengths = np.asarray(interactions.cuts)[users]
    found = [Segment("history", name, members) for name, members in _quarters(lengths, "{:.0f}", "items")]
    if items.categories is not None:
        spread = _category_spread(interactions, users, items.categories)
        found += [
            Segment("category_spread", name, members) for name, members in _quarters(spread, "{:.2f}", "categories")
        ]
        if len(unknown := np.flatnonzero(spread == 0)):
            found.append(Segment("category_spread", "unknown", unknown))
    part = _part_of_targets(interactions, users, items.counts)
    names = [(name, np.flatnonzero(part == number)) for number, name in enumerate(PARTS)]
    return found + [Segment("target_popularity", name, members) for name, members in names if len(members)]


def by_segment(parts: list[Segment], evaluations: Mapping[str, Evaluation]) -> dict[str, list[dict[str, Any]]]:
    """Kind → its segments, each with its name, its number of users and the means of every system, as JSON has it."""
    found: dict[str, list[dict[str, Any]]] = {}
    for part in parts:
        metrics = {system: part.means(evaluation) for system, evaluation in evaluations.items()}
        row = {"segment": part.name, "users": len(part.members), "metrics": metrics}
        found.setdefault(part.kind, []).append(row)
    return found


def _quarters(values: np.ndarray, form: str, unit: str) -> list[tuple[str, np.ndarray]]:
    """Users by the quartiles of their values above 0, named by the smallest and the largest value."""
    there = np.flatnonzero(values > 0)
    if not len(there):
        return []
    bounds = np.quantile(values[there], (0.25, 0.5, 0.75), method="inverted_cdf")
    quarter = np.searchsorted(bounds, values[there])  # a value equal to a bound belongs below it
    found = []
    for members in (there[quarter == number] for number in range(4)):
        if len(members):
            ends = [form.format(end) for end in (values[members].min(), values[members].max())]
            found.append(("–".join(dict.fromkeys(ends)) + f" {unit}", members))
    return found


def _category_spread(interactions: Interactions, users: np.ndarray, categories: np.ndarray) -> np.ndarray:
    """`[U]` float64: e^H of each history's known categories; 0 where none is known."""
    items, offsets = whole_histories(interactions, users)
    owners, read = np.repeat(np.arange(len(users)), np.diff(offsets)), categories[items]
    owners, read = owners[read > 0], read[read > 0]
    totals = np.bincount(owners, minlength=len(users))  # [U]
    _, owner, sizes = distinct_pairs(owners, read)  # each user's categories
    shares = sizes / totals[owner]
    entropy = np.bincount(owner, -shares * np.log(shares), len(users))
    return np.where(totals > 0, np.exp(entropy), 0.0)


def _part_of_targets(interactions: Interactions, users: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """`[U]`: the number in `PARTS` of the part that most of a user's targets lie in."""
    order = np.argsort(-counts, kind="stable")
    before = np.cumsum(counts[order]) - counts[order]  # interactions with more popular items
    part = np.full(len(counts), len(PARTS) - 1)
    for number in reversed(range(len(PARTS) - 1)):
        part[order[(len(PARTS) * before < (number + 1) * counts.sum()) & (counts[order] > 0)]] = number
    items, offsets = targets(interactions, users)
    owners = np.repeat(np.arange(len(users)), np.diff(offsets))
    votes = np.bincount(owners * len(PARTS) + part[items], minlength=len(users) * len(PARTS)).reshape(-1, len(PARTS))
    return len(PARTS) - 1 - np.argmax(votes[:, ::-1], axis=1)  # the last of equal ones
