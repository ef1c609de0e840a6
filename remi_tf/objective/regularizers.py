"""Regularisers of the routing and of concept tables, added to the loss by add_loss or as weight regularisers."""

import tensorflow as tf

# REMI's released form is λ · Σ_batch Σ_k (var_k / d)², tuned at batch 128 and dim 64. The mean form below keeps λ's
# meaning when either changes: at these two values the forms are equal.
REFERENCE_BATCH_SIZE = 128
REFERENCE_DIM = 64


def routing_variance(routing: tf.Tensor) -> tf.Tensor:
    """var_k = Σ_l (A_kl − mean_l A_k)² of each routing row, over all slots, padding included (REMI, eq. 10–11).

    Args:
      routing: [batch, num_interests, max_history].

    Returns:
      [batch, num_interests]; 0 for a uniform row, 1 − 1/max_history for a row on a single item.
    """
    centred = routing - tf.reduce_mean(routing, axis=2, keepdims=True)
    return tf.reduce_sum(tf.square(centred), axis=2)


class RoutingRegularizer(tf.keras.layers.Layer):
    """RR: the squared variance of every routing row, so that no interest collapses onto one item (REMI, eq. 11).

    Args:
      rr_lambda: weight in the units of REMI's release.
      embedding_dim: d, which the released form divides by inside the square.
      reduction: "sum" is the release (Σ over the batch of (var/d)²); "mean" is the paper's Σ_k var_k² as a mean over
        the batch, with λ converted so that both agree at batch 128 and dim 64.
    """

    def __init__(self, rr_lambda: float, embedding_dim: int, reduction: str):
        super().__init__(name="rr", dtype="float32")
        self.reduction = reduction
        if reduction == "sum":
            self.scale = rr_lambda / embedding_dim**2
        else:
            self.scale = rr_lambda * REFERENCE_BATCH_SIZE / REFERENCE_DIM**2

    def call(self, routing: tf.Tensor, active: tf.Tensor | None = None) -> tf.Tensor:
        """Adds the penalty to the losses and returns it (scalar).

        Args:
          routing: [batch, num_interests, length].
          active: [batch, num_interests] bool, the interests that count; None where all do.
        """
        squares = tf.square(routing_variance(routing))  # [B, K]
        if active is not None:
            squares = tf.where(active, squares, 0.0)
        per_user = tf.reduce_sum(squares, axis=1)  # [B]
        if self.reduction == "sum":
            penalty = self.scale * tf.reduce_sum(per_user)
            self.add_loss(penalty)
        else:
            penalty = self.scale * tf.reduce_mean(per_user)
            self.add_loss(penalty / tf.distribute.get_strategy().num_replicas_in_sync)  # gradients of replicas add up
        return penalty


def decorrelation(matrix: tf.Tensor) -> tf.Tensor:
    """½ (|M|² − |diag M|²) with M = C̃ C̃ᵀ / d, C̃ the rows less their own mean (SINE's penalty on its concepts).

    Args:
      matrix: [rows, d].

    Returns:
      Scalar; 0 where every two rows are uncorrelated.
    """
    centred = matrix - tf.reduce_mean(matrix, axis=1, keepdims=True)
    covariance = tf.matmul(centred, centred, transpose_b=True) / matrix.shape[1]  # [rows, rows]
    return (tf.reduce_sum(tf.square(covariance)) - tf.reduce_sum(tf.square(tf.linalg.diag_part(covariance)))) / 2
