"""The sampled softmax, plain and with REMI's interest-aware hard-negative weighting (IHN). The REMI loss is here."""

import tensorflow as tf


def sampled_softmax(
    positive: tf.Tensor,
    negative: tf.Tensor,
    excluded: tf.Tensor | None = None,
    beta: float = 0.0,
    stop_gradient_weights: bool = True,
) -> tf.Tensor:
    """Cross-entropy of the target against weighted negatives (REMI, RecSys'23, eq. 7–9).

        L = −ln[ e^{s_y} / (e^{s_y} + Σ_j ω_j e^{s_j}) ],   ω_j = e^{β s_j} / mean_i e^{β s_i}

    in the closed form softplus(ln N + LSE_j((β+1) s_j) − LSE_j(β s_j) − s_y), which cannot overflow. β = 0 is the
    plain sampled softmax; β → ∞ counts the hardest negative N times.

    Args:
      positive: [batch] score of the target.
      negative: [batch, num_negatives] scores of the negatives.
      excluded: [batch, num_negatives] bool, true where a negative does not count for that row (an accidental hit).
      beta: concentration of the weights on hard negatives, ≥ 0.
      stop_gradient_weights: hold ω constant in the gradient, so that every negative is pushed away. With false the
        gradient also flows through ω, as in REMI's release, and easy negatives are pulled closer.

    Returns:
      [batch] loss. A row whose negatives are all excluded has loss 0.
    """
    if beta == 0:
        return tf.nn.softplus(_log_sum_exp(negative, excluded) - positive)
    log_weight_sum = _log_sum_exp(beta * negative, excluded)
    log_weights = beta * negative - log_weight_sum[:, tf.newaxis] + _log_count(negative, excluded)[:, tf.newaxis]
    if stop_gradient_weights:
        log_weights = tf.stop_gradient(log_weights)
    return tf.nn.softplus(_log_sum_exp(negative + log_weights, excluded) - positive)


def _log_sum_exp(scores: tf.Tensor, excluded: tf.Tensor | None) -> tf.Tensor:
    """ln Σ_j e^{s_j} over the negatives that count: [B, N] → [B]."""
    if excluded is not None:
        scores = tf.where(excluded, scores.dtype.min, scores)
    maximum = tf.stop_gradient(tf.reduce_max(scores, axis=1, keepdims=True))
    return tf.math.log(tf.reduce_sum(tf.exp(scores - maximum), axis=1)) + maximum[:, 0]


def _log_count(scores: tf.Tensor, excluded: tf.Tensor | None) -> tf.Tensor:
    """ln of the number of negatives that count: [B, N] → [B] (or [1] where all rows have N)."""
    if excluded is None:
        return tf.math.log(tf.cast(tf.shape(scores)[1:], scores.dtype))
    return tf.math.log(tf.reduce_sum(tf.cast(~excluded, scores.dtype), axis=1))
