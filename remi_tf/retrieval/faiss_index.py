"""Faiss indexes over the item vectors: exact (flat), or approximate for catalogues where exact search is slow.

All kinds share one search. Every interest fetches its nearest items. These are scored exactly, with the vectors
themselves, and an item counts by its best interest. `flat` is a second, independent implementation: the graph's
retrieval (top_k.py) is tested against it.
"""

from typing import Any

import faiss
import numpy as np

from remi_tf.errors import InputError
from remi_tf.retrieval.index_kinds import (
    CODES,
    CONSTRUCTION_EFFORT,
    EFFORTS,
    LINKS,
    OVERFETCH,
    SAMPLE,
    code_bytes,
    num_cells,
)

NO_ROWS = np.zeros(0, np.int32)
RESCORED_BYTES = 64 << 20
"""Bound on the vectors that are fetched for exact scoring at a time."""


class ItemIndex:
    """A Faiss index of one of `KINDS`, with the vectors it was built from.

    Args:
      index: the Faiss index. Position i is row i + 1, where those that are removed are not counted.
      vectors: [I + 1, d] float32 item vectors. Row 0 is padding and not indexed.
      effort: candidates (hnsw) or cells (ivf, ivfpq) that a search looks at. flat ignores it.
      removed: rows that are not indexed.
    """

    def __init__(self, index: Any, kind: str, vectors: np.ndarray, effort: int, removed: np.ndarray = NO_ROWS):
        self.faiss_index, self.kind, self.vectors, self.effort = index, kind, vectors, effort
        self.rows = np.setdiff1d(np.arange(1, len(vectors), dtype=np.int32), removed)  # row of each position

    @classmethod
    def build(cls, vectors: np.ndarray, kind: str = "flat", removed: np.ndarray = NO_ROWS) -> "ItemIndex":
        """Index rows 1..I of `vectors` [I + 1, d] float32, with the smallest of the kind's efforts.

        Args:
          removed: rows that are left out.

        Raises:
          InputError: too few items to learn codes from (ivfpq).
        """
        vectors = np.ascontiguousarray(vectors, np.float32)
        items, dim = np.delete(vectors, [0, *removed], axis=0), vectors.shape[1]
        product = faiss.METRIC_INNER_PRODUCT
        index: Any
        if kind == "ivfpq" and len(items) < CODES:
            raise InputError(
                f"--kind ivfpq: {len(items)} items are fewer than a code's {CODES} values; take --kind flat"
            )
        if kind == "flat":
            index = faiss.IndexFlatIP(dim)
        elif kind == "hnsw":
            index = faiss.IndexHNSWFlat(dim, LINKS, product)
            index.hnsw.efConstruction = CONSTRUCTION_EFFORT
        else:
            # Cells by inner product. The usual reduction to distances finds fewer items: it adds a dimension that makes
            # all vectors equally long, and that dimension decides the cell. (Trained table of 38,519 items with norms
            # from 1.0 to 4.4, 128 of 785 cells: recall@50 .88 with it, .96 without; the same with codes.)
            cells = num_cells(len(items))
            centres = faiss.IndexFlatIP(dim)
            if kind == "ivf":
                index = faiss.IndexIVFFlat(centres, dim, cells, product)
            else:
                index = faiss.IndexIVFPQ(centres, dim, cells, code_bytes(dim), 8, product)
            sample = np.random.default_rng(0).permutation(len(items))[: max(SAMPLE * cells, 1 << 16)]
            index.train(items[np.sort(sample)])
        index.add(items)
        return cls(index, kind, vectors, EFFORTS[kind][0], removed)

    def search(
        self,
        interests: np.ndarray,
        k: int,
        exclude: np.ndarray | None = None,
        boosts: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """`[B, k]` ids and scores: the k items with the highest inner product with any of a user's interests.

        Args:
          interests: [B, K, d] float32.
          exclude: [B, X] int32 rows to leave out (0 = none, repeats allowed).
          boosts: what is added to the scores of some items, as of `boosts.summed`. Each of them is looked at.

        Returns:
          ids [B, k] int32 and scores [B, k] float32, best first, ties by the lower id. If there are fewer than k items,
          ids are 0 and scores -inf; a user with a NaN or infinite interest gets none. A flat index gives exactly what
          `top_k` gives. The others may miss items, but the scores of those they find are exact.
        """
        interests = np.ascontiguousarray(interests, np.float32)
        nothing = np.zeros([len(interests), 0], np.int32)
        exclude = nothing if exclude is None else exclude
        boosted, amounts = (nothing, nothing.astype(np.float32)) if boosts is None else boosts
        ids, scores = np.zeros([len(interests), k], np.int32), np.full([len(interests), k], -np.inf, np.float32)
        sound = np.flatnonzero(np.isfinite(interests).all(axis=(1, 2)))
        fetch = OVERFETCH[self.kind] * (k + exclude.shape[1]) + 1
        candidates = fetch * interests.shape[1] + boosted.shape[1]
        size = max(1, RESCORED_BYTES // (4 * candidates * interests.shape[2]))
        for users in (sound[start : start + size] for start in range(0, len(sound), size)):
            raised = boosted[users], amounts[users]
            ids[users], scores[users] = self._search(interests[users], k, exclude[users], raised, fetch)
        return ids, scores

    def _search(
        self,
        interests: np.ndarray,
        k: int,
        exclude: np.ndarray,
        boosts: tuple[np.ndarray, np.ndarray],
        fetch: int,
    ) -> tuple[np.ndarray, np.ndarray]:
        num_items = len(self.vectors) - 1
        own = np.arange(len(interests))[:, None] * (num_items + 1)  # tells one user's rows from another's
        while True:
            fetch = min(fetch, len(self.rows))
            fetched, least = self._nearest(interests, fetch)
            # A boosted item counts once, with its boost. What is not boosted needs to be among the fetched ones only.
            fetched = np.where(np.isin(own + fetched, own + boosts[0]), 0, fetched)
            found = np.concatenate([fetched, boosts[0]], axis=1)  # [B, K * fetch + X]
            scores = np.matmul(self.vectors[found], interests.transpose(0, 2, 1)).max(axis=2)
            scores[:, fetched.shape[1] :] += boosts[1]
            ids, scores = merge(np.where(np.isin(own + found, own + exclude), 0, found), scores, k)
            # Items that were not fetched score at most `least`. If the last place scores that too, one may tie with it.
            if self.kind != "flat" or fetch == len(self.rows) or (scores[:, -1] > least).all():
                return ids, scores
            fetch *= 2

    def _nearest(self, interests: np.ndarray, fetch: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows [B, K * fetch] int32 (0 = nothing found), and [B], the highest of the interests' last scores."""
        batch, num_interests, dim = interests.shape
        if self.kind == "hnsw":
            self.faiss_index.hnsw.efSearch = max(self.effort, fetch)
        elif self.kind != "flat":
            self.faiss_index.nprobe = self.effort
        scores, positions = self.faiss_index.search(interests.reshape(-1, dim), fetch)  # [B * K, fetch]
        least = scores[:, -1].reshape(batch, num_interests).max(axis=1)
        found = np.where(positions >= 0, self.rows[positions], 0)
        return found.reshape(batch, -1).astype(np.int32), least


def merge(ids: np.ndarray, scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Sort by score, keep an id's first occurrence, drop 0, stop at k.

    ids: `[B, n]` int32, scores: `[B, n]` float32 → ids `[B, k]`, scores `[B, k]`, padded with 0 and -inf.
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
