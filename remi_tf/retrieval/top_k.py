"""Exact maximum-inner-product retrieval inside a TensorFlow graph.

An item's score is that of its best interest, and its boost, if it has one: score(i) = max_k v_k · e_i + b_i. The
maximum over interests comes first, the top k after it. So each user has one row of scores: nothing has to be merged,
and no item can appear twice. The catalogue is read in chunks whose scores fit into a set number of bytes.
"""

from collections.abc import Sequence

import tensorflow as tf

from remi_tf.retrieval.boosts import Boosts
from remi_tf.retrieval.filters import Categories, Filter, make_filters

SCORE_BYTES = 32 * 2**20
"""Default bound on the scores `[B, K, chunk]` held at a time. Measured: same speed up to 64 MiB, slower below 16."""

GROUP = 32
"""Neighbouring items whose maximum is taken before the selection. Measured: the same speed between 16 and 64."""


def answer(
    interests: tf.Tensor,
    item_vectors: tf.Tensor | tf.Variable,
    history: tf.Tensor,
    k: int,
    exclude: tf.Tensor | None,
    score_bytes: int,
    boosts: Boosts | None = None,
) -> tuple[tf.Tensor, tf.Tensor]:
    """`[B, k]` ids and scores: the best k items for each history. An empty one gets the most popular items, score 0.

    Args:
      interests: `[B, K, d]` of the histories.
      item_vectors: `[I + 1, d]`.
      history: `[B, max_history]` int32 rows, right-padded with 0.
      exclude: `[B, X]` integer ids (0 = none) that are left out: the whole histories, or None.
      boosts: as of `top_k`; an empty history has none.

    Returns:
      ids `[B, k]` int32 and scores `[B, k]` float32 as `top_k` gives them. Ids are in order of descending popularity
      (prepare), so rows 1..k are the most popular items.
    """
    # Without interests all scores are 0, and ties go to the lower id: the more popular item.
    empty = tf.reduce_all(history == 0, axis=1)  # [B]
    interests = tf.where(empty[:, None, None], 0.0, tf.cast(interests, tf.float32))
    return top_k(interests, item_vectors, k, exclude=exclude, score_bytes=score_bytes, boosts=boosts)


def top_k(
    interests: tf.Tensor,
    item_table: tf.Tensor | tf.Variable,
    k: int | tf.Tensor,
    *,
    exclude: tf.Tensor | Sequence[tf.Tensor] | None = None,
    allow: tf.Tensor | None = None,
    categories: Categories | None = None,
    boosts: Boosts | None = None,
    score_bytes: int = SCORE_BYTES,
) -> tuple[tf.Tensor, tf.Tensor]:
    """`[B, k]` ids and scores: each user's k best items, best first, ties by the lower id. Exact and deterministic.

    Args:
      interests: `[B, K, d]`; B may be unknown or 0.
      item_table: `[I + 1, d]`; row 0 is padding and never returned. A variable is read once.
      k: items for each user, at least 1; a tensor where it is known only when the graph runs.
      exclude: `[B, X]` integer ids (0 = none, repeats allowed) that are left out; `[1, X]` for all users alike; or
        several of these.
      allow: `[B, A]` or `[1, A]` integer ids (0 = none, repeats allowed): only these are returned. A row of zeros
        allows all.
      categories: only items of the user's wanted categories are returned.
      boosts: what is added to the scores of some items of each user.
      score_bytes: bound on the scores held at a time. It does not change the result. (A product may round differently
        in the last bit, because the matrix product is blocked differently.)

    Returns:
      ids `[B, k]` int32 and scores `[B, k]` float32. If fewer than k items can be returned, the rest are ids 0 and
      scores -inf. An item whose score is NaN or -inf is not returned. A user with a NaN or infinite interest gets
      nothing (all ids 0), so that a broken model is noticed.
    """
    table = tf.cast(tf.convert_to_tensor(item_table), tf.float32)  # [I + 1, d]
    interests = tf.cast(interests, tf.float32)  # [B, K, d]
    broken = tf.reduce_any(~tf.math.is_finite(interests), axis=[1, 2])  # [B]
    interests = tf.where(broken[:, None, None], 0.0, interests)
    filters = make_filters(exclude, allow, categories, boosts)
    ids, scores = _over_chunks(interests, table, tf.convert_to_tensor(k), score_bytes, filters)  # [B, k]
    ids = tf.where(broken[:, None], 0, ids)
    scores = tf.where(broken[:, None], -float("inf"), scores)
    shape = [None, tf.get_static_value(k)]
    return tf.ensure_shape(ids, shape), tf.ensure_shape(scores, shape)


