"""EASE against ridge regressions, and what it needs."""

import numpy as np
import pytest

from remi_tf.counted.ease import EASE
from remi_tf.errors import InputError
from remi_tf.settings.encoders import encoder_settings
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


def test_a_penalty_that_leaves_no_inverse_is_refused():
    twins = [[1, 2, 3]] * 20
    with pytest.raises(InputError, match=r"--ease_lambda 1e-30: too small .* give a larger one"):
        counted("EASE", log(*twins), ease_lambda=1e-30)


def test_what_it_needs_grows_with_the_square_of_the_catalogue():
    small, large = (EASE.bytes_needed(encoder_settings("EASE"), items) for items in (999, 9999))
    assert large == 100 * small > 100 * 4 * 1000**2  # of the table itself, in 32 bits
