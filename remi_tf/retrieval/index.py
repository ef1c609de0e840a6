"""A Faiss index over the item table: the second, independent implementation of retrieval."""

import faiss
import numpy as np


class FlatIndex:
    """Exact inner-product search, one interest at a time, merged afterwards as ComiRec does it (ALGORITHMS D.1)."""

    def __init__(self, item_table: np.ndarray):
        """Index rows 1..I of `item_table` `[I + 1, d]` float32; row 0 is padding and is left out."""
        self._index = faiss.IndexFlatIP(item_table.shape[1])
        self._index.add(np.ascontiguousarray(item_table[1:], dtype=np.float32))

    def search(self, interests: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """The k items with the highest inner product with any of a user's interests.

        Args:
          interests: `[B, K, d]` float32.

        Returns:
          ids `[B, k]` int32 and scores `[B, k]` float32, best first, ties by the lower id; 0 and -inf fill the
          rest where there are fewer than k items. (Which of several items with the score of an interest's last
          place is found, is Faiss's choice: `top_k` is the one that is deterministic there.)
        """
        batch, _, dim = interests.shape
        vectors = np.ascontiguousarray(interests.reshape(-1, dim), dtype=np.float32)
        scores, positions = self._index.search(vectors, min(k, self._index.ntotal))  # [B * K, <= k]
        return merge(
            (positions + 1).reshape(batch, -1).astype(np.int32), scores.reshape(batch, -1), k
        )  # [B, K * k] → [B, k]


def merge(ids: np.ndarray, scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Sort by score, keep an id's first occurrence, drop 0, stop at k.

    ids: `[B, n]` int32, scores: `[B, n]` float32 → ids `[B, k]`, scores `[B, k]`, filled up with 0 and -inf.
    """
    order = np.lexsort((-scores, ids), axis=-1)  # an id's occurrences together, its best first
    ids, scores = np.take_along_axis(ids, order, axis=1), np.take_along_axis(scores, order, axis=1)
    repeated = np.zeros(ids.shape, dtype=bool)
    repeated[:, 1:] = ids[:, 1:] == ids[:, :-1]
    dropped = repeated | (ids <= 0)
    ids, scores = np.where(dropped, 0, ids), np.where(dropped, -np.inf, scores).astype(np.float32)
    order = np.lexsort((ids, -scores), axis=-1)[:, :k]
    ids, scores = np.take_along_axis(ids, order, axis=1), np.take_along_axis(scores, order, axis=1)
    missing = ((0, 0), (0, k - ids.shape[1]))
    return np.pad(ids, missing), np.pad(scores, missing, constant_values=-np.inf)
