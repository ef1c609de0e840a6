"""Training on every position: after each item of a history, the item that follows is a target of its own."""

from collections.abc import Callable

import tensorflow as tf

from remi_tf.encoders.base import Interests
from remi_tf.objective.example import Example

PIECE_BYTES = 16 * 2**20  # bound on one piece's scores [positions, num_negatives]

RowLosses = Callable[[Example], tf.Tensor]
Gradients = tuple[tf.Tensor, tf.Tensor, tf.Tensor]


def each_position(example: Example) -> Example:
    """An example with a row for each of the P real positions of all histories, padding left out.

    The interest of a row is the state after that item, [P, 1, dim]. Its target is the item that follows
    (`Example.following`). `history` and `history_rows` stay those of the users.
    """
    valid = example.history > 0  # [B, L]
    ids, rows = example.following()
    states = tf.boolean_mask(example.interests.states, valid)  # [P, d]
    return example._replace(
        target=tf.boolean_mask(ids, valid),
        target_rows=tf.boolean_mask(rows, valid),
        interests=Interests(states[:, tf.newaxis]),
    )


def mean_over_positions(losses: RowLosses, example: Example, piece_bytes: int = PIECE_BYTES) -> tf.Tensor:
    """Scalar: the mean loss of all real positions of the batch, each against the batch's negatives.

    Positions are scored in pieces, so that memory does not grow with the length of histories. A piece's gradients are
    computed with its losses, and its scores are then dropped: nothing is computed twice.

    Args:
      losses: an example with a row for each position → [rows] loss. Differentiable in the interests' vectors, the
        target rows and the negative rows. It has no weights.
      example: the users, with `interests.states`.
      piece_bytes: bound on one piece's scores [rows, num_negatives].

    Returns:
      Scalar; 0 if no user has a history.
    """
    every = each_position(example)

    @tf.custom_gradient
    def total(
        vectors: tf.Tensor, target_rows: tf.Tensor, negative_rows: tf.Tensor
    ) -> tuple[tf.Tensor, Callable[[tf.Tensor], Gradients]]:
        rows = every._replace(interests=Interests(vectors), target_rows=target_rows, negative_rows=negative_rows)
        summed, gradients = _sum_in_pieces(losses, rows, piece_bytes)
        share = 1 / tf.cast(tf.maximum(tf.size(rows.target), 1), summed.dtype)
        to_vectors, to_targets, to_negatives = gradients
        return summed * share, lambda upstream: (
            upstream * share * to_vectors,
            upstream * share * to_targets,
            upstream * share * to_negatives,
        )

    return total(every.interests.vectors, every.target_rows, every.negative_rows)


def _sum_in_pieces(losses: RowLosses, rows: Example, piece_bytes: int) -> tuple[tf.Tensor, Gradients]:
    """Sum of the rows' losses (scalar), and its gradients by vectors [P, 1, d], targets [P, d], negatives [N, d]."""
    vectors, target_rows, negative_rows = rows.interests.vectors, rows.target_rows, rows.negative_rows
    number = tf.size(rows.target)
    piece = tf.maximum(piece_bytes // (4 * tf.shape(negative_rows)[0]), 1)

    def add(
        start: tf.Tensor,
        summed: tf.Tensor,
        to_vectors: tf.TensorArray,
        to_targets: tf.TensorArray,
        to_negatives: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.TensorArray, tf.TensorArray, tf.Tensor]:
        end = tf.minimum(start + piece, number)
        watched = (vectors[start:end], target_rows[start:end], negative_rows)
        with tf.GradientTape() as tape:
            tape.watch(watched)
            part = rows._replace(target=rows.target[start:end], target_rows=watched[1], interests=Interests(watched[0]))
            loss = tf.reduce_sum(losses(part))
        to = tape.gradient(loss, watched)
        place = to_vectors.size()
        return end, summed + loss, to_vectors.write(place, to[0]), to_targets.write(place, to[1]), to_negatives + to[2]

    def pieces(like: tf.Tensor) -> tf.TensorArray:
        shape = [None, *like.shape[1:]]
        found = tf.TensorArray(like.dtype, size=0, dynamic_size=True, infer_shape=False, element_shape=shape)
        return found.write(0, like[:0])  # where there are no rows, there is still something to join

    nothing = (0, tf.zeros([], vectors.dtype), pieces(vectors), pieces(target_rows), tf.zeros_like(negative_rows))
    _, summed, to_vectors, to_targets, to_negatives = tf.while_loop(
        lambda start, *_: start < number, add, nothing, parallel_iterations=1
    )
    return summed, (to_vectors.concat(), to_targets.concat(), to_negatives)
