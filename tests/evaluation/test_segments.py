"""Users in segments, by hand."""

import numpy as np
import pytest

from remi_tf.evaluation.list_metrics import ItemFacts
from remi_tf.evaluation.segments import by_segment, segments
from remi_tf.evaluation.tally import Evaluation
from tests.evaluation_toys import interactions

COUNTS = np.array([0, 4, 4, 4, 3, 3, 3, 3, 0])  # a third: items 1 and 2; two thirds: up to item 4, which crosses it
CATEGORIES = np.array([0, 1, 1, 2, 2, 3, 3, 0, 0])


def found(*users, counts=COUNTS, categories=CATEGORIES, evaluated=None):
    """(kind, name) → members."""
    evaluated = np.arange(len(users)) if evaluated is None else np.array(evaluated)
    parts = segments(interactions(*users), evaluated, ItemFacts(counts, categories))
    return {(part.kind, part.name): part.members.tolist() for part in parts}


def of_kind(kind, parts):
    return {name: members for (other, name), members in parts.items() if other == kind}


def test_quarters_of_the_length_of_the_history():
    users = [([1] * length, [1]) for length in (1, 2, 3, 4, 5, 6, 7, 8)]
    parts = of_kind("history", found(*users))
    assert parts == {"1–2 items": [0, 1], "3–4 items": [2, 3], "5–6 items": [4, 5], "7–8 items": [6, 7]}


def test_users_of_one_length_are_never_divided():
    users = [([1] * length, [1]) for length in (2, 2, 2, 2, 2, 9)]
    assert of_kind("history", found(*users)) == {"2 items": [0, 1, 2, 3, 4], "9 items": [5]}


def test_the_members_are_positions_among_the_evaluated_users():
    users = [([1], [1]), ([1], []), ([1] * 3, [1])]
    assert of_kind("history", found(*users, evaluated=[0, 2])) == {"1 items": [0], "3 items": [1]}


def test_spread_is_the_effective_number_of_known_categories():
    """One category, whatever is unknown; two evenly; three to one (e^H = 1.75); only unknown ones."""
    parts = found(([1, 2, 7], [1]), ([1, 3], [1]), ([1, 1, 2, 3], [1]), ([7, 8], [1]))
    assert of_kind("category_spread", parts) == {
        "1.00 categories": [0],
        "1.75 categories": [2],
        "2.00 categories": [1],
        "unknown": [3],
    }


def test_without_categories_there_is_no_spread():
    assert {kind for kind, _ in found(([1], [1]), categories=None)} == {"history", "target_popularity"}


def test_head_middle_and_tail_have_a_third_of_the_interactions_each():
    """24 interactions: items 1 and 2 have 8. Item 8 was never seen, so it is in the tail."""
    counts = np.array([0, 5, 3, 4, 4, 4, 3, 1, 0])
    users = [([1], [item]) for item in range(1, 9)]
    parts = of_kind("target_popularity", found(*users, counts=counts))
    # by count: 1 (5), 3, 4, 5 (4 each), 2, 6 (3 each), 7 (1); before them 0, 5, 9, 13, 17, 20, 23
    assert parts == {"head": [0, 2], "middle": [3, 4], "tail": [1, 5, 6, 7]}


def test_a_user_belongs_where_most_targets_lie_and_to_the_less_popular_of_equal_parts():
    counts = np.array([0, 3, 3, 3, 0, 0, 0, 0, 0])
    users = [([1], [1, 1, 3]), ([1], [1, 2]), ([1], [2, 3, 2]), ([1], [1, 3])]
    parts = of_kind("target_popularity", found(*users, counts=counts))
    assert parts == {"head": [0], "middle": [1, 2], "tail": [3]}


def test_the_means_of_a_segment_are_those_of_its_users():
    users = [([1], [1]), ([1, 1], [1]), ([1, 1], [1])]
    parts = segments(interactions(*users), np.arange(3), ItemFacts(COUNTS))
    evaluation = Evaluation(
        {"recall@5": np.array([1.0, 0.5, 0.0]), "diversity@5": np.array([np.nan, 1.0, np.nan])}, np.arange(3), 0, 0.0
    )
    rows = by_segment(parts, {"model": evaluation})
    assert rows["history"] == [
        {"segment": "1 items", "users": 1, "metrics": {"model": {"recall@5": 1.0}}},
        {"segment": "2 items", "users": 2, "metrics": {"model": {"recall@5": 0.25, "diversity@5": 1.0}}},
    ]


@pytest.mark.parametrize("kind", ["history", "category_spread", "target_popularity"])
def test_every_user_is_in_one_segment_of_each_kind(kind):
    draw = np.random.default_rng(3)
    users = [(draw.integers(1, 9, draw.integers(1, 9)).tolist(), draw.integers(1, 9, 3).tolist()) for _ in range(50)]
    members = [user for part in of_kind(kind, found(*users)).values() for user in part]
    assert sorted(members) == list(range(50))
