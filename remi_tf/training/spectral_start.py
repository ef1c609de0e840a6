"""What the item table starts from under --init spectral: items that the same users have start near each other."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from scipy import sparse

from remi_tf import progress
from remi_tf.counted.co_visits import blocks
from remi_tf.data.dataset.interactions import Interactions

LENGTH, POPULARITY = 1.41, 0.15
"""The length of a row is LENGTH · (count / mean count)^POPULARITY. Chosen on validation users."""
PASSES = 6
"""Power iterations. With more of them the vectors come nearer to the exact singular vectors, which spend their columns
on groups of items that only a few users read. On validation users 4 were better than 8 on retailrocket-sessions, and 8
better than 4 on amazon-books-sample (docs/RESULTS.md, "What each part of --remi brings")."""
PIECE, ROWS = 1 << 18, 1 << 14
"""Interactions (or those of one user) and rows that are looked at together: bounds the memory to a few PIECE · d."""
ALMOST_NONE = 1e-4
"""A vector that is this much shorter than usual says nothing."""
LEAST = 1e-5
"""A direction in which the log is this much smaller than in the largest one is rounding noise."""


def start_from_log(table: Any, train: Interactions, seed: int) -> None:
    """Put `spectral_rows` into an item table `[I + 1, d]`, a variable. Row 0, padding, stays as it is.

    The variable may be mirrored on several devices, or cast to 16 bits where a layer reads it.
    """
    rows = spectral_rows(train, table.shape[0] - 1, table.shape[1], seed)
    for copy in tf.distribute.get_strategy().experimental_local_results(table):
        for piece in _pieces(len(rows)):
            copy.scatter_nd_update(1 + np.arange(piece.start, piece.stop)[:, np.newaxis], rows[piece])


def spectral_rows(train: Interactions, num_items: int, dim: int, seed: int) -> np.ndarray:
    """`[I, d]` float32: what the rows 1..I of an item table start from.

    Directions come from M = D_u^(-1/2) X D_i^(-1/2). X [users, I] is 1 where a training user has the item, however
    often; D_u and D_i hold its row and column sums. The right singular vectors V [I, d] of M's d largest singular
    values are approached by the randomized range finder with power iterations (Halko, Martinsson & Tropp 2011,
    algorithm 4.4): PASSES times Q ← MᵀM Q with its columns made orthonormal, from a random Q. The last Q stands for V;
    a rotation between them changes no angle. Row i is

        unit(V_i) · LENGTH · (count_i / mean count)^POPULARITY

    with count_i the number of times that item i occurs, at least 0.5. Where the log has fewer than d directions (few
    users, few items), the other columns are random, as large as the others are on average. An item that no training
    user has, or whose vector is almost 0, points in a random direction.

    On one machine, the log and the seed decide every bit, whatever the number of threads: nothing here calls BLAS,
    whose sums depend on it. BLAS would take less time, above all where there are many items.

    Memory while it is computed: 2 arrays of 4 · (I + 1) · d bytes, one of which is returned; 28 bytes an item and 16 a
    user; and 12 · PIECE · d bytes or less for the block of users in hand. The log is never held as a whole. For 10
    million items, 100 million interactions of 10 million users and d = 64 this is 5.8 GB. Time grows with items · d²
    and interactions · d: there, about 4 minutes of one core (extrapolated from a tenth of it,
    benchmarks/spectral_start.py).

    Args:
      train: the training users.
      num_items: I.
      dim: d.
      seed: the run's seed.
    """
    generator = np.random.default_rng(seed)
    vectors = np.empty((num_items + 1, dim), np.float32)
    generator.standard_normal(out=vectors, dtype=np.float32)
    read = len(train.items)
    words, total = "Item table from the log's spectrum", (PASSES + 1) * read
    with progress.bar(words, total=total, unit=" rows", unit_scale=True, only_watched=False) as bar:
        counts, by_item = _occurrences(train, num_items, bar)
        for _ in range(PASSES):
            vectors = _multiplied(train, vectors, by_item, bar)
            found = _orthonormalise(vectors)
    rows, counts = vectors[1:], np.maximum(counts[1:], 0.5)
    lengths = LENGTH * (counts * num_items / max(read, 1)) ** POPULARITY
    for piece in _pieces(num_items):
        rows[piece] = _of_lengths(rows[piece], found, num_items, lengths[piece], generator)
    return rows


def spectral_bytes(train: Interactions, num_items: int, dim: int) -> int:
    """What `spectral_rows` surely holds at one time, in the middle of its passes: a part of what its text says."""
    return (2 * 4 * dim + 8 + 4) * (num_items + 1) + 8 * train.num_users


def _pieces(number: int) -> Iterator[slice]:
    """0..number, cut into slices of ROWS."""
    for start in range(0, number, ROWS):
        yield slice(start, min(start + ROWS, number))


def _user_blocks(train: Interactions, bar: Any) -> Iterator[tuple[np.ndarray, sparse.csr_matrix]]:
    """Of some users at a time: the items that they have `[m]`, ascending, and how often each has each, `[users, m]`."""
    for first, last in blocks(train.lengths + 1, PIECE):
        start, end = int(train.offsets[first]), int(train.offsets[last])
        items, columns = np.unique(np.asarray(train.items[start:end]), return_inverse=True)
        begins = np.asarray(train.offsets[first : last + 1]) - start
        ones = np.ones(end - start, np.float32)
        found = sparse.csr_matrix((ones, columns.ravel(), begins), shape=(last - first, len(items)))
        found.sum_duplicates()
        yield items, found
        bar.update(end - start)


def _occurrences(train: Interactions, num_items: int, bar: Any) -> tuple[np.ndarray, np.ndarray]:
    """`[I + 1]` how often each item occurs, and `[I + 1]` float32 D_i^(-1/2), 1 for items that no user has."""
    counts, users = np.zeros(num_items + 1), np.zeros(num_items + 1)
    for items, found in _user_blocks(train, bar):
        counts[items] += np.bincount(found.indices, found.data, minlength=len(items))
        users[items] += np.bincount(found.indices, minlength=len(items))
    return counts, (np.maximum(users, 1) ** -0.5).astype(np.float32)


def _multiplied(train: Interactions, vectors: np.ndarray, by_item: np.ndarray, bar: Any) -> np.ndarray:
    """`[I + 1, d]`: MᵀM times the vectors."""
    result = np.zeros_like(vectors)
    for items, found in _user_blocks(train, bar):
        sizes = np.diff(found.indptr)  # [users], of D_u
        by_user = np.repeat(np.maximum(sizes, 1) ** -0.5, sizes)
        found.data = (by_user * by_item[items][found.indices]).astype(np.float32)  # the block of M
        result[items] += found.T @ (found @ vectors[items])
    return result


def _orthonormalise(vectors: np.ndarray) -> int:
    """Make the columns orthonormal in place; return how many there are. Those after them are 0."""
    gram = np.zeros((vectors.shape[1], vectors.shape[1]))
    for piece in _pieces(len(vectors)):  # einsum, as it uses no threads: see spectral_rows
        part = vectors[piece].astype(np.float64)
        gram += np.einsum("ni,nj->ij", part, part)
    turn, found = _to_orthonormal(gram)
    for piece in _pieces(len(vectors)):
        vectors[piece] = np.einsum("ni,ij->nj", vectors[piece], turn)
    return found


def _to_orthonormal(gram: np.ndarray) -> tuple[np.ndarray, int]:
    """`[d, d]` float32 T, with which the columns of V T are orthonormal, gram = VᵀV; and how many are not 0.

    It is the Cholesky factorisation with pivoting (the largest column that is left comes next; it ends where only
    rounding noise is left), done on T and on the Gram matrix at once. Signs are fixed: T has a positive diagonal but
    for the order of its rows.
    """
    turn, left, of_left = np.zeros_like(gram), gram.copy(), np.eye(len(gram))
    largest = gram.diagonal().max()
    for place in range(len(gram)):
        pivot = int(left.diagonal().argmax())
        size = left[pivot, pivot]
        if size <= LEAST**2 * largest:
            return turn.astype(np.float32), place
        turn[:, place] = of_left[:, pivot] / size**0.5
        share = left[pivot] / size**0.5  # of the new column in each of those that are left
        of_left -= np.outer(turn[:, place], share)
        left -= np.outer(share, share)
    return turn.astype(np.float32), len(gram)


def _of_lengths(
    vectors: np.ndarray, found: int, num_items: int, lengths: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    """`[n, d]`: some of the rows at their lengths `[n]`. Of their columns, the first `found` are not random."""
    usual = (found / num_items) ** 0.5  # the root of the mean squared length
    says_nothing = np.linalg.norm(vectors[:, :found], axis=1) <= ALMOST_NONE * usual
    drawn = generator.standard_normal(vectors.shape, np.float32)
    vectors[:, found:] = drawn[:, found:] * num_items**-0.5
    vectors[says_nothing] = drawn[says_nothing]
    return vectors * (lengths / np.linalg.norm(vectors, axis=1))[:, np.newaxis]
