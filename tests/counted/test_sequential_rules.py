"""SequentialRules against plain Python."""

import numpy as np
import pytest

from tests.counted_toys import NUM_ITEMS, counted, keep_best, log, random_sequences, table_of


def plain_table(sequences, window, power):
    table, counts = np.zeros([NUM_ITEMS + 1] * 2), np.zeros(NUM_ITEMS + 1)
    for read in sequences:
        for place, first in enumerate(read):
            counts[first] += 1
            for distance, then in enumerate(read[place + 1 : place + 1 + window], start=1):
                table[first, then] += 1 / distance
    return table / np.maximum(counts, 1)[:, np.newaxis] ** power


@pytest.mark.parametrize(("window", "power", "neighbours"), [(10, 0.0, 200), (3, 1.0, 200), (1, 0.5, 2)])
def test_the_table_is_the_weighted_number_of_times_that_an_item_followed(window, power, neighbours):
    sequences = random_sequences(30)
    options = {"window": window, "antecedent_power": power, "neighbours": neighbours}
    model = counted("SequentialRules", log(*sequences), **options)
    np.testing.assert_allclose(table_of(model), keep_best(plain_table(sequences, window, power), neighbours), rtol=1e-6)


def test_a_rule_has_a_direction_does_not_cross_users_and_an_item_may_follow_itself():
    table = table_of(counted("SequentialRules", log([1, 2, 2], [3]), antecedent_power=0.0))
    assert table[1, 2] == 1.5 and table[2, 1] == 0
    assert table[2, 2] == 1 and not table[:, 3].any()
