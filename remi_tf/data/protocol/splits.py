"""Sequences of users → train, valid and test, in the three ways that papers use."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from remi_tf.data.dataset.interactions import Interactions
from remi_tf.data.dataset.views import history_cuts
from remi_tf.errors import InputError

Split = dict[str, tuple[Interactions, np.ndarray]]


@dataclass(frozen=True)
class Sequences:
    """All users' rows end to end, oldest first.

    items: [n] int32 rows 1..I; timestamps: [n] int64 seconds, or 0, 1, … within each user where `calendar` is false;
    offsets: [users + 1] int64.
    """

    items: np.ndarray
    timestamps: np.ndarray
    offsets: np.ndarray
    calendar: bool

    @property
    def num_users(self) -> int:
        return len(self.offsets) - 1

    def head(self, ends: np.ndarray, cuts: np.ndarray, users: np.ndarray) -> tuple[Interactions, np.ndarray]:
        """The first `ends[u]` rows of every user u in `users`, of which `cuts[u]` are history. All arrays [users]."""
        lengths = ends[users]
        offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
        rows = np.arange(offsets[-1]) + np.repeat(self.offsets[users] - offsets[:-1], lengths)
        return Interactions(self.items[rows], self.timestamps[rows], offsets, cuts[users]), users


def split_users(sequences: Sequences) -> Split:
    """The papers' split: the first 80% of the (shuffled) users train, the next 10% validate, the rest test.

    Validation and test users are unseen in training; int(0.8 n) of their n rows are history, the rest targets.
    """
    n = sequences.num_users
    lengths = np.diff(sequences.offsets)
    cuts = history_cuts(lengths)
    bounds = {"train": (0, int(n * 0.8)), "valid": (int(n * 0.8), int(n * 0.9)), "test": (int(n * 0.9), n)}
    split = {}
    for name, (first, last) in bounds.items():
        start, stop = sequences.offsets[first], sequences.offsets[last]
        interactions = Interactions(
            sequences.items[start:stop],
            sequences.timestamps[start:stop],
            sequences.offsets[first : last + 1] - start,
            (lengths if name == "train" else cuts)[first:last],
        )
        split[name] = (interactions, np.arange(first, last))
    return split


def split_leave_one_out(sequences: Sequences) -> Split:
    """Train on all but a user's last two rows, validate on the second last, test on the last.

    Users with fewer than three rows are left out.
    """
    lengths = np.diff(sequences.offsets)
    users = np.flatnonzero(lengths >= 3)
    return {
        "train": sequences.head(lengths - 2, lengths - 2, users),
        "valid": sequences.head(lengths - 1, lengths - 2, users),
        "test": sequences.head(lengths, lengths - 1, users),
    }


def split_time(sequences: Sequences) -> Split:
    """Train before the 80% quantile of all times, validate from there to the 90% quantile, test after it.

    A user's history is everything before the window; users without history or without a row in the window
    are left out of that window.

    Raises:
      InputError: the log has no times, or the quantiles coincide.
    """
    if not sequences.calendar:
        raise InputError("--split time needs a time column in s, ms, us or iso; this log has only an order")
    times = sequences.timestamps
    first, second = np.quantile(times, [0.8, 0.9], method="lower")
    if not times.min() < first < second:
        raise InputError(
            "--split time: too few different times to cut at the 80% and 90% quantiles; use another --split"
        )

    def rows_before(moment: int) -> np.ndarray:
        counted = np.concatenate(([0], np.cumsum(times < moment)))
        return counted[sequences.offsets[1:]] - counted[sequences.offsets[:-1]]

    before_valid, before_test, whole = rows_before(first), rows_before(second), np.diff(sequences.offsets)
    return {
        "train": sequences.head(before_valid, before_valid, np.flatnonzero(before_valid)),
        "valid": sequences.head(
            before_test, before_valid, np.flatnonzero((before_valid > 0) & (before_test > before_valid))
        ),
        "test": sequences.head(whole, before_test, np.flatnonzero((before_test > 0) & (whole > before_test))),
    }


SPLITTERS: dict[str, Callable[[Sequences], Split]] = {
    "users": split_users,
    "leave_one_out": split_leave_one_out,
    "time": split_time,
}
