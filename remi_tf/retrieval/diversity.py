"""Controllable aggregation: trade the best items for items of other categories (ComiRec, KDD'20, section 3.4)."""

import tensorflow as tf

POOL = 10
"""Candidates per place of the list. More candidates give more categories to choose from."""

STRONGEST = 1e30
"""Larger strengths give the same order, and this one times a list's length is still finite in 32 bits."""


def diversify(
    ids: tf.Tensor, scores: tf.Tensor, categories: tf.Tensor, strength: tf.Tensor, k: int | tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """`[B, k]` ids and scores: k of the candidates, chosen one by one.

    Each time the highest score - strength * n wins; n is the number of items of its category chosen so far. This is the
    greedy answer to max Σ f(i) + λ Σ [category_i ≠ category_j] over lists of k. Items of unknown category count as one
    category. With strength 0 these are the first k candidates.

    Args:
      ids: `[B, M]` int32 candidates, best first; 0 = none.
      scores: `[B, M]` float32 in descending order; -inf where there is no candidate.
      categories: `[B, M]` int32 of the candidates.
      strength: `[B]` float32 λ >= 0. If infinite, every place adds a new category as long as there is one.
      k: items to choose, at least 1.

    Returns:
      ids `[B, k]` and scores `[B, k]` in the order of choice, so scores need not be descending. Ties go to the earlier
      candidate. If candidates run out, ids are 0 and scores -inf.
    """
    strength = tf.minimum(strength, STRONGEST)[:, None]  # [B, 1]
    columns, places = tf.range(tf.shape(ids)[1]), tf.range(k)  # [M], [k]

    def choose(
        place: tf.Tensor, left: tf.Tensor, same: tf.Tensor, chosen: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
        column = tf.math.top_k(left - strength * same, 1).indices  # [B, 1]; the first of equal ones
        same += tf.cast(categories == tf.gather(categories, column, batch_dims=1), tf.float32)
        found = tf.gather(left, column, batch_dims=1) > -float("inf")  # [B, 1]
        chosen = tf.where((places == place) & found, column, chosen)  # [B, k]
        return place + 1, tf.where(columns == column, -float("inf"), left), same, chosen

    *_, column = tf.while_loop(
        lambda place, *_: place < k,
        choose,
        [tf.constant(0), scores, tf.zeros_like(scores), tf.fill([tf.shape(ids)[0], k], -1)],
        parallel_iterations=1,
    )
    there = column >= 0
    column = tf.maximum(column, 0)
    chosen_scores = tf.where(there, tf.gather(scores, column, batch_dims=1), -float("inf"))
    return tf.where(there, tf.gather(ids, column, batch_dims=1), 0), chosen_scores
