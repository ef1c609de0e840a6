"""What interests do: how many items each one reads, how alike they are, and which of them finds the targets.

Collapse shows here: interests that each read a single item, that point the same way, or that leave all hits to one.
"""

from typing import Any

import numpy as np
import tensorflow as tf

from remi_tf.encoders.base import Interests
from remi_tf.numbers import fixed
from remi_tf.objective.readout import only_active

SAME = 1e-5  # two scores of a candidate count as equal below this relative difference: interests that are the same


def examine(interests: Interests, candidates: tf.Tensor) -> dict[str, tf.Tensor]:
    """A batch's part of the report: tensors with one row per user.

    Args:
      interests: what `MultiInterestModel.encode` gives.
      candidates: [batch, N, dim] vectors of the items that were retrieved.

    Returns:
      active: [batch, K] bool.
      cosine: [batch, K, K] of every two interests.
      answers: [batch, K, N] float, 1 for the interest that scores a candidate highest. Equal ones share it evenly.
      effective_items: [batch, K], only with routing: e^H, where H is the entropy of the interest's row. It is 1 for a
        row on one item, n for an even row over n.
    """
    vectors = interests.vectors
    unit = tf.math.l2_normalize(vectors, axis=-1)
    by_interest = only_active(tf.matmul(vectors, candidates, transpose_b=True), interests)  # [B, K, N]
    highest = tf.reduce_max(by_interest, axis=1, keepdims=True)
    answers = tf.cast(by_interest >= highest - SAME * tf.abs(highest), vectors.dtype)
    found = {
        "active": tf.ones(tf.shape(vectors)[:2], tf.bool) if interests.active is None else interests.active,
        "cosine": tf.matmul(unit, unit, transpose_b=True),
        "answers": answers / tf.reduce_sum(answers, axis=1, keepdims=True),
    }
    if interests.routing is not None:
        shares = interests.routing
        found["effective_items"] = tf.exp(-tf.reduce_sum(tf.math.xlogy(shares, shares), axis=2))
    return found


class InterestReport:
    """Collects `examine`'s tensors batch by batch.

    Args:
      num_interests: K.
    """

    def __init__(self, num_interests: int):
        self.num_interests = num_interests
        self._hits, self._listed = np.zeros(num_interests), np.zeros(num_interests)
        self._cosines, self._pairs = np.zeros((2, num_interests, num_interests))
        self._sums: dict[str, list[float]] = {}  # what is averaged → sum and number of values

    def add(
        self, found: dict[str, np.ndarray], history_lengths: np.ndarray, hits: np.ndarray, listed: np.ndarray
    ) -> None:
        """Add a batch. Users without a history are left out: their interests mean nothing.

        Args:
          found: examine's tensors.
          history_lengths: [B] items that the model read.
          hits: [B, N] bool, which candidates were targets.
          listed: [B, N] bool, false where a list is shorter, so that there is no candidate.
        """
        reads = history_lengths > 0
        active = found["active"] & reads[:, None]
        self._hits += (found["answers"] * (hits & reads[:, None])[:, None]).sum(axis=(0, 2))
        self._listed += (found["answers"] * (listed & reads[:, None])[:, None]).sum(axis=(0, 2))
        both = active[:, :, None] & active[:, None, :]
        self._cosines += np.where(both, found["cosine"], 0).sum(axis=0, dtype=np.float64)
        self._pairs += both.sum(axis=0)
        self._average("interest_cosine", found["cosine"][np.triu(both, k=1)])  # each two interests once
        if "effective_items" in found:
            self._average("effective_items", found["effective_items"][active])
            self._average("history_items", history_lengths[reads])

    def _average(self, name: str, values: np.ndarray) -> None:
        total = self._sums.setdefault(name, [0.0, 0.0])
        total[0] += float(values.sum(dtype=np.float64))
        total[1] += values.size

    @property
    def figures(self) -> dict[str, Any]:
        """The report's numbers. One that has no meaning here (one interest, no routing, no hit) is left out.

        interest_cosine: mean of every two interests of a user.
        effective_items: mean over users and interests.
        history_items: mean number of items read.
        hit_shares: share of all hits that each interest answered for.
        list_shares: the same of all items of the lists.
        cosines: K lists of K, the mean cosine of every two interests. None where no user has both.
        """
        figures: dict[str, Any] = {name: total / count for name, (total, count) in self._sums.items() if count}
        if self.num_interests > 1 and self._hits.any():
            figures["hit_shares"] = (self._hits / self._hits.sum()).tolist()
        if self.num_interests > 1 and self._listed.any():
            figures["list_shares"] = (self._listed / self._listed.sum()).tolist()
            means = (self._cosines / np.maximum(self._pairs, 1)).astype(object)
            means[self._pairs == 0] = None
            figures["cosines"] = means.tolist()
        return figures


def flat(figures: dict[str, Any]) -> dict[str, float]:
    """`figures` as single numbers: hit_shares becomes hit_share_1, hit_share_2, … Other lists are left out."""
    shares = figures.get("hit_shares", [])
    single = {name: value for name, value in figures.items() if not isinstance(value, list)}
    return single | {f"hit_share_{number}": share for number, share in enumerate(shares, 1)}


def sentence(figures: dict[str, Any]) -> str:
    """`figures` in words, one line. Empty if there are none."""
    parts = []
    if "effective_items" in figures:
        parts.append(f"each reads {figures['effective_items']:.1f} of {figures['history_items']:.1f} items")
    if "interest_cosine" in figures:
        parts.append(f"cosine of two {fixed(figures['interest_cosine'], 2)}")
    if "hit_shares" in figures:
        parts.append("share of hits " + " ".join(f"{share:.0%}" for share in figures["hit_shares"]))
    return "interests: " + ", ".join(parts) if parts else ""
