"""Content: the cosine of items' tf-idf vectors, against plain Python."""

import math

import numpy as np

from remi_tf.counted import content
from remi_tf.counted.content import Contents
from remi_tf.data.features.columns import FeatureColumn
from remi_tf.data.features.store import code_rows, padding

GENRES = [["A", "B"], ["A"], ["B", "C"], [], ["A", "B", "C"], ["D"]]
COLUMN = FeatureColumn("genres", "multi", values=("A", "B", "C"))


def features():
    names = [f"i{n}" for n in range(len(GENRES))]
    return padding([COLUMN]).followed_by(code_rows([COLUMN], [["|".join(genres) for genres in GENRES]], names))


def by_hand() -> np.ndarray:
    """Unknown values ("D") and missing ones are not shared. Row 0 is padding, which has the missing value too."""
    rows = len(GENRES) + 1
    known = [[], *([genre for genre in genres if genre in COLUMN.values] for genres in GENRES)]
    idf = {genre: math.log(rows / sum(genre in genres for genres in known)) for genre in COLUMN.values}
    found = np.zeros([rows, rows])
    for one, ones in enumerate(known):
        for other, others in enumerate(known):
            lengths = [math.sqrt(sum(idf[genre] ** 2 for genre in genres)) for genres in (ones, others)]
            if all(lengths):
                found[one, other] = sum(idf[genre] ** 2 for genre in set(ones) & set(others)) / math.prod(lengths)
    return found


def test_items_are_alike_by_the_codes_that_they_share():
    expected = by_hand()
    assert 0 < expected[1, 2] < 1
    expected[expected < content.LEAST] = 0
    contents = Contents(features())
    np.testing.assert_allclose(contents.rows(0, 7).toarray(), expected, atol=1e-6)
    np.testing.assert_allclose(contents.rows(2, 4).toarray(), expected[2:4], atol=1e-6)
    assert (contents.costs >= (expected > 0).sum(axis=1)).all()


def test_of_the_last_items_only_those_columns_are_computed():
    contents = Contents(features())
    whole = contents.rows(0, 7).toarray()
    last = contents.of_last(4)(0, 7).toarray()
    assert not last[:, 0].any()
    np.testing.assert_allclose(last[:, 1:], whole[:, 4:])


def test_codes_of_too_many_items_make_no_pairs_but_still_count_for_the_length(monkeypatch):
    monkeypatch.setattr(content, "MOST_PAIRS", 14)  # C has 2 items: 4 pairs; of A and B, with 3 each, one stays
    found = Contents(features()).rows(0, 7).toarray()
    expected = by_hand()
    assert found[3, 5] <= expected[3, 5] + 1e-6 and found[3, 5] > 0
    shared = [pair for pair in [(1, 2), (1, 3)] if found[pair] > 0]  # by A, by B
    assert len(shared) == 1
