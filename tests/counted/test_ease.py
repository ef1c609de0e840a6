"""EASE against a search for the minimum, and its memory."""

import numpy as np
import pytest

from remi_tf.counted import ease
from remi_tf.errors import InputError
from tests.counted_toys import NUM_ITEMS, counted, log, random_sequences, table_of


def test_the_table_is_the_best_linear_model_without_a_diagonal():
    sequences, penalty = random_sequences(30), 3.0
    table = table_of(counted("EASE", log(*sequences), ease_lambda=penalty))[1:, 1:]
    read = np.array([[item in of for item in range(1, NUM_ITEMS + 1)] for of in sequences], float)
    for item in range(NUM_ITEMS):  # each column is a ridge regression of the item on all others
        others = np.delete(np.arange(NUM_ITEMS), item)
        known = read[:, others]
        weights = np.linalg.solve(known.T @ known + penalty * np.eye(len(others)), known.T @ read[:, item])
        np.testing.assert_allclose(table[others, item], weights, rtol=1e-4, atol=1e-6)
        assert table[item, item] == 0


def test_a_catalogue_that_memory_cannot_hold_is_refused_with_both_numbers_before_a_table_is_made(monkeypatch):
    monkeypatch.setattr(ease, "available_memory", lambda: 2**30)
    needed = r"1,000,000 × 1,000,000 items needs about 20,000,\d+,\d+,?\d* bytes"
    with pytest.raises(InputError, match=needed + " of memory, and 1,073,741,824 are available; take --model_type It"):
        counted("EASE", log([1, 2]), num_items=1_000_000)
    counted("EASE", log([1, 2]), num_items=5)


def test_the_memory_that_is_available_is_less_than_a_machine_has_and_more_than_nothing():
    assert 2**20 < ease.available_memory() < 2**50
