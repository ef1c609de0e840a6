"""The sequences of one split's users, as flat arrays."""

from dataclasses import dataclass

import numpy as np

SPLITS = ("train", "valid", "test")


@dataclass(frozen=True)
class Interactions:
    """The users' sequences end to end, oldest first.

    items: [n] int32 rows 1..I; timestamps: [n] int64 seconds (positions 0, 1, … where the log has no times).
    offsets: [users + 1] int64, user u owns offsets[u]:offsets[u + 1].
    cuts: [users] int64, how many of the user's items are history; the rest are targets.
    profiles: [users, columns] int32 codes of the users' profiles, 0 = unknown; None where the log has none.
    """

    items: np.ndarray
    timestamps: np.ndarray
    offsets: np.ndarray
    cuts: np.ndarray
    profiles: np.ndarray | None = None

    @property
    def num_users(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> np.ndarray:
        """[users] int64 items per user."""
        return np.diff(self.offsets)

    def first(self, users: int) -> "Interactions":
        """The first `users` users only; 0 keeps all."""
        if not 0 < users < self.num_users:
            return self
        end = self.offsets[users]
        profiles = None if self.profiles is None else self.profiles[:users]
        items, times = self.items[:end], self.timestamps[:end]
        return Interactions(items, times, self.offsets[: users + 1], self.cuts[:users], profiles)

    def newest(self, items: int) -> "Interactions":
        """The newest `items` items of each user only; `cuts` counts what is left of the history."""
        lengths = self.lengths
        dropped = np.maximum(lengths - items, 0)
        if not dropped.any():
            return self
        from_end = np.repeat(self.offsets[1:], lengths) - np.arange(len(self.items))  # [n] 1 = the newest
        kept = from_end <= items
        offsets = np.concatenate([[0], np.cumsum(lengths - dropped)])
        cuts = np.maximum(self.cuts - dropped, 0)
        return Interactions(self.items[kept], self.timestamps[kept], offsets, cuts, self.profiles)
