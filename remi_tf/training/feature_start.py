"""--init spectral with an item tower: features start as what explains the items' spectral rows, ids as the rest."""

import numpy as np
from scipy import sparse

from remi_tf.data.features.store import Features
from remi_tf.item_tower import TowerItems

RIDGE = 5.0
"""λ: how many occurrences a value needs to count for half."""
TRUST = 10.0
"""Occurrences at which a row is as much the item's own as what its features say."""
ROUNDS = 30
"""Steps of the conjugate gradients."""


def start_features(items: TowerItems, features: Features, counts: np.ndarray) -> None:
    """Split the rows that `items.id_table` holds into what features explain and what is the item's own.

        B = argmin Σ_i n_i |s_i − a_i B|² + λ |B|²      a_i: share of each code in item i, n_i: its occurrences
        f_i = a_i B,    id_i = n_i / (n_i + TRUST) (s_i − f_i)

    So a rare item begins near what its features say of it, and a frequent one where its own row was (Gantner et al.,
    ICDM'10, map attributes to factors after training; here it is the start).

    Args:
      counts: [I + 1] occurrences of each item in the training log.
    """
    rows = items.id_table.numpy()
    shares = code_shares(features)
    weights = counts.astype(np.float32)
    weights[0] = 0
    solved = _ridge(shares, weights, rows)
    items.tower.begin(solved)
    said = items.features_of(len(rows))
    trust = (weights / (weights + TRUST))[:, np.newaxis]
    rows[1:] = (trust * (rows - said))[1:]
    items.id_table.assign(rows)


def code_shares(features: Features) -> sparse.csr_matrix:
    """[rows, codes] float32: the mean over each column's codes, summed over columns."""
    columns = len(features.columns)
    offsets = np.asarray(features.offsets)
    sizes = np.diff(offsets)
    values = np.repeat(1.0 / np.maximum(sizes, 1), sizes).astype(np.float32)
    shape = (features.num_rows, int(features.starts[-1]))
    return sparse.csr_matrix((values, np.asarray(features.codes), offsets[::columns]), shape=shape)


def _ridge(shares: sparse.csr_matrix, weights: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """[codes, d] float32: conjugate gradients for all d right sides at once."""
    weighted = sparse.diags(weights) @ shares
    transposed = weighted.T.tocsr()
    residual = transposed @ rows
    solution = np.zeros_like(residual)
    direction, size = residual.copy(), (residual**2).sum(0)
    for _ in range(ROUNDS):
        image = transposed @ (shares @ direction) + RIDGE * direction
        step = size / np.maximum((direction * image).sum(0), 1e-30)
        solution += step * direction
        residual -= step * image
        new = (residual**2).sum(0)
        direction = residual + (new / np.maximum(size, 1e-30)) * direction
        size = new
    return solution
