"""What is wanted of recommendations: nothing asked for is nothing passed on, and unknown names are told."""

import numpy as np
import pytest

from remi_tf.errors import InputError
from remi_tf.recommending.choices import Choices, checked
from tests.serving_toys import NUM_ITEMS, RAW_IDS, make_dataset


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    return make_dataset(tmp_path_factory.mktemp("data") / "tiny", categories=True)


def test_what_asks_for_nothing_is_not_passed_on(catalogue):
    assert checked(Choices(exclude_history=False), catalogue, True) == ({"top_n": 10, "exclude_history": False}, [])
    plain = Choices(exclude=(), allow=None, diversity=0.0)
    assert checked(plain, catalogue, False)[0].keys() == {"top_n", "exclude_history"}


def test_choices_arrive_as_the_graph_takes_them(catalogue):
    wanted = Choices(np.int64(3), np.bool_(True), (raw for raw in RAW_IDS[:2]), np.array(RAW_IDS[5:7]), ["crime"], 2)
    given, warnings = checked(wanted, catalogue, True)
    assert given == {
        "top_n": 3,
        "exclude_history": True,
        "exclude": [RAW_IDS[:2]],
        "allow": [RAW_IDS[5:7]],
        "categories": [["crime"]],
        "diversity": 2.0,
    }
    assert warnings == [] and type(given["top_n"]) is int and type(given["exclude_history"]) is bool


def test_nobody_gets_more_items_than_there_are(catalogue):
    assert checked(Choices(top_n=10**9), catalogue, True)[0]["top_n"] == NUM_ITEMS


def test_unknown_names_are_told_and_many_are_counted(catalogue):
    unknown = [f"nobody {n}" for n in range(8)]
    (warning,) = checked(Choices(exclude=[*unknown, RAW_IDS[0]]), catalogue, True)[1]
    assert warning.startswith("exclude: not in the catalogue and ignored: 'nobody 0'")
    assert "'nobody 4' and 3 more" in warning and "nobody 5" not in warning
    assert len(checked(Choices(exclude=unknown), catalogue, True)[1]) == 1  # to exclude what is not there is no error


@pytest.mark.parametrize(
    ("choices", "has_categories", "message"),
    [
        ({"top_n": True}, True, "top_n True: give a positive whole number"),
        ({"allow": []}, True, "an empty list allows nothing"),
        ({"allow": ["nobody"]}, True, "no id of allow is known"),
        ({"categories": ["nothing"]}, True, "no name of categories is known"),
        ({"categories": ["crime"]}, False, "the data have no categories"),
        ({"diversity": 1.0}, False, "the data have no categories"),
    ],
)
def test_a_choice_that_leaves_nothing_is_refused(catalogue, choices, has_categories, message):
    with pytest.raises(InputError, match=message):
        checked(Choices(**choices), catalogue, has_categories)
