"""The metrics of one user, written out in loops: recall, hit rate and the NDCG variants."""

import math


def gain(positions: list[int]) -> float:
    return sum(1 / math.log2(position + 2) for position in positions)


def metrics(retrieved: list[int], targets: list[int], n: int) -> dict[str, float]:
    """retrieved: ids, best first. Recall counts a repeated target each time; the ideal list of `ndcg` holds it once.

    ndcg: over the best possible list; ndcg_hits: over the hits made, by rank; ndcg_released: over the hits made, by the
    place in a Python set that was filled in the order of the ranks. ndcg_target_order: over the targets that were hit,
    each as often as it is there, by their places among the targets.
    """
    shown = retrieved[:n]
    hits = [rank for rank, item in enumerate(shown) if item in targets]
    as_set: set[int] = set()
    for item in shown:
        as_set.add(item)
    by_set = [place for place, item in enumerate(as_set) if item in targets]
    by_target = [place for place, item in enumerate(targets) if item in shown]
    best = gain(list(range(min(n, len(set(targets))))))
    best_of_hits = gain(list(range(len(hits))))
    return {
        "recall": len(hits) / len(targets),
        "hit_rate": 1.0 if hits else 0.0,
        "ndcg": gain(hits) / best,
        "ndcg_hits": gain(hits) / best_of_hits if hits else 0.0,
        "ndcg_target_order": gain(by_target) / gain(list(range(len(by_target)))) if hits else 0.0,
        "ndcg_released": gain(by_set) / best_of_hits if hits else 0.0,
    }
