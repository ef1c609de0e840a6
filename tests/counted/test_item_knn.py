"""ItemKNN against plain Python."""

import numpy as np
import pytest

from tests.counted_toys import NUM_ITEMS, counted, keep_best, log, random_sequences, table_of


def plain_table(sequences, shrink):
    """The cosine of the items' sets of users, shrunk."""
    users = {item: {u for u, read in enumerate(sequences) if item in read} for item in range(1, NUM_ITEMS + 1)}
    table = np.zeros([NUM_ITEMS + 1] * 2)
    for one, ones in users.items():
        for other, others in users.items():
            if ones & others:
                table[one, other] = len(ones & others) / ((len(ones) * len(others)) ** 0.5 + shrink)
    return table


@pytest.mark.parametrize(("shrink", "neighbours"), [(0.0, 200), (5.0, 3)])
def test_the_table_is_the_shrunk_cosine_of_the_items_sets_of_users(shrink, neighbours):
    sequences = random_sequences(30)
    model = counted("ItemKNN", log(*sequences), shrink=shrink, neighbours=neighbours)
    np.testing.assert_allclose(table_of(model), keep_best(plain_table(sequences, shrink), neighbours), rtol=1e-6)
