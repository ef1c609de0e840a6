"""Features of a few items, of every kind."""

import numpy as np

from remi_tf.data.features.columns import FeatureColumn
from remi_tf.data.features.store import Features, code_rows, padding

COLUMNS = (
    FeatureColumn("genres", "multi", values=("Action", "Comedy", "Drama")),
    FeatureColumn("brand", "category", values=("Acme",)),
    FeatureColumn("price", "number", edges=(10.0, 20.0)),
    FeatureColumn("title", "text", values=("the", "cat"), buckets=8),
    FeatureColumn("image", "vector", width=3, scale=0.5),
)


def raw_values(num_items: int) -> list[list[str]]:
    """Of each column the values of items 1, 2, …; some are missing, some unknown."""
    rows = range(1, num_items + 1)
    return [
        [("Action|Drama", "Comedy", "", "Western")[row % 4] for row in rows],
        [("Acme", "", "Other")[row % 3] for row in rows],
        [("5", "10", "", "99.5")[row % 4] for row in rows],
        [("The cat", "the dog", "", "A cat")[row % 4] for row in rows],
        [("[1, 0, 2]", "", "[0, 4, 0]")[row % 3] for row in rows],
    ]


def toy_features(num_items: int) -> Features:
    """Of rows 0..num_items."""
    names = [f"i{row}" for row in range(1, num_items + 1)]
    return padding(COLUMNS).followed_by(code_rows(COLUMNS, raw_values(num_items), names))


def by_hand(features: Features, code_table: np.ndarray, projections: dict[int, np.ndarray]) -> np.ndarray:
    """[rows, width]: for each column the mean of its codes' embeddings, summed, and the vectors' projections."""
    rows, columns = features.num_rows, len(features.columns)
    found = np.zeros([rows, code_table.shape[1]])
    for row in range(rows):
        for column in range(columns):
            start, end = features.offsets[row * columns + column : row * columns + column + 2]
            found[row] += code_table[features.codes[start:end]].mean(axis=0)
        for column, projection in projections.items():
            found[row] += features.vectors[column][row] @ projection
    return found
