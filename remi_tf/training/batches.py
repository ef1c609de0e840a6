"""Training batches: windows of the users' sequences as a tf.data pipeline, a pure function of (seed, step)."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from remi_tf.counted.co_visits import blocks
from remi_tf.data.dataset.interactions import Interactions
from remi_tf.data.dataset.views import day_numbers
from remi_tf.errors import InputError
from remi_tf.randomness import WINDOW_AHEAD, WINDOW_TARGETS, WINDOW_USERS, stream_seed

PIECE = 1 << 20
"""Interactions whose chances to be targets are computed together."""


class TrainingBatches:
    """Endless batches of training windows; batch number s does not depend on the step the pipeline starts from.

    The users of a batch are distinct and drawn uniformly. If the batch is larger than the number of users, users repeat
    as evenly as possible. For each user a target is drawn uniformly from the items at position `first_target` or
    later. The history is the items before the target (ComiRec's training stream). With `ahead`, the target is then
    drawn uniformly from that item and those after it, `ahead[user]` in all where there are so many.

    Args:
      ahead: [users] int64, 1 or more, as `targets_ahead` gives it. None: 1 for all.
      needs: features besides history and target: "days" and "profile" (if the log has profiles).

    Raises:
      InputError: no user has an item that may be a target.
    """

    def __init__(
        self,
        train: Interactions,
        *,
        batch_size: int,
        max_history: int,
        first_target: int,
        seed: int,
        needs: Sequence[str] = (),
        ahead: np.ndarray | None = None,
    ):
        eligible = np.flatnonzero(train.lengths > first_target)
        if not len(eligible):
            lower = " or lower --first_target" if first_target > 1 else ""
            raise InputError(
                f"no training user has more than {first_target} item{'s' * (first_target > 1)}, so none has a target; "
                f"prepare a log with longer sequences{lower}"
            )
        self.batch_size, self.max_history, self.first_target, self.seed = batch_size, max_history, first_target, seed
        self._train = train
        self.num_users = len(eligible)
        self._ahead = np.ones(train.num_users, np.int64) if ahead is None else ahead
        self._user_ahead = None if ahead is None else tf.constant(ahead[eligible], tf.int32)
        self._starts = tf.constant(train.offsets[eligible], tf.int64)
        self._lengths = tf.constant(train.lengths[eligible], tf.int32)
        self._items = tf.constant(train.items, tf.int32)
        self._days = tf.constant(day_numbers(train.timestamps), tf.int32) if "days" in needs else None
        profiles = train.profiles if "profile" in needs else None
        self._profiles = None if profiles is None else tf.constant(profiles[eligible], tf.int32)

    def from_step(self, step: int) -> tf.data.Dataset:
        """Batches number `step`, `step` + 1, … as dicts.

        Returns:
          history [batch_size, max_history] int32 oldest first, right-padded with 0; target [batch_size] int32. If
          needed, days [batch_size, max_history] int32, day numbers of the history (`day_numbers`), 0 on padding; and
          profile [batch_size, columns] int32, codes of the user's profile.
        """
        steps = tf.data.Dataset.range(step, np.iinfo(np.int64).max)
        return steps.map(self._batch, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True).prefetch(
            tf.data.AUTOTUNE
        )

    def target_shares(self, num_items: int) -> np.ndarray:
        """[num_items + 1] float64: the chance of each item to be a window's target, 0 for items that never are one.

        This is not the item's share of the log: all users are drawn equally often, so an item of a long sequence is
        drawn less often. Memory is about 16 bytes an interaction and 16 an item.
        """
        lengths, offsets = self._train.lengths, self._train.offsets
        chance = np.empty(len(self._train.items))
        for first, last in blocks(lengths, PIECE):
            users = slice(first, last)
            chance[offsets[first] : offsets[last]] = _chances(lengths[users], self._ahead[users], self.first_target)
        return np.bincount(self._train.items, chance, minlength=num_items + 1) / self.num_users

    def _batch(self, step: tf.Tensor) -> dict[str, tf.Tensor]:
        user = _distinct(self.num_users, self.batch_size, self.seed, step)  # [B]
        seed = stream_seed(self.seed, step, WINDOW_TARGETS)
        uniform = tf.random.stateless_uniform([self.batch_size], seed, alg="philox")
        length = tf.gather(self._lengths, user)
        end = self.first_target + _pick(uniform, length - self.first_target)  # [B] items before the window's end
        target = end
        if self._user_ahead is not None:
            seed = stream_seed(self.seed, step, WINDOW_AHEAD)
            uniform = tf.random.stateless_uniform([self.batch_size], seed, alg="philox")
            target += _pick(uniform, tf.minimum(tf.gather(self._user_ahead, user), length - end))
        oldest = tf.maximum(end - self.max_history, 0)  # [B] position in the user's sequence
        slot = tf.range(self.max_history)[tf.newaxis, :]  # [1, L]
        start = tf.gather(self._starts, user)  # [B]
        valid = slot < (end - oldest)[:, tf.newaxis]  # [B, L]
        row = tf.where(valid, (start + tf.cast(oldest, tf.int64))[:, tf.newaxis] + tf.cast(slot, tf.int64), 0)
        batch = {
            "history": tf.where(valid, tf.gather(self._items, row), 0),
            "target": tf.gather(self._items, start + tf.cast(target, tf.int64)),
        }
        if self._days is not None:
            batch["days"] = tf.where(valid, tf.gather(self._days, row), 0)
        if self._profiles is not None:
            batch["profile"] = tf.gather(self._profiles, user)
        return batch


def targets_ahead(lengths: np.ndarray, validation: Interactions) -> np.ndarray:
    """[users] int64: as many targets as training users with so many items would have, if they were to validate.

    It is the share of the validation users' items that are targets, at most as many as one of them has: about a fifth
    of the sequence where users are split as in the papers, 1 where one item is left out.
    """
    targets = validation.lengths - validation.cuts
    asked, items = int(targets.sum()), max(int(validation.lengths.sum()), 1)
    reach = -(-asked * lengths.astype(np.int64) // items)  # rounded up, in whole numbers
    return np.clip(reach, 1, max(int(targets.max(initial=1)), 1))


def _chances(lengths: np.ndarray, ahead: np.ndarray, first_target: int) -> np.ndarray:
    """[interactions] float64: of each item of users with `lengths` items, the chance to be its user's target."""
    before_user = np.repeat(np.cumsum(lengths) - lengths, lengths)  # items of the users before
    choices, length, ahead = (np.repeat(each, lengths) for each in (lengths - first_target, lengths, ahead))
    position = np.arange(len(length)) - before_user
    reach = np.minimum(ahead, length - position)  # how many items may be the target of the history before this one
    may_end = position >= first_target
    sums = np.concatenate([[0], np.cumsum(may_end / np.where(may_end, choices * reach, 1))])
    earliest = before_user + np.clip(position - ahead + 1, first_target, position + 1)
    return np.maximum(sums[1:] - sums[earliest], 0)


def _pick(uniform: tf.Tensor, choices: tf.Tensor) -> tf.Tensor:
    """[B] float32 in [0, 1), [B] int32 → [B] int32 in 0..choices-1."""
    return tf.minimum(tf.cast(uniform * tf.cast(choices, tf.float32), tf.int32), choices - 1)


def _distinct(num_users: int, batch_size: int, seed: int, step: tf.Tensor) -> tf.Tensor:
    """[batch_size] int32 users in 0..num_users-1, uniform, without repeats in each run of num_users."""
    position = tf.range(batch_size)
    run = position // num_users  # [B], 0 unless the batch is larger than the number of users
    # Every step has a new random key: with counters as keys the op's permutations are visibly uneven. The raw op is
    # used because tf.random.experimental.index_shuffle takes no key per element.
    key = tf.random.stateless_uniform([3], stream_seed(seed, step, WINDOW_USERS), None, None, tf.int32, alg="philox")
    keys = tf.stack([tf.fill([batch_size], key[0]), tf.fill([batch_size], key[1]), key[2] + run], axis=1)  # [B, 3]
    return tf.raw_ops.RandomIndexShuffle(index=position % num_users, seed=keys, max_index=num_users - 1, rounds=16)
