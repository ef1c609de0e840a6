"""What a recommender answers, in arrays: a batch of users' items with their scores."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Answer:
    """users: [B] positions; items [B, n] raw ids, best first, "" = none; scores [B, n]; interest [B, n]."""

    users: np.ndarray
    items: np.ndarray
    scores: np.ndarray
    interest: np.ndarray

    def columns(self) -> dict[str, np.ndarray]:
        """One row for each item, as the columns of `Recommender.recommend`; user is the position."""
        user, place = np.nonzero(self.items != "")
        return {
            "user": self.users[user],
            "rank": place.astype(np.int32) + 1,
            "item": self.items[user, place],
            "score": self.scores[user, place],
            "interest": self.interest[user, place],
        }


def no_columns() -> dict[str, np.ndarray]:
    nobody = np.zeros([0, 1], np.int32)
    return Answer(nobody[:, 0], nobody.astype(object), nobody.astype(np.float32), nobody).columns()
