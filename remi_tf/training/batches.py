"""Training batches: windows of the users' sequences as a tf.data pipeline, a pure function of (seed, step)."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from remi_tf.data.dataset.interactions import Interactions
from remi_tf.data.dataset.views import day_numbers
from remi_tf.errors import InputError
from remi_tf.randomness import WINDOW_TARGETS, WINDOW_USERS, stream_seed


class TrainingBatches:
    """Endless batches of training windows; batch number s does not depend on the step the pipeline starts from.

    The users of a batch are distinct and drawn uniformly. If the batch is larger than the number of users, users repeat
    as evenly as possible. For each user a target is drawn uniformly from the items at position `first_target` or
    later. The history is the items before the target (ComiRec's training stream).

    Args:
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
        drawn less often.
        """
        lengths = self._train.lengths
        choices = np.maximum(lengths - self.first_target, 0)
        position = np.arange(len(self._train.items)) - np.repeat(self._train.offsets[:-1], lengths)
        chance = np.repeat(1 / np.maximum(choices, 1), lengths) * (position >= self.first_target)
        return np.bincount(self._train.items, chance, minlength=num_items + 1) / self.num_users

    def _batch(self, step: tf.Tensor) -> dict[str, tf.Tensor]:
        user = _distinct(self.num_users, self.batch_size, self.seed, step)  # [B]
        seed = stream_seed(self.seed, step, WINDOW_TARGETS)
        uniform = tf.random.stateless_uniform([self.batch_size], seed, alg="philox")
        choices = tf.gather(self._lengths, user) - self.first_target
        target = tf.minimum(tf.cast(uniform * tf.cast(choices, tf.float32), tf.int32), choices - 1) + self.first_target
        oldest = tf.maximum(target - self.max_history, 0)  # [B] position in the user's sequence
        slot = tf.range(self.max_history)[tf.newaxis, :]  # [1, L]
        start = tf.gather(self._starts, user)  # [B]
        valid = slot < (target - oldest)[:, tf.newaxis]  # [B, L]
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


def _distinct(num_users: int, batch_size: int, seed: int, step: tf.Tensor) -> tf.Tensor:
    """[batch_size] int32 users in 0..num_users-1, uniform, without repeats in each run of num_users."""
    position = tf.range(batch_size)
    run = position // num_users  # [B], 0 unless the batch is larger than the number of users
    # Every step has a new random key: with counters as keys the op's permutations are visibly uneven. The raw op is
    # used because tf.random.experimental.index_shuffle takes no key per element.
    key = tf.random.stateless_uniform([3], stream_seed(seed, step, WINDOW_USERS), None, None, tf.int32, alg="philox")
    keys = tf.stack([tf.fill([batch_size], key[0]), tf.fill([batch_size], key[1]), key[2] + run], axis=1)  # [B, 3]
    return tf.raw_ops.RandomIndexShuffle(index=position % num_users, seed=keys, max_index=num_users - 1, rounds=16)
