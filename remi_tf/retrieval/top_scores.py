"""Top k where a model gives a score for every item itself: some users at a time, so that memory stays bounded."""

from collections.abc import Callable, Sequence

import tensorflow as tf

from remi_tf.retrieval.filters import Categories, make_filters
from remi_tf.retrieval.top_k import SCORE_BYTES, best_of


def top_scores(
    scores: Callable[[tf.Tensor], tf.Tensor],
    history: tf.Tensor,
    k: int | tf.Tensor,
    *,
    user_bytes: int,
    exclude: tf.Tensor | Sequence[tf.Tensor] | None = None,
    allow: tf.Tensor | None = None,
    categories: Categories | None = None,
    score_bytes: int = SCORE_BYTES,
) -> tuple[tf.Tensor, tf.Tensor]:
    """`[B, k]` ids and scores: each user's k best items, best first, ties by the lower id.

    Args:
      scores: histories `[b, L]` → `[b, I + 1]` float32, finite.
      history: `[B, L]` int32; B may be unknown or 0.
      user_bytes: what the scores of one user take while they are computed.
      k, exclude, allow, categories: as in `top_k`.
      score_bytes: as many users are scored at a time as fit into it, at least one. It does not change the result.

    Returns:
      As `top_k`.
    """
    lists = list(exclude) if isinstance(exclude, list | tuple) else [] if exclude is None else [exclude]
    batch, k = tf.shape(history)[0], tf.convert_to_tensor(k)
    together = max(1, score_bytes // user_bytes)

    def step(start: tf.Tensor, ids: tf.Tensor, found: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        end = tf.minimum(start + together, batch)

        def own(values: tf.Tensor) -> tf.Tensor:
            """The part of a `[B or 1, X]` list that belongs to these users."""
            shared = tf.shape(values)[0] != batch
            return values[tf.where(shared, 0, start) : tf.where(shared, 1, end)]

        filters = make_filters(
            [own(ids_out) for ids_out in lists],
            None if allow is None else own(allow),
            None if categories is None else categories._replace(wanted=own(categories.wanted)),
        )
        of_items = scores(history[start:end])[:, 1:]
        for apply in filters:
            of_items = apply(of_items, tf.constant(1))
        rows = tf.range(start, end)[:, None]
        best_ids, best_scores = best_of(of_items, k)
        return (
            end,
            tf.tensor_scatter_nd_update(ids, rows, best_ids),
            tf.tensor_scatter_nd_update(found, rows, best_scores),
        )

    nothing = tf.zeros([batch, k], tf.int32), tf.fill([batch, k], -float("inf"))
    _, ids, found = tf.while_loop(
        lambda start, *_: start < batch,
        step,
        [tf.constant(0), *nothing],
        shape_invariants=[tf.TensorShape([]), tf.TensorShape([None, None]), tf.TensorShape([None, None])],
        parallel_iterations=1,  # more would hold the scores of several parts
    )
    shape = [None, tf.get_static_value(k)]
    return tf.ensure_shape(ids, shape), tf.ensure_shape(found, shape)
