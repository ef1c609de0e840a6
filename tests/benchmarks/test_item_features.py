"""The features that benchmarks/item_features.py trains on are those that it says."""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
from item_features import random_features


def test_every_item_has_its_four_features_with_as_many_values_as_said():
    features = random_features(1000)
    columns = len(features.columns)
    counts = np.diff(features.offsets).reshape(-1, columns)
    assert features.num_rows == 1001 and features.offsets[-1] == len(features.codes)
    assert [(int(c.min()), int(c.max())) for c in counts.T] == [(1, 3), (1, 1), (1, 1), (4, 12)]
    for number in range(columns):
        start, end = features.starts[number : number + 2]
        of_column = np.repeat(np.arange(len(features.offsets) - 1) % columns == number, np.diff(features.offsets))
        assert features.codes[of_column].min() >= start and features.codes[of_column].max() < end
