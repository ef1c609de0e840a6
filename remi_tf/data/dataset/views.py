"""Views of interactions: what a model reads of users (histories, features) and what follows (targets)."""

from collections.abc import Sequence

import numpy as np

from remi_tf.data.dataset.interactions import Interactions
from remi_tf.errors import InputError


def history_cuts(lengths: np.ndarray) -> np.ndarray:
    """[users] int64: of a user's n rows the first int(0.8 n) are history, the rest targets (papers' protocol)."""
    return (lengths * 0.8).astype(np.int64)  # float product and truncation: the same number as int(n * 0.8)


def histories(interactions: Interactions, users: np.ndarray, max_history: int) -> np.ndarray:
    """The last `max_history` items of the users' histories, right-padded: `[U]` → `[U, max_history]` int32."""
    return _ends(interactions, interactions.items, users, max_history).astype(np.int32)


def features(
    interactions: Interactions, users: np.ndarray, max_history: int, needs: Sequence[str]
) -> dict[str, np.ndarray]:
    """What a model `needs` besides `histories`: days `[U, max_history]` and profile `[U, columns]`, both int32.

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
    return _flat(interactions, starts, offsets[users + 1] - starts)


def whole_histories(interactions: Interactions, users: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The users' histories at their full length: flat `[T]` int32 and its offsets `[U + 1]` int64."""
    return _flat(interactions, np.asarray(interactions.offsets)[users], np.asarray(interactions.cuts)[users])


def _flat(interactions: Interactions, starts: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`counts` `[U]` items from each of `starts` `[U]` on, end to end, and their offsets."""
    offsets = np.concatenate([[0], np.cumsum(counts)])
    positions = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], counts)
    return np.asarray(interactions.items[positions], np.int32), offsets


def day_numbers(timestamps: np.ndarray) -> np.ndarray:
    """[...] int64 seconds since 1970 → [...] int32 days since 1970, rounded. A day depends only on its timestamp."""
    return np.round(timestamps / 86_400).astype(np.int32)
