"""The benchmark of --init spectral: its made-up logs, and a row of its table."""

import numpy as np

from benchmarks.spectral_start import measure, random_log


def test_a_made_up_log_has_the_interactions_that_were_asked_for_and_known_items():
    log = random_log(50, 1000)
    assert 1000 - 15 < len(log.items) == log.offsets[-1] <= 1000
    assert log.items.min() >= 1 and log.items.max() <= 50
    assert set(np.unique(log.lengths)) <= set(range(5, 16))


def test_a_row_has_the_size_of_the_log_and_what_it_cost():
    row = measure(50, 1000, 4)
    assert row["items"] == 50 and row["interactions"] == len(random_log(50, 1000).items)
    assert row["seconds"] >= 0 and row["peak_mb"] > 0 and row["tables"] >= 2
