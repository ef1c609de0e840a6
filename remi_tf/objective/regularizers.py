"""Regularisers of routing (RR) and of interests, as Keras layers that add their penalty to the loss by add_loss."""

from typing import ClassVar

import tensorflow as tf

from remi_tf.encoders.likeness import decorrelation, mean_cosine, mean_squared_cosine

# REMI's released form is λ · Σ_batch Σ_k (var_k / d)², tuned at batch 128 and dim 64. The mean form below is equal at
# these two values, and keeps λ's meaning at others.
REFERENCE_BATCH_SIZE = 128
REFERENCE_DIM = 64


def routing_variance(routing: tf.Tensor) -> tf.Tensor:
    """[batch, num_interests]: var_k = Σ_l (A_kl − mean_l A_k)² over all slots, padding too (REMI, eq. 13–14).

    Args:
      routing: [batch, num_interests, max_history].

    Returns:
      [batch, num_interests]; 0 for a uniform row, 1 − 1/max_history for a row on a single item.
    """
    centred = routing - tf.reduce_mean(routing, axis=2, keepdims=True)
    return tf.reduce_sum(tf.square(centred), axis=2)


def valid_variance(routing: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """[batch, num_interests]: var_k over the items of the history only, as a share of its largest possible value.

    REMI's form includes padding: a user with n < L items then pays at least (1/n − 1/L)² per row, however even the
    routing is.

    Args:
      routing: [batch, num_interests, length], 0 on padding.
      mask: [batch, length] bool, false on padding.

    Returns:
      [batch, num_interests]; 0 for an even row, 1 for a row on one item of several.
    """
    valid = tf.cast(mask, routing.dtype)[:, tf.newaxis]  # [B, 1, L]
    length = tf.reduce_sum(valid, axis=2)  # [B, 1]
    mean = tf.math.divide_no_nan(tf.reduce_sum(routing, axis=2), length)[..., tf.newaxis]  # [B, K, 1]
    variance = tf.reduce_sum(valid * tf.square(routing - mean), axis=2)
    return tf.math.divide_no_nan(variance, 1.0 - tf.math.divide_no_nan(1.0, length))


class RoutingRegularizer(tf.keras.layers.Layer):
    """RR: a penalty on the squared variance of every routing row, so that no interest collapses onto one item.

    REMI, RecSys'23, section 4.2, eq. 13–14. A Keras layer without weights: call it on any attention matrix.

    Example:
      >>> import tensorflow as tf
      >>> from remi_tf.objective.regularizers import RoutingRegularizer
      >>> regularizer = RoutingRegularizer(rr_lambda=100.0, embedding_dim=64, reduction="mean")
      >>> routing = tf.constant([[[1.0, 0.0, 0.0, 0.0], [0.25, 0.25, 0.25, 0.25]]])  # one row on one item, one even row
      >>> round(float(regularizer(routing, tf.ones([1, 4], tf.bool))), 4)  # 100 · 128 / 64² · 0.75²
      1.7578

    Args:
      rr_lambda: weight in the units of REMI's release.
      embedding_dim: d. The released form divides each variance by it.
      reduction: "sum" is the release: Σ over the batch of (var/d)². "mean" is the paper's Σ_k var_k², as a mean over
        the batch; λ is converted so that both agree at batch 128 and dim 64. "valid" is "mean" with `valid_variance`
        for var_k.
    """

    def __init__(self, rr_lambda: float, embedding_dim: int, reduction: str):
        super().__init__(name="rr", dtype="float32")
        self.reduction = reduction
        if reduction == "sum":
            self.scale = rr_lambda / embedding_dim**2
        else:
            self.scale = rr_lambda * REFERENCE_BATCH_SIZE / REFERENCE_DIM**2

    def call(self, routing: tf.Tensor, mask: tf.Tensor, active: tf.Tensor | None = None) -> tf.Tensor:
        """Scalar penalty, also added by add_loss. Its mean over replicas is the penalty of the whole batch.

        Args:
          routing: [batch, num_interests, length].
          mask: [batch, length] bool, false on padding.
          active: [batch, num_interests] bool, the interests that count; None where all do.
        """
        variance = valid_variance(routing, mask) if self.reduction == "valid" else routing_variance(routing)
        squares = tf.square(variance)  # [B, K]
        if active is not None:
            squares = tf.where(active, squares, 0.0)
        per_user = tf.reduce_sum(squares, axis=1)  # [B]
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        if self.reduction == "sum":
            penalty = self.scale * replicas * tf.reduce_sum(per_user)
        else:
            penalty = self.scale * tf.reduce_mean(per_user)
        self.add_loss(penalty / replicas)  # gradients of replicas add up
        return penalty


class RepresentationRegularizer(tf.keras.layers.Layer):
    """A penalty on interests of a user that are alike, as a mean over the batch (REMI's table 4, "Rep. Reg.").

    REMI's release does not contain it. Two forms come from SINE: its penalty on concepts, here used on interests
    ("covariance"), and the penalty in its released code ("cosine"). The third, "squared_cosine", is ours.

    Args:
      rep_lambda: its weight.
      form: a key of `FORMS`.
    """

    FORMS: ClassVar = {
        "covariance": decorrelation,
        "cosine": mean_cosine,
        "squared_cosine": mean_squared_cosine,
    }

    def __init__(self, rep_lambda: float, form: str):
        super().__init__(name="rep", dtype="float32")
        self.rep_lambda, self.form = rep_lambda, form

    def call(self, vectors: tf.Tensor, active: tf.Tensor | None = None) -> tf.Tensor:
        """Scalar penalty, also added by add_loss.

        Args:
          vectors: [batch, num_interests, dim].
          active: [batch, num_interests] bool, the interests that count; None where all do.
        """
        if active is not None:
            vectors = tf.where(active[..., tf.newaxis], vectors, 0.0)
        penalty = self.rep_lambda * tf.reduce_mean(self.FORMS[self.form](vectors))
        self.add_loss(penalty / tf.distribute.get_strategy().num_replicas_in_sync)  # gradients of replicas add up
        return penalty
