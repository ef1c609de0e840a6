"""Training batches: windows of the users' sequences as a tf.data pipeline, a pure function of (seed, step)."""

import numpy as np
import tensorflow as tf

from remi_tf.data.interactions import Interactions
from remi_tf.errors import InputError


def training_batches(
    train: Interactions,
    *,
    batch_size: int,
    max_history: int,
    first_target: int,
    seed: int,
    start_step: int = 0,
    with_days: bool = False,
) -> tf.data.Dataset:
    """Endless batches from `start_step` on; batch number s is the same whichever step the pipeline started from.

    Each step draws distinct users uniformly (where there are fewer users than the batch holds, each as often as it
    fits), and for each a target uniform among the items from position `first_target` on; the history is what precedes
    it (ComiRec's training stream).

    Returns:
      Dataset of dicts: history [batch_size, max_history] int32 oldest first, right-padded with 0; target [batch_size]
      int32; with `with_days` also days [batch_size, max_history] int32, day numbers of the history since the log's
      first, from 1.

    Raises:
      InputError: no user has an item that may be a target.
    """
    eligible = np.flatnonzero(train.lengths > first_target)
    if not len(eligible):
        raise InputError(
            f"no training user has more than {first_target} items, so none has a target; "
            "prepare a log with longer sequences or lower --first_target"
        )
    starts = tf.constant(train.offsets[eligible], tf.int64)
    lengths = tf.constant(train.lengths[eligible], tf.int32)
    items = tf.constant(train.items, tf.int32)
    days = tf.constant(_day_numbers(train.timestamps), tf.int32) if with_days else None

    def window(step: tf.Tensor) -> dict[str, tf.Tensor]:
        user = _distinct(len(eligible), batch_size, seed, step)  # [B]
        length = tf.gather(lengths, user)
        uniform = tf.random.stateless_uniform([batch_size], _seed(seed, step, 0), alg="philox")
        choices = length - first_target
        target = first_target + tf.minimum(tf.cast(uniform * tf.cast(choices, tf.float32), tf.int32), choices - 1)
        oldest = tf.maximum(target - max_history, 0)  # [B] position in the user's sequence
        slot = tf.range(max_history)[tf.newaxis, :]  # [1, L]
        start = tf.gather(starts, user)  # [B]
        valid = slot < (target - oldest)[:, tf.newaxis]  # [B, L]
        row = tf.where(valid, (start + tf.cast(oldest, tf.int64))[:, tf.newaxis] + tf.cast(slot, tf.int64), 0)
        batch = {
            "history": tf.where(valid, tf.gather(items, row), 0),
            "target": tf.gather(items, start + tf.cast(target, tf.int64)),
        }
        if days is not None:
            batch["days"] = tf.where(valid, tf.gather(days, row), 0)
        return batch

    steps = tf.data.Dataset.range(start_step, np.iinfo(np.int64).max)
    return steps.map(window, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True).prefetch(tf.data.AUTOTUNE)


def _distinct(num_users: int, batch_size: int, seed: int, step: tf.Tensor) -> tf.Tensor:
    """[batch_size] int32 users in 0..num_users-1, without repeats within each run of num_users, uniformly."""
    position = tf.range(batch_size)
    run = position // num_users  # [B], 0 unless the batch is larger than the number of users
    # A fresh random key a step: with counters as keys the op's permutations are visibly uneven. The raw op, since
    # tf.random.experimental.index_shuffle takes no key per element.
    key = tf.random.stateless_uniform([3], _seed(seed, step, 1), None, None, tf.int32, alg="philox")
    keys = tf.stack([tf.fill([batch_size], key[0]), tf.fill([batch_size], key[1]), key[2] + run], axis=1)  # [B, 3]
    return tf.raw_ops.RandomIndexShuffle(index=position % num_users, seed=keys, max_index=num_users - 1, rounds=16)


def _seed(seed: int, step: tf.Tensor, stream: int) -> tf.Tensor:
    """[2] int32 seed of one of a step's streams of random numbers."""
    return tf.random.experimental.stateless_fold_in(tf.stack([seed, tf.cast(step, tf.int32)]), stream)


def _day_numbers(timestamps: np.ndarray) -> np.ndarray:
    """[n] int64 seconds → [n] int32 days since the log's first, from 1."""
    return np.round((timestamps - timestamps.min()) / 86_400).astype(np.int32) + 1
