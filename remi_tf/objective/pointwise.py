"""The pointwise loss of SASRec: after every item, the next one against one negative."""

import tensorflow as tf

from remi_tf.objective.example import Example
from remi_tf.settings.settings import Settings


class PointwiseLoss(tf.Module):
    """Binary cross-entropy at each position of the history (SASRec, ICDM'18, section III-E).

        mean over users of the mean over positions l of  −ln σ(s_l · e_{x_{l+1}}) − ln(1 − σ(s_l · e_{n_l}))

    s_l is the state after item l. The item after the last one is the target. n_l is one of the step's shared negatives:
    the batch's positions take them in turn, over all devices. With `mask_accidental_hits`, a negative does not count if
    it is the target or in the history. Every user has the same weight, so the means of several devices add up.
    """

    by_cosine = False

    def __init__(self, settings: Settings):
        super().__init__()
        self.mask_accidental_hits = settings.objective.mask_accidental_hits
        self.parts: tuple[str, ...] = ("bce",)

    def __call__(self, example: Example) -> list[tf.Tensor]:
        valid = example.history > 0  # [B, L]
        _, following = example.following()  # [B, L, d]
        shape, number = tf.shape(example.history), tf.shape(example.negatives.ids)[0]
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        places = replica * shape[0] * shape[1] + tf.range(shape[0] * shape[1])
        drawn = tf.reshape(places % number, shape)  # [B, L], which of the negatives is n_l
        negatives = tf.gather(example.negative_rows, drawn)  # [B, L, d]

        states = tf.cast(example.interests.states, following.dtype)
        positive = tf.nn.softplus(-tf.reduce_sum(states * following, axis=-1))  # [B, L]
        negative = tf.nn.softplus(tf.reduce_sum(states * negatives, axis=-1))
        if self.mask_accidental_hits:
            known = tf.concat([tf.where(valid, example.history, -1), example.target[:, tf.newaxis]], axis=1)
            ids = tf.gather(example.negatives.ids, drawn)
            hit = tf.reduce_any(ids[..., tf.newaxis] == known[:, tf.newaxis], axis=-1)  # [B, L]
            negative = tf.where(hit, 0.0, negative)
        weights = tf.cast(valid, positive.dtype)
        per_user = tf.reduce_sum(weights * (positive + negative), axis=1)  # [B]
        return [tf.reduce_mean(per_user / tf.maximum(tf.reduce_sum(weights, axis=1), 1))]
