"""Names every stream of random numbers of a training step. A stream depends only on (seed, step).

So batch number s is the same wherever training starts, and a resumed run equals one that never stopped.
Initial weights are seeded too: each part of the model has its own offset.
"""

import tensorflow as tf

# Streams of tf.data's windows and of the samplers, folded into (seed, step).
WINDOW_TARGETS, WINDOW_USERS = 0, 1
NEGATIVES = 2  # the first block; drawing distinct ids may take several (3, 4, …)
CHOICE_OF_NEGATIVES = 1 << 16
ENCODER, OBJECTIVE = -1, -2  # dropout and random routing; draws of the readout
WINDOW_AHEAD = -3
ITEMS = -4  # which items are read without their row

# Seed of initial weights = the run's seed + an offset. The item table has offset 0; each part has room for 1000 seeds.
ENCODER_WEIGHTS, LOSS_WEIGHTS, REGULARIZER_WEIGHTS, TOWER_WEIGHTS = 1, 1001, 2001, 3001
PROFILE_WEIGHTS = 500  # within the encoder's room: what joins the user's profile to it


def step_seed(seed: int | tf.Tensor, step: tf.Tensor) -> tf.Tensor:
    """[2] int32 seed of a step, before a stream is folded in. The uniform samplers draw from it."""
    return tf.stack([tf.cast(seed, tf.int32), tf.cast(step, tf.int32)])


def stream_seed(seed: int | tf.Tensor, step: tf.Tensor, stream: int | tf.Tensor) -> tf.Tensor:
    """[2] int32 seed of one stream of a step."""
    return tf.random.experimental.stateless_fold_in(step_seed(seed, step), stream)


def replica_seed(seed: int | tf.Tensor, step: tf.Tensor, stream: int) -> tf.Tensor:
    """[2] int32 seed of one stream of a step, different on each replica."""
    replica = tf.distribute.get_replica_context().replica_id_in_sync_group
    return tf.random.experimental.stateless_fold_in(stream_seed(seed, step, stream), tf.cast(replica, tf.int32))


def place_seed(seed: tf.Tensor, place: int) -> tf.Tensor:
    """[2] int32 seed of one place inside an encoder (a dropout, a draw of logits). `seed` is the stream's."""
    return tf.random.experimental.stateless_fold_in(seed, place)
