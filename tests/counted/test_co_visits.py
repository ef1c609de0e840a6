"""What is counted block by block."""

import numpy as np
from scipy import sparse

from remi_tf.counted.co_visits import best, blocks, read_once
from tests.counted_toys import log


def test_a_user_counts_once_for_an_item_however_often_it_was_visited():
    found = read_once(log([2, 2, 1], [3, 2]), num_items=4).toarray()
    assert found.tolist() == [[0, 1, 1, 0, 0], [0, 0, 1, 1, 0]]


def test_blocks_cover_every_row_once_and_hold_the_limit_where_a_row_does():
    costs = np.array([3, 3, 9, 0, 0, 4, 4, 1])
    found = list(blocks(costs, limit=6))
    assert [row for start, end in found for row in range(start, end)] == list(range(len(costs)))
    assert all(costs[start:end].sum() <= 6 or end - start == 1 for start, end in found)
    assert len(found) == 4


def test_the_best_of_a_row_come_in_order_and_of_equal_ones_the_lower_ids():
    rows = sparse.csr_matrix([[0, 0.5, 0.25, 0.5, 2.0, 0.5], [0, 0, 0, 0, 0, 0], [0, 1e-7, -3.0, 0, 0, 7.0]])
    ids, values = best(rows, 3)
    assert ids.tolist() == [[4, 1, 3], [0, 0, 0], [5, 1, 0]]
    np.testing.assert_array_equal(values, np.array([[2, 0.5, 0.5], [0, 0, 0], [7, 1e-7, 0]], np.float32))
