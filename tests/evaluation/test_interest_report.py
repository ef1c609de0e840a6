"""The report on interests: exact values, and that collapse shows."""

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.encoders.base import Interests
from remi_tf.evaluation.interest_report import InterestReport, examine, flat, sentence


def figures(vectors, candidates, hits, routing=None, active=None, lengths=None, listed=None):
    vectors = tf.constant(vectors, tf.float32)
    interests = Interests(
        vectors,
        None if routing is None else tf.constant(routing, tf.float32),
        None if active is None else tf.constant(active),
    )
    found = {name: values.numpy() for name, values in examine(interests, tf.constant(candidates, tf.float32)).items()}
    report = InterestReport(vectors.shape[1])
    hits = np.array(hits)
    report.add(found, np.array(lengths or [4] * len(vectors)), hits, np.ones_like(hits) if listed is None else listed)
    return report.figures


EAST, NORTH, WEST = [1.0, 0], [0.0, 2], [-3.0, 0]


def test_effective_items_count_what_an_interest_reads():
    one, even, two = [1.0, 0, 0, 0], [0.25] * 4, [0.5, 0.5, 0, 0]
    for routing, expected in ((one, 1), (even, 4), (two, 2)):
        found = figures([[EAST]], [[EAST]], [[True]], [[routing]])
        assert found["effective_items"] == pytest.approx(expected, rel=1e-6)
    found = figures([[EAST, WEST]], [[EAST]], [[True]], [[one, even]])
    assert found["effective_items"] == pytest.approx(2.5)
    assert found["history_items"] == 4


def test_cosine_is_over_every_two_interests_whatever_their_length():
    assert figures([[EAST, EAST]], [[EAST]], [[True]])["interest_cosine"] == pytest.approx(1)
    assert figures([[EAST, NORTH, WEST]], [[EAST]], [[True]])["interest_cosine"] == pytest.approx(-1 / 3)


def test_hits_belong_to_the_interest_that_scores_them_highest():
    candidates = [[EAST, NORTH, WEST, EAST], [WEST, WEST, EAST, NORTH]]
    hits = [[True, True, False, True], [True, False, False, False]]
    vectors = [[EAST, NORTH, WEST]] * 2
    assert figures(vectors, candidates, hits)["hit_shares"] == [0.5, 0.25, 0.25]


def test_each_item_of_a_list_belongs_to_an_interest_hit_or_not_but_an_empty_place_to_none():
    """The last place of the second list is empty; what is scored there means nothing."""
    candidates = [[EAST, NORTH, WEST, EAST], [WEST, WEST, EAST, NORTH]]
    hits, listed = np.zeros((2, 4), bool), np.array([[True] * 4, [True, True, True, False]])
    found = figures([[EAST, NORTH, WEST]] * 2, candidates, hits, listed=listed)
    assert found["list_shares"] == pytest.approx([3 / 7, 1 / 7, 3 / 7]) and "hit_shares" not in found


def test_the_cosines_are_means_over_the_users_who_have_both_interests():
    active = [[True, True, False], [True, False, False]]
    found = figures([[EAST, NORTH, EAST], [EAST, EAST, EAST]], [[EAST]] * 2, [[True]] * 2, active=active)
    assert found["cosines"] == [[1, 0, None], [0, 1, None], [None, None, None]]


def test_interests_that_are_one_share_their_hits():
    """Else one of them would seem to answer for everything."""
    nearly = [0.9999999, 1e-7]
    assert figures([[EAST, nearly, WEST]], [[EAST, WEST]], [[True, False]])["hit_shares"] == [0.5, 0.5, 0]


def test_interests_a_user_does_not_have_and_empty_histories_do_not_count():
    vectors = [[EAST, EAST, NORTH], [WEST, WEST, WEST]]  # an inactive interest repeats the first
    routing = [[[1.0, 0], [0.5, 0.5], [1, 0]], [[0.0, 0]] * 3]
    active = [[True, False, True], [True, True, False]]
    found = figures(vectors, [[EAST], [WEST]], [[True], [True]], routing, active, lengths=[2, 0])
    expected = {"effective_items": 1, "history_items": 2, "interest_cosine": 0}
    assert flat(found) == pytest.approx(expected | {"hit_share_1": 1, "hit_share_2": 0, "hit_share_3": 0})


def test_batches_add_up():
    generator = np.random.default_rng(0)
    vectors, candidates = generator.normal(size=(6, 3, 5)), generator.normal(size=(6, 4, 5))
    routing = tf.nn.softmax(tf.constant(generator.normal(size=(6, 3, 4)), tf.float32)).numpy()
    hits = generator.random((6, 4)) < 0.5
    whole = figures(vectors, candidates, hits, routing)
    report = InterestReport(3)
    for part in (slice(0, 1), slice(1, 6)):
        interests = Interests(tf.constant(vectors[part], tf.float32), tf.constant(routing[part]))
        found = examine(interests, tf.constant(candidates[part], tf.float32))
        arrays = {name: value.numpy() for name, value in found.items()}
        report.add(arrays, np.full(6, 4)[part], hits[part], np.ones_like(hits[part]))
    assert flat(report.figures) == pytest.approx(flat(whole))
    for name in ("list_shares", "cosines"):
        np.testing.assert_allclose(report.figures[name], whole[name], rtol=1e-6)


def test_one_vector_without_routing_has_nothing_to_report():
    found = figures([[EAST]], [[EAST]], [[True]])
    assert found == {} and flat(found) == {} and sentence(found) == ""


def test_the_sentence_names_all_figures():
    found = figures([[EAST, NORTH]], [[EAST, EAST, EAST, NORTH]], [[True] * 4], [[[1.0, 0], [0.5, 0.5]]])
    assert sentence(found) == "interests: each reads 1.5 of 4.0 items, cosine of two 0.00, share of hits 75% 25%"
