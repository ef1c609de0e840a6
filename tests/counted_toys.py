"""Small logs, and counted models of them."""

import numpy as np
import tensorflow as tf

from remi_tf.counted.base import CountedModel
from remi_tf.data.dataset.interactions import Interactions
from remi_tf.settings.presets import compose
from remi_tf.systems import make_counted

NUM_ITEMS = 12


def log(*sequences: list[int]) -> Interactions:
    """Training users with these items, oldest first."""
    offsets = np.cumsum([0, *map(len, sequences)])
    items = np.array([item for sequence in sequences for item in sequence], np.int32)
    return Interactions(items, np.arange(len(items)), offsets, np.diff(offsets))


def random_sequences(users: int, seed: int = 0) -> list[list[int]]:
    """Sequences of 1 to 15 items that repeat and are not evenly popular; item 11 occurs once, item 12 never."""
    rng = np.random.default_rng(seed)
    popular = 1 / np.arange(1, 11)
    drawn = [rng.choice(10, rng.integers(1, 16), p=popular / popular.sum()) + 1 for _ in range(users)]
    return [sequence.tolist() for sequence in drawn] + [[3, 11]]


def counted(model_type: str, train: Interactions, num_items: int = NUM_ITEMS, **options) -> CountedModel:
    settings = compose("toy", "default", False, {"model_type": model_type, **options})
    model = make_counted(settings, num_items)
    model.count(train)
    return model


def table_of(model: CountedModel) -> np.ndarray:
    """[I + 1, I + 1] float64: what one item of the history gives to each item; row and column of padding are 0."""
    rows = range(1, model.num_items + 1)
    history = np.zeros([model.num_items, model.max_history], np.int32)
    history[:, 0] = rows
    table = np.zeros([model.num_items + 1] * 2)
    table[1:, 1:] = model.scores(tf.constant(history)).numpy()[:, 1:]
    return table


def keep_best(table: np.ndarray, count: int) -> np.ndarray:
    """The table with only the `count` largest positive values of each row, of equal ones those of the lower ids."""
    kept = np.zeros_like(table)
    for row, values in enumerate(table):
        for item in sorted(range(len(values)), key=lambda item: (-values[item], item))[:count]:
            kept[row, item] = max(values[item], 0)
    return kept
