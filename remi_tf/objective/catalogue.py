"""The full softmax: every item competes, in pieces of the catalogue so that memory stays bounded."""

from collections.abc import Callable

import tensorflow as tf

SCORE_BYTES = 64 * 2**20  # bound on one piece's scores [batch, piece]

Scores = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]


def log_sum_exp(
    scores: Scores,
    vectors: tf.Tensor,
    target_rows: tf.Tensor,
    table: tf.Tensor,
    target: tf.Tensor,
    score_bytes: int = SCORE_BYTES,
) -> tf.Tensor:
    """ln Σ_j e^{s_j} over all items but each row's target, differentiable in the three float inputs.

    Neither the scores nor their gradient are kept: the way back computes them again, piece by piece.

    Args:
      scores: (vectors, target_rows, item rows [n, dim]) → [batch, n], the readout.
      vectors: [batch, num_interests, dim]. target_rows: [batch, dim].
      table: [num_items + 1, dim]; row 0 is padding and does not compete.
      target: [batch] int32 ids.
      score_bytes: bound on one piece's scores times num_interests.

    Returns:
      [batch].
    """
    rows = tf.shape(table)[0]
    row_bytes = 4 * tf.shape(vectors)[0] * tf.shape(vectors)[1]
    piece = tf.clip_by_value(score_bytes // tf.maximum(row_bytes, 1), 1, rows)

    def piece_scores(start: tf.Tensor, *values: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        end = tf.minimum(start + piece, rows)
        ids = tf.range(start, end)
        return scores(*values), target[:, tf.newaxis] == ids, end

    @tf.custom_gradient
    def total(vectors: tf.Tensor, target_rows: tf.Tensor, table: tf.Tensor) -> tuple[tf.Tensor, Callable]:
        def add(start: tf.Tensor, largest: tf.Tensor, summed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            found, excluded, end = piece_scores(start, vectors, target_rows, table[start : start + piece])
            found = tf.where(excluded, found.dtype.min, found)
            larger = tf.maximum(largest, tf.reduce_max(found, axis=1))
            summed *= tf.exp(largest - larger)
            return end, larger, summed + tf.reduce_sum(tf.exp(found - larger[:, tf.newaxis]), axis=1)

        batch = tf.shape(vectors)[:1]
        nothing = (tf.constant(1), tf.fill(batch, vectors.dtype.min), tf.zeros(batch))
        _, largest, summed = tf.while_loop(lambda start, *_: start < rows, add, nothing, parallel_iterations=1)
        result = largest + tf.math.log(summed)

        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            def back(
                start: tf.Tensor, to_vectors: tf.Tensor, to_targets: tf.Tensor, pieces: tf.TensorArray
            ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.TensorArray]:
                part = table[start : start + piece]
                with tf.GradientTape() as tape:
                    tape.watch((vectors, target_rows, part))
                    found, excluded, end = piece_scores(start, vectors, target_rows, part)
                share = tf.where(excluded, 0.0, tf.exp(found - result[:, tf.newaxis])) * upstream[:, tf.newaxis]
                gradients = tape.gradient(
                    found, (vectors, target_rows, part), share, unconnected_gradients=tf.UnconnectedGradients.ZERO
                )
                pieces = pieces.write(pieces.size(), gradients[2])
                return end, to_vectors + gradients[0], to_targets + gradients[1], pieces

            pieces = tf.TensorArray(
                tf.float32, size=0, dynamic_size=True, infer_shape=False, element_shape=[None, table.shape[1]]
            )
            start = (tf.constant(1), tf.zeros_like(vectors), tf.zeros_like(target_rows), pieces)
            _, to_vectors, to_targets, pieces = tf.while_loop(
                lambda start, *_: start < rows, back, start, parallel_iterations=1
            )
            to_table = tf.concat([tf.zeros([1, table.shape[1]]), pieces.concat()], axis=0)
            return to_vectors, to_targets, to_table

        return result, gradient

    return total(vectors, target_rows, table)
