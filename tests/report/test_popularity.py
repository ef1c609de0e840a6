"""Popularity bias."""

import itertools

import numpy as np

from remi_tf.data.dataset.views import targets
from remi_tf.report.page import joined
from remi_tf.report.popularity import bands, popularity


def test_bands_are_tenths_of_the_items_from_the_most_popular_on():
    counts = np.array([0, *np.random.default_rng(0).permutation(25)])
    found = bands(counts)
    assert [len(band) for band in found] == [3] * 5 + [2] * 5
    assert sorted(np.concatenate(found)) == list(range(1, 26))
    assert all(counts[a].min() >= counts[b].max() for a, b in itertools.pairwise(found))
    assert len(bands(np.array([0, 1, 2]))) == 2


def test_shares_of_the_log_the_targets_and_the_lists_are_counted(two):
    source = joined(*popularity(two).parts)
    first = bands(two.items.counts)[0]
    wanted, _ = targets(two.dataset.test, two.users)
    listed = two.runs[1].evaluation.listed[50]
    for share in (np.isin(wanted, first).mean(), np.isin(two.dataset.train.items, first).mean()):
        assert f">{share:.1%}</td>" in source
    assert f">{listed[first].sum() / listed.sum():.1%}</td>" in source
    assert ">lists of A</th>" in source and ">lists of B</th>" in source
