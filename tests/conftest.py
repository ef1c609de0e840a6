"""Shared fixtures."""

import os
from pathlib import Path

import numpy as np
import pytest

from remi_tf.data.dataset.folder import write_dataset
from remi_tf.data.dataset.interactions import Interactions
from remi_tf.data.dataset.vocabulary import Vocabulary


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The reference material beside the checkout (golden vectors, real logs)."""
    path = Path(os.environ.get("REMI_TF_SHARED", Path(__file__).resolve().parents[1].parent / "shared"))
    if not path.is_dir():
        pytest.skip(f"needs the reference material in {path} (or $REMI_TF_SHARED)")
    return path


@pytest.fixture(scope="session")
def toy_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset folder of 80 users who each read two of six clusters of ten items, five items long or more."""
    generator = np.random.default_rng(7)
    splits, users = {}, {}
    for split, number in (("train", 60), ("valid", 10), ("test", 10)):
        lengths = generator.integers(5, 15, number)
        clusters = np.stack([generator.choice(6, 2, replace=False) for _ in range(number)])
        items = [
            1 + 10 * generator.choice(clusters[u], n) + generator.integers(0, 10, n) for u, n in enumerate(lengths)
        ]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        cuts = lengths if split == "train" else (lengths * 0.8).astype(np.int64)
        times = np.concatenate([86_400 * np.arange(n) for n in lengths])
        splits[split] = Interactions(np.concatenate(items).astype(np.int32), times, offsets, cuts)
        users[split] = [f"{split}-{u}" for u in range(number)]
    path = tmp_path_factory.mktemp("data") / "toy"
    vocabulary = Vocabulary([f"item-{row}" for row in range(1, 61)])
    write_dataset(path, name="toy", splits=splits, users=users, vocabulary=vocabulary, made_by={"source": "conftest"})
    return path
