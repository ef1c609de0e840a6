"""A start of the item table that knows already which items the same users have: a truncated SVD of the training log."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from scipy import sparse

from remi_tf import progress
from remi_tf.data.dataset.interactions import Interactions

ROUNDS, OVERSAMPLING = 8, 32
"""Power iterations, and columns above the wanted ones. They are part of the method, as no number of rounds is enough:
the spectrum of a log of short sequences falls slowly, and its largest values belong to small groups of items that
nothing connects. A few rounds keep what is common to many directions."""
BLOCK = 1 << 20
"""Interactions of the users that are read together."""
ROWS = 1 << 16
"""Items whose rows are multiplied together."""
LENGTH, POPULARITY_POWER = 1.41, 0.15
"""A row's length is LENGTH · (count / mean count)^POPULARITY_POWER: best on validation users (docs/RESULTS.md)."""


def start_from_log(item_table: tf.Variable, train: Interactions, seed: int) -> None:
    """Give the item table of a new run its `spectral_start`; the row of padding stays as it is."""
    rows = spectral_start(train, item_table.shape[0] - 1, item_table.shape[1], seed)
    rows[0] = item_table[0]
    item_table.assign(rows)


def spectral_start(train: Interactions, num_items: int, dim: int, seed: int) -> np.ndarray:
    """[I + 1, dim] float32 rows of a new item table: directions from the log, lengths from how popular items are.

    The directions are the right singular vectors of M = D_u^(−1/2) X D_i^(−1/2), where X [users, items] is 1 where a
    training user has the item, and D_u and D_i hold its row and column sums. Singular vectors come from a randomized
    range finder with power iterations (Halko, Martinsson and Tropp, 2011, algorithm 4.4) and a Rayleigh-Ritz step, all
    on MᵀM, in blocks of users. Where the log has fewer directions than `dim`, and for items that no training user has,
    random numbers of the run's seed fill in. Row 0 is 0.

    Memory: two arrays of I · (dim + 32) float32, and a few hundred MB for a block: 8 GB for 10 million items in 64
    dimensions, whatever the number of interactions. Time: 9 passes over the log (benchmarks/spectral_start.py).
    The same log, seed and number of threads give the same bits.
    """
    log = _Log(train, num_items)
    rng = np.random.default_rng(seed)
    width = min(dim + OVERSAMPLING, num_items)
    basis = rng.standard_normal((num_items + 1, width), dtype=np.float32)
    basis[0] = 0
    with progress.bar("Item table from the log", total=ROUNDS + 1, unit="pass", only_watched=False) as bar:
        for _ in range(ROUNDS):
            basis = _orthonormal(log.gram_times(basis))
            bar.update()
        image = log.gram_times(basis)
        bar.update()
    values, rotation = np.linalg.eigh(_inner(basis, image))
    del image
    best = np.argsort(-values)[:dim]
    _rotate(basis, rotation[:, best])
    return _scaled(basis[:, : len(best)], log.counts, dim, rng)


class _Log:
    """M in blocks of users. counts: [I + 1] occurrences of each item in the log."""

    def __init__(self, train: Interactions, num_items: int):
        self.train = train
        self.counts = np.bincount(train.items, minlength=num_items + 1)
        self._of_item = np.ones(num_items + 1, np.float32)
        users = np.zeros(num_items + 1)
        for columns, found in self._blocks():
            users[columns] += found.sum(axis=0).A1
        self._of_item = (1 / np.sqrt(np.maximum(users, 1))).astype(np.float32)

    def gram_times(self, basis: np.ndarray) -> np.ndarray:
        """MᵀM basis, [I + 1, r] float32."""
        image = np.zeros_like(basis)
        for columns, found in self._blocks():
            of_user = sparse.diags(1 / np.maximum(found.sum(axis=1).A1, 1))
            scale = self._of_item[columns, np.newaxis]
            image[columns] += scale * (found.T @ (of_user @ (found @ (scale * basis[columns]))))
        return image

    def _blocks(self) -> Iterator[tuple[np.ndarray, Any]]:
        """(the distinct items of some users, the users' rows of X on these items as a sparse float32 matrix)."""
        offsets, first = self.train.offsets, 0
        while first < self.train.num_users:
            last = int(np.searchsorted(offsets, offsets[first] + BLOCK, side="right")) - 1
            last = max(last, first + 1)
            items = np.asarray(self.train.items[offsets[first] : offsets[last]])
            columns, column = np.unique(items, return_inverse=True)
            bounds = offsets[first : last + 1] - offsets[first]
            ones = np.ones(len(items), np.float32)
            found = sparse.csr_matrix((ones, column, bounds), shape=(last - first, len(columns)))
            found.sum_duplicates()
            found.data[:] = 1
            yield columns, found
            first = last


def _chunks(rows: int) -> Iterator[slice]:
    return (slice(start, start + ROWS) for start in range(0, rows, ROWS))


def _inner(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """leftᵀ right, [r, r] float64, made symmetric."""
    product = sum(left[chunk].astype(np.float64).T @ right[chunk] for chunk in _chunks(len(left)))
    return (product + product.T) / 2


def _rotate(basis: np.ndarray, rotation: np.ndarray) -> None:
    """Put basis · rotation into the first columns of `basis`, chunk by chunk, with a fixed sign for each column.

    The largest value of a column is positive, so that the signs do not depend on how the columns were computed.
    """
    count = rotation.shape[1]
    for chunk in _chunks(len(basis)):
        basis[chunk, :count] = basis[chunk] @ rotation.astype(np.float32)
    for column in range(count):
        values = basis[:, column]
        if values[np.argmax(np.abs(values))] < 0:
            values *= -1


def _orthonormal(basis: np.ndarray) -> np.ndarray:
    """The same space with orthonormal columns, in place; columns that add nothing to the others become 0."""
    values, vectors = np.linalg.eigh(_inner(basis, basis))
    there = values > 1e-10 * max(values[-1], 1e-30)
    rotation = vectors * np.where(there, 1 / np.sqrt(np.where(there, values, 1)), 0)
    for chunk in _chunks(len(basis)):
        basis[chunk] = basis[chunk] @ rotation.astype(np.float32)
    return basis


def _scaled(directions: np.ndarray, counts: np.ndarray, dim: int, rng: np.random.Generator) -> np.ndarray:
    """[I + 1, dim] float32: the directions at the rows' lengths; random ones where there are none."""
    rows = np.zeros((len(directions), dim), np.float32)
    rows[:, : directions.shape[1]] = directions
    empty = np.flatnonzero(~rows.any(axis=0))
    rows[:, empty] = rng.standard_normal((len(rows), len(empty))) / np.sqrt(len(rows))
    lengths = np.linalg.norm(rows, axis=1)
    unknown = lengths < 1e-6 * max(float(lengths.max()), 1e-30)
    rows[unknown] = rng.standard_normal((int(unknown.sum()), dim), dtype=np.float32)
    wanted = LENGTH * (np.maximum(counts, 0.5) / counts[1:].mean()) ** POPULARITY_POWER
    rows *= (wanted / np.linalg.norm(rows, axis=1))[:, np.newaxis]
    rows[0] = 0
    return rows
