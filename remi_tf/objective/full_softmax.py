"""The full softmax: every item competes. The catalogue is read in pieces, so that memory stays bounded."""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

PIECE_BYTES = 64 * 2**20  # bound on one piece's scores [batch, num_interests, piece]

Scores = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]
Gradients = tuple[tf.Tensor, tf.Tensor, tf.Tensor]


def log_sum_exp(
    scores: Scores,
    vectors: tf.Tensor,
    target_rows: tf.Tensor,
    table: tf.Tensor,
    target: tf.Tensor,
    piece_bytes: int = PIECE_BYTES,
) -> tf.Tensor:
    """[batch]: ln Σ_j e^{s_j} over all items except each row's target. Differentiable in the three float inputs.

    Scores and their gradients are not kept: the backward pass computes them again, piece by piece.

    Args:
      scores: the readout, (vectors, target_rows, item rows [n, dim]) → [batch, n].
      vectors: [batch, num_interests, dim].
      target_rows: [batch, dim].
      table: [num_items + 1, dim]; row 0 is padding and does not compete.
      target: [batch] int32 ids.
      piece_bytes: bound on one piece's scores [batch, num_interests, piece].

    Returns:
      [batch].
    """

    @tf.custom_gradient
    def total(
        vectors: tf.Tensor, target_rows: tf.Tensor, table: tf.Tensor
    ) -> tuple[tf.Tensor, Callable[[tf.Tensor], Gradients]]:
        walk = _Walk(scores, vectors, target_rows, table, target, piece_bytes)
        result = _forward(walk)
        return result, lambda upstream: _backward(walk, result, upstream)

    return total(vectors, target_rows, table)


class _Walk(NamedTuple):
    """What a walk over the catalogue needs: the arguments of `log_sum_exp`."""

    scores: Scores
    vectors: tf.Tensor
    target_rows: tf.Tensor
    table: tf.Tensor
    target: tf.Tensor
    piece_bytes: int

    @property
    def rows(self) -> tf.Tensor:
        return tf.shape(self.table)[0]

    @property
    def piece(self) -> tf.Tensor:
        """Rows of a piece (scalar)."""
        row_bytes = 4 * tf.shape(self.vectors)[0] * tf.shape(self.vectors)[1]
        return tf.clip_by_value(self.piece_bytes // tf.maximum(row_bytes, 1), 1, self.rows)

    def is_target(self, start: tf.Tensor, end: tf.Tensor) -> tf.Tensor:
        """[batch, end - start] bool."""
        return self.target[:, tf.newaxis] == tf.range(start, end)


def _forward(walk: _Walk) -> tf.Tensor:
    """[batch]: ln Σ_j e^{s_j}. The largest score so far is taken out of the sum, against overflow."""
    piece = walk.piece

    def add(start: tf.Tensor, largest: tf.Tensor, summed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        end = tf.minimum(start + piece, walk.rows)
        found = walk.scores(walk.vectors, walk.target_rows, walk.table[start:end])
        found = tf.where(walk.is_target(start, end), found.dtype.min, found)
        larger = tf.maximum(largest, tf.reduce_max(found, axis=1))
        summed *= tf.exp(largest - larger)
        return end, larger, summed + tf.reduce_sum(tf.exp(found - larger[:, tf.newaxis]), axis=1)

    batch = tf.shape(walk.vectors)[:1]
    nothing = (tf.constant(1), tf.fill(batch, walk.vectors.dtype.min), tf.zeros(batch))
    _, largest, summed = tf.while_loop(lambda start, *_: start < walk.rows, add, nothing, parallel_iterations=1)
    return largest + tf.math.log(summed)


def _backward(walk: _Walk, result: tf.Tensor, upstream: tf.Tensor) -> Gradients:
    """Gradients of vectors, target_rows and table. A score's gradient is its share of the sum, e^{s_j − result}."""
    piece = walk.piece

    def back(
        start: tf.Tensor, to_vectors: tf.Tensor, to_targets: tf.Tensor, pieces: tf.TensorArray
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.TensorArray]:
        end = tf.minimum(start + piece, walk.rows)
        part = walk.table[start:end]
        watched = (walk.vectors, walk.target_rows, part)
        with tf.GradientTape() as tape:
            tape.watch(watched)
            found = walk.scores(*watched)
        share = tf.where(walk.is_target(start, end), 0.0, tf.exp(found - result[:, tf.newaxis]))
        share *= upstream[:, tf.newaxis]
        to = tape.gradient(found, watched, share, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        return end, to_vectors + to[0], to_targets + to[1], pieces.write(pieces.size(), to[2])

    dim = walk.table.shape[1]
    pieces = tf.TensorArray(tf.float32, size=0, dynamic_size=True, infer_shape=False, element_shape=[None, dim])
    nothing = (tf.constant(1), tf.zeros_like(walk.vectors), tf.zeros_like(walk.target_rows), pieces)
    _, to_vectors, to_targets, pieces = tf.while_loop(
        lambda start, *_: start < walk.rows, back, nothing, parallel_iterations=1
    )
    return to_vectors, to_targets, tf.concat([tf.zeros([1, dim]), pieces.concat()], axis=0)
