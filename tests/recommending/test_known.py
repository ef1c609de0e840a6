"""How much of a batch is known, and what may be wrong with the rest."""

import pytest

from remi_tf.recommending.histories import from_lists
from remi_tf.recommending.known import known_of, spellings
from tests.serving_toys import make_dataset

IDS = ["1003", "1005", "sku-7", "ABC", "0042"]


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    return make_dataset(tmp_path_factory.mktemp("data") / "shop", IDS)


def test_interactions_and_users_are_counted_and_padding_is_neither(catalogue):
    known = known_of(from_lists([["1003", "x", ""], ["x", "y"], [], ["1005", "1003"]]), catalogue, False)
    assert (known.known_interactions, known.interactions) == (3, 6)
    assert (known.known_users, known.users) == (2, 4)
    assert known.unknown == ["x", "y"] and not known.nothing and not known.little
    assert known.counts() == "3 of 6 interactions and 2 of 4 users are known"


def test_nothing_known_differs_from_nothing_given(catalogue):
    assert known_of(from_lists([["x"], ["y", "z"]]), catalogue, False).nothing
    for nobody in ([], [[], [""]]):
        known = known_of(from_lists(nobody), catalogue, False)
        assert not known.nothing and not known.little


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("1003.0", "1003"),
        (" 1003", "1003"),
        ("1003\t", "1003"),
        ("01003", "1003"),
        ('"1003"', "1003"),
        ("1003.00", "1003"),
        ("SKU-7", "sku-7"),
        ("abc", "ABC"),
        ("42", "0042"),
        ("１００３", "1003"),
        ("1003.5", None),
        ("sku-8", None),
        ("", None),
    ],
)
def test_another_spelling_of_a_known_id_is_found(catalogue, text, known):
    assert spellings([text], catalogue).get(text) == known


def test_items_in_the_place_of_users_are_noticed(catalogue):
    swapped = known_of(from_lists({"1003": ["ann", "bob"], "ABC": ["eve"]}), catalogue, True)
    assert "swapped?" in swapped.why(catalogue)
    assert "swapped?" not in known_of(from_lists({"ann": ["x"], "1003": ["y"]}), catalogue, True).why(catalogue)
