"""How alike the rows of a matrix are: SINE's penalty on its concepts, and REMI's on interests (Rep. Reg.)."""

import tensorflow as tf


def decorrelation(matrix: tf.Tensor) -> tf.Tensor:
    """½ (|M|² − |diag M|²), M = C̃ C̃ᵀ / d, C̃ = each row minus its own mean (SINE's penalty on its concepts).

    Args:
      matrix: [..., rows, d].

    Returns:
      [...]; 0 if no two rows are correlated.
    """
    centred = matrix - tf.reduce_mean(matrix, axis=-1, keepdims=True)
    covariance = tf.matmul(centred, centred, transpose_b=True) / matrix.shape[-1]  # [..., rows, rows]
    own = tf.linalg.diag_part(covariance)
    return (tf.reduce_sum(tf.square(covariance), axis=[-2, -1]) - tf.reduce_sum(tf.square(own), axis=-1)) / 2


def mean_cosine(vectors: tf.Tensor) -> tf.Tensor:
    """½ + Σ_{i<j} cos(v_i, v_j) / (k (k − 1)) over k rows: (1 + the mean cosine of two rows) / 2.

    Rows shorter than 1e-6 are not counted.

    Args:
      vectors: [..., rows, d].

    Returns:
      [...]; 1 if all rows point the same way, ½ if every two are orthogonal or there is only one.
    """
    unit, count = _unit(vectors)
    both_ways = tf.reduce_sum(tf.square(tf.reduce_sum(unit, axis=-2)), axis=-1) - count  # 2 Σ_{i<j} cos
    return 0.5 + tf.math.divide_no_nan(both_ways / 2, count * (count - 1))


def mean_squared_cosine(vectors: tf.Tensor) -> tf.Tensor:
    """Σ_{i≠j} cos(v_i, v_j)² / (k (k − 1)) over k rows. Rows shorter than 1e-6 are not counted.

    Unlike `mean_cosine` it asks for rows at right angles, and stops there: it does not push them to be opposite.

    Args:
      vectors: [..., rows, d].

    Returns:
      [...]; 1 if all rows point the same way or the opposite one, 0 if every two are orthogonal or there is only one.
    """
    unit, count = _unit(vectors)
    cosines = tf.matmul(unit, unit, transpose_b=True)
    both_ways = tf.reduce_sum(tf.square(cosines), axis=[-2, -1]) - count
    return tf.math.divide_no_nan(both_ways, count * (count - 1))


def _unit(vectors: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The rows at length 1, or 0 where a row is shorter than 1e-6, and the number k of the others."""
    there = tf.reduce_sum(tf.square(vectors), axis=-1, keepdims=True) > 1e-12
    unit = tf.where(there, tf.math.l2_normalize(tf.where(there, vectors, 1.0), axis=-1), 0.0)
    return unit, tf.reduce_sum(tf.cast(there[..., 0], vectors.dtype), axis=-1)