def chunk_rows(batch: tf.Tensor, num_interests: tf.Tensor, score_bytes: int) -> tf.Tensor:
    """Rows of the table whose scores `[batch, num_interests, rows]` float32 fit into `score_bytes` (at least 1)."""
    row_bytes = 4 * tf.cast(batch, tf.int64) * tf.cast(num_interests, tf.int64)
    rows = score_bytes // tf.maximum(row_bytes, 1)
    return tf.cast(tf.clip_by_value(rows, 1, tf.int32.max // 2), tf.int32)


def _over_chunks(
    interests: tf.Tensor, table: tf.Tensor, k: tf.Tensor, score_bytes: int, filters: Sequence[Filter]
) -> tuple[tf.Tensor, tf.Tensor]:
    """Walk the catalogue: the best k so far `[B, k]`, merged with the best k of each chunk."""
    shape = tf.shape(interests)
    batch, num_interests, dim = shape[0], shape[1], shape[2]
    vectors = tf.reshape(interests, [-1, dim])  # [B * K, d]
    rows = tf.shape(table)[0]
    chunk = tf.minimum(chunk_rows(batch, num_interests, score_bytes), rows)

    def step(start: tf.Tensor, ids: tf.Tensor, scores: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        end = tf.minimum(start + chunk, rows)
        products = tf.matmul(vectors, table[start:end], transpose_b=True)  # [B * K, chunk]
        best = tf.reduce_max(tf.reshape(products, [batch, num_interests, end - start]), axis=1)  # [B, chunk]
        for apply in filters:
            best = apply(best, start)
        positions, found = _two_stage(best, k)
        # Items found earlier have lower ids and stand first, so ties still go to the lower id.
        ids, scores = _best(tf.concat([ids, positions + start], 1), tf.concat([scores, found], 1), k)
        return end, ids, scores

    nothing = tf.zeros([batch, k], tf.int32), tf.fill([batch, k], -float("inf"))
    unknown = tf.TensorShape([None, None])
    _, ids, scores = tf.while_loop(
        lambda start, *_: start < rows,
        step,
        [tf.constant(1), *nothing],
        shape_invariants=[tf.TensorShape([]), unknown, unknown],
        parallel_iterations=1,  # more would hold the scores of several chunks
    )
    return ids, scores


def best_of(scores: tf.Tensor, k: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """`[B, k]` ids and scores as of `top_k`. scores: `[B, I]` of the items 1..I, -inf for those that are left out."""
    positions, found = _two_stage(scores, k)
    nothing = tf.zeros([tf.shape(scores)[0], k], tf.int32), tf.fill([tf.shape(scores)[0], k], -float("inf"))
    return _best(tf.concat([positions + 1, nothing[0]], 1), tf.concat([found, nothing[1]], 1), k)


def _two_stage(scores: tf.Tensor, k: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Exact top min(k, n) of `scores` `[B, n]`: the best k groups by maximum, then the best items inside them.

    An item outside the k best groups has k items before it (the best of each of these groups), so none is lost. The
    chosen groups are sorted again, so that equal scores come in the order of their ids.
    """
    count = tf.shape(scores)[1]
    groups = -(-count // GROUP)
    padded = tf.pad(scores, [[0, 0], [0, groups * GROUP - count]], constant_values=-float("inf"))
    grouped = tf.reshape(padded, [-1, groups, GROUP])  # [B, groups, GROUP]
    maxima = tf.reduce_max(grouped, axis=2)  # [B, groups]; a NaN inside shows in the maximum
    grouped, maxima = tf.cond(
        tf.reduce_any(tf.math.is_nan(maxima)), lambda: _without_nan(grouped), lambda: (grouped, maxima)
    )
    chosen = tf.sort(tf.math.top_k(maxima, tf.minimum(k, groups), sorted=False).indices, axis=1)  # [B, <= k]
    candidates = tf.reshape(tf.gather(grouped, chosen, batch_dims=1), [-1, tf.shape(chosen)[1] * GROUP])
    found, positions = tf.math.top_k(candidates, tf.minimum(k, count))  # [B, min(k, n)]
    return tf.gather(chosen, positions // GROUP, batch_dims=1) * GROUP + positions % GROUP, found


def _without_nan(grouped: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    grouped = tf.where(tf.math.is_nan(grouped), -float("inf"), grouped)
    return grouped, tf.reduce_max(grouped, axis=2)


def _best(ids: tf.Tensor, scores: tf.Tensor, k: tf.Tensor | int) -> tuple[tf.Tensor, tf.Tensor]:
    """The best k columns of `ids` and `scores`, equal scores in the order they stand; id 0 where the score is -inf."""
    scores, positions = tf.math.top_k(scores, k)
    ids = tf.gather(ids, positions, batch_dims=1)
    return tf.where(scores > -float("inf"), ids, 0), scores
