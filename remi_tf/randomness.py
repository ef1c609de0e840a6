"""Every stream of random numbers of a training step, named once. A stream is a function of (seed, step) alone.

That makes batch number s the same from whichever step training starts, and so a resumed run equal to one never stopped.
Initial weights are seeded too: each part of the model counts its seeds from an offset of its own.
"""

import tensorflow as tf

# Streams of tf.data's windows and of the samplers, folded into (seed, step).
WINDOW_TARGETS, WINDOW_USERS = 0, 1
NEGATIVES = 2  # the first of as many blocks as the draw of distinct ids takes
CHOICE_OF_NEGATIVES = 1 << 16
ENCODER, OBJECTIVE = -1, -2  # dropout and random routing; draws of the readout

# Offsets of the seeds of initial weights from the run's seed, which is the item table's; each part has a thousand.
ENCODER_WEIGHTS, LOSS_WEIGHTS, REGULARIZER_WEIGHTS = 1, 1001, 2001


def step_seed(seed: int | tf.Tensor, step: tf.Tensor) -> tf.Tensor:
    """[2] int32, the seed of a step's numbers before any stream is folded in (what the uniform samplers draw from)."""
    return tf.stack([tf.cast(seed, tf.int32), tf.cast(step, tf.int32)])


def stream_seed(seed: int | tf.Tensor, step: tf.Tensor, stream: int | tf.Tensor) -> tf.Tensor:
    """[2] int32, the seed of one of a step's streams."""
    return tf.random.experimental.stateless_fold_in(step_seed(seed, step), stream)


def replica_seed(seed: int | tf.Tensor, step: tf.Tensor, stream: int) -> tf.Tensor:
    """[2] int32, the seed of one of a step's streams, another one on each replica."""
    replica = tf.distribute.get_replica_context().replica_id_in_sync_group
    return tf.random.experimental.stateless_fold_in(stream_seed(seed, step, stream), tf.cast(replica, tf.int32))


def place_seed(seed: tf.Tensor, place: int) -> tf.Tensor:
    """[2] int32, the seed of one place (a dropout, a draw of logits) inside an encoder, from its stream's seed."""
    return tf.random.experimental.stateless_fold_in(seed, place)
