"""The sampled softmax, plain and with REMI's interest-aware hard negatives (IHN). The REMI loss is here."""

import tensorflow as tf


def sampled_softmax(
    positive: tf.Tensor,
    negative: tf.Tensor,
    excluded: tf.Tensor | None = None,
    beta: float = 0.0,
    stop_gradient_weights: bool = True,
) -> tf.Tensor:
    """[batch] cross-entropy of the target against weighted negatives (REMI, RecSys'23, section 4.1, eq. 9–12).

        L = −ln[ e^{s_y} / (e^{s_y} + Σ_j ω_j e^{s_j}) ],   ω_j = e^{β s_j} / mean_i e^{β s_i}

    It is computed as softplus(ln N + LSE_j((β+1) s_j) − LSE_j(β s_j) − s_y), which cannot overflow. β = 0 is the plain
    sampled softmax; β → ∞ counts the hardest negative N times.

    Args:
      positive: [batch] score of the target.
      negative: [batch, num_negatives] scores of the negatives.
      excluded: [batch, num_negatives] bool, true where a negative does not count for that row (an accidental hit).
      beta: concentration of the weights on hard negatives, 0 or more.
      stop_gradient_weights: hold ω constant in the gradient, so that every negative is pushed away. With False the
        gradient also flows through ω, as in REMI's release, and easy negatives are pulled closer.

    Returns:
      [batch] loss. A row whose negatives are all excluded has loss 0.
    """
    if beta == 0:
        return tf.nn.softplus(tf.reduce_logsumexp(_lowest(negative, excluded), axis=1) - positive)
    log_weight_sum = tf.reduce_logsumexp(_lowest(beta * negative, excluded), axis=1, keepdims=True)
    log_weights = beta * negative - log_weight_sum + _log_count(negative, excluded)[:, tf.newaxis]
    if stop_gradient_weights:
        log_weights = tf.stop_gradient(log_weights)
    weighted = _lowest(negative + log_weights, excluded)
    return tf.nn.softplus(tf.reduce_logsumexp(weighted, axis=1) - positive)


class IHNSoftmax(tf.keras.layers.Layer):
    """`sampled_softmax` as a Keras layer, for the scores of any model. It has no weights.

    Example:
      >>> import tensorflow as tf
      >>> from remi_tf.objective.remi_loss import IHNSoftmax
      >>> loss = IHNSoftmax(beta=1.0)
      >>> loss(tf.constant([1.0]), tf.constant([[0.5, -1.0, 2.0, 0.0]])).numpy().round(4).tolist()
      [2.2263...]

    Args:
      beta, stop_gradient_weights: as in `sampled_softmax`.
    """

    def __init__(self, beta: float = 1.0, stop_gradient_weights: bool = True):
        super().__init__(name="ihn", dtype="float32", autocast=False)
        self.beta, self.stop_gradient_weights = beta, stop_gradient_weights

    def call(self, positive: tf.Tensor, negative: tf.Tensor, excluded: tf.Tensor | None = None) -> tf.Tensor:
        """[batch], [batch, num_negatives], [batch, num_negatives] bool → [batch] loss, as `sampled_softmax`."""
        return sampled_softmax(positive, negative, excluded, self.beta, self.stop_gradient_weights)

    def get_config(self) -> dict[str, float | bool]:
        """The arguments, so that a Keras model that holds this layer can be saved."""
        return {"beta": self.beta, "stop_gradient_weights": self.stop_gradient_weights}


def _lowest(scores: tf.Tensor, excluded: tf.Tensor | None) -> tf.Tensor:
    """[B, N] → [B, N]: the scores, with the lowest float for negatives that do not count."""
    return scores if excluded is None else tf.where(excluded, scores.dtype.min, scores)


def _log_count(scores: tf.Tensor, excluded: tf.Tensor | None) -> tf.Tensor:
    """[B, N] → [B], or [1] if all rows have N: ln of the number of negatives that count."""
    if excluded is None:
        return tf.math.log(tf.cast(tf.shape(scores)[1:], scores.dtype))
    return tf.math.log(tf.reduce_sum(tf.cast(~excluded, scores.dtype), axis=1))
