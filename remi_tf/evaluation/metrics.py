"""Top-n metrics, one value per user. The caller takes the mean, as the last step.

Four kinds of NDCG are in use for these datasets, and they are not comparable:
  ndcg           DCG by rank over the best DCG possible for the user's targets: the textbook's
  ndcg_hits      DCG by rank over the best DCG possible for the hits made: one hit at the top scores 1 however
                 many targets were missed (ComiRec since 2020, UMI)
  ndcg_target_order  what ComiRec's, PIMI's and Re4's published tables have: as ndcg_hits, but "rank" is the place of
                 the hit among the user's targets, in the order of time. It says nothing about the list's order. A
                 target that is there twice counts twice.
  ndcg_released  what the released REMI code computes: as ndcg_hits, but "rank" is the position in a Python set of the
                 ids, which does not depend on the score. Only for comparison with published numbers.
"""

from collections.abc import Sequence

import numpy as np

CUT_OFFS = (20, 50)
"""The papers' cut-offs n of metric@n."""
NAMES = ("recall", "hit_rate", "ndcg", "ndcg_hits")


def per_user(
    retrieved: np.ndarray,
    targets: np.ndarray,
    offsets: np.ndarray,
    top_n: Sequence[int],
    published_ndcg: bool = False,
) -> dict[str, np.ndarray]:
    """Metric@n → `[U]` float64: all metrics at each n of `top_n`.

    Example:
      >>> import numpy as np
      >>> from remi_tf.evaluation.metrics import per_user
      >>> retrieved, targets = np.array([[7, 300, 5, 42, 9]]), np.array([42, 8, 7])
      >>> found = per_user(retrieved, targets, offsets=np.array([0, 3]), top_n=(5,))
      >>> {name: round(float(values[0]), 4) for name, values in found.items()}
      {'recall@5': 0.6667, 'hit_rate@5': 1.0, 'ndcg@5': 0.6714, 'ndcg_hits@5': 0.8772}

    Args:
      retrieved: `[U, N]` int32 ids, best first, without repeats; 0 = nothing. N must reach the largest n.
      targets: `[T]` int32, the targets of one user after another. User u has `offsets[u]:offsets[u + 1]`, at least one.
      offsets: `[U + 1]` int64.
      published_ndcg: also compute ndcg_target_order and ndcg_released (a Python loop over users).

    Returns:
      `{"recall@20": [U] float64, ...}` in the order of `NAMES` and `top_n`. recall is hits / targets. A repeated target
      counts as often as it occurs, as in all published results for these datasets.

    Raises:
      ValueError: a user without targets, or an n larger than N.
    """
    counts = np.diff(offsets)
    if not (counts > 0).all():
        raise ValueError(f"user {int(np.argmin(counts > 0))} has no target; leave such users out")
    if max(top_n) > retrieved.shape[1]:
        raise ValueError(f"top_n {max(top_n)} asks for more than the {retrieved.shape[1]} retrieved items")
    hits = contained(retrieved, targets, offsets)  # [U, N]
    distinct = _distinct_counts(targets, counts)  # [U]
    results = {}
    for n in top_n:
        results[f"recall@{n}"] = hits[:, :n].sum(axis=1) / counts
        results[f"hit_rate@{n}"] = hits[:, :n].any(axis=1).astype(np.float64)
        results[f"ndcg@{n}"] = ndcg(hits[:, :n], distinct)
        results[f"ndcg_hits@{n}"] = ndcg(hits[:, :n], hits[:, :n].sum(axis=1))
        if published_ndcg:
            results[f"ndcg_target_order@{n}"] = _ndcg_target_order(retrieved[:, :n], targets, offsets)
            in_set_order = set_order(retrieved[:, :n])
            reordered = contained(in_set_order, targets, offsets)
            results[f"ndcg_released@{n}"] = ndcg(reordered, reordered.sum(axis=1))
    return results


def contained(ids: np.ndarray, values: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """`[U, N]` bool: which of a user's ids are among the user's values.

    ids: `[U, N]` int (0 is contained in nothing), values: `[T]` int, offsets: `[U + 1]`.
    """
    if not values.size:
        return np.zeros(ids.shape, dtype=bool)
    stride = np.int64(max(ids.max(initial=0), values.max(initial=0)) + 1)
    keys = np.unique(_users(np.diff(offsets)) * stride + values)  # one number for each (user, value), ascending
    wanted = np.arange(len(ids), dtype=np.int64)[:, None] * stride + ids
    found = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return (keys[found] == wanted) & (ids > 0)


def ndcg(hits: np.ndarray, ideal_hits: np.ndarray) -> np.ndarray:
    """`[U]` float64 in 0..1: discounted gain by rank, as a share of the gain of `ideal_hits` hits at the top.

    hits: `[U, N]` bool, best rank first. ideal_hits: `[U]` int; more than N count as N. The value is 0 without a hit.
    """
    discounts = 1.0 / np.log2(np.arange(hits.shape[1]) + 2.0)  # [N]
    ideal = np.concatenate([[0.0], np.cumsum(discounts)])[np.minimum(ideal_hits, hits.shape[1])]  # [U]
    return np.divide(hits @ discounts, ideal, out=np.zeros(len(hits)), where=ideal > 0)


def _ndcg_target_order(retrieved: np.ndarray, targets: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """`[U]` float64: as `ndcg` over the hits, with the places of the hits among the user's own targets."""
    counts = np.diff(offsets)
    owners, places = _users(counts), np.arange(len(targets)) - np.repeat(offsets[:-1], counts)
    padded = np.zeros((len(counts), int(counts.max())), dtype=targets.dtype)  # [U, most targets]
    padded[owners, places] = targets
    listed = np.arange(len(retrieved) + 1) * retrieved.shape[1]
    hits = contained(padded, retrieved.reshape(-1), listed)
    return ndcg(hits, hits.sum(axis=1))


def set_order(retrieved: np.ndarray) -> np.ndarray:
    """`[U, N]` → `[U, N]`: each user's ids in the order of a Python set that they were added to by rank."""
    ordered = np.zeros_like(retrieved)
    for user, ids in enumerate(retrieved.tolist()):
        in_set: set[int] = set()
        for item in ids:  # one by one: the order inside a set depends on how it grew
            if item > 0:
                in_set.add(item)
        ordered[user, : len(in_set)] = list(in_set)
    return ordered


def _distinct_counts(targets: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """How many different targets each user has: `[U]` int64."""
    stride = np.int64(targets.max(initial=0) + 1)
    keys = np.unique(_users(counts) * stride + targets)
    return np.bincount(keys // stride, minlength=len(counts))


def _users(counts: np.ndarray) -> np.ndarray:
    """Which user each element of the flat array belongs to: `[T]` int64."""
    return np.repeat(np.arange(len(counts), dtype=np.int64), counts)
