"""Categories and titles out of lists, objects and paths."""

import pytest

from remi_tf.data.tables.labels import CategoryChoice, choose_categories, elements, profile_text, title_of
from remi_tf.errors import InputError


@pytest.mark.parametrize(
    "text",
    [
        *(
            "a|b",
            "['a', 'b']",
            '["a", "b"]',
            "['a' 'b']",
            "['a'\n 'b']",
            "('a', 'b')",
            '[["a", "b"], ["c"]]',
            " a | b ",
        ),
        *('[{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]', "[{'id': 1, 'name': 'a'}, {'name': 'b'}]"),
    ],
)
def test_one_path_in_several_forms(text):
    assert elements(text) == ["a", "b"]


def test_what_is_no_list_is_one_category_and_nothing_is_none():
    assert elements("[REC] and more") == ["[REC] and more"] and elements("a, b") == ["a, b"]
    assert elements("a > b > c", " > ") == ["a", "b", "c"] and elements("[1]") == ["1"]
    assert elements("[]") == elements("") == elements("[None]") == [] and elements('{"name": "x"}') == ["x"]


PATHS = {f"i{k}": f"Books|{'Crime' if k % 2 else 'Poetry'}|{'Own' + str(k)}" for k in range(20)}


def test_the_deepest_level_that_tells_items_apart_and_is_shared_is_chosen():
    chosen, notes = choose_categories(PATHS, CategoryChoice())
    assert set(chosen.values()) == {"Crime", "Poetry"} and "number 2" in notes[0] and "--category_level" in notes[0]


@pytest.mark.parametrize(("level", "expected"), [("first", "Books"), ("last", "Own3"), ("2", "Crime"), ("9", "Own3")])
def test_the_level_can_be_given(level, expected):
    assert choose_categories(PATHS, CategoryChoice(level))[0]["i3"] == expected


def test_categories_of_no_use_are_noted():
    _, notes = choose_categories({f"i{k}": "Books" for k in range(20)}, CategoryChoice())
    assert notes == ["category 'Books' holds 20 of 20 items, so it tells little"]
    _, notes = choose_categories({f"i{k}": f"c{k}" for k in range(20)}, CategoryChoice())
    assert notes == ["nearly every item has a category of its own (20 of 20 items)"]
    _, notes = choose_categories({f"i{k}": f"Food, Bar{k % 3}" for k in range(20)}, CategoryChoice())
    assert "--category_sep ', '" in notes[0]


def test_titles_and_profiles_out_of_lists():
    assert title_of("['T1', 'T2']") == "T1" and title_of("[REC]") == "[REC]" and title_of("[5]") == "[5]"
    assert profile_text('["a", "b"]') == "a|b" and profile_text("a, b") == "a, b"


@pytest.mark.parametrize("options", [("deep",), ("0",), ("deepest", "")])
def test_a_choice_that_is_none_is_refused(options):
    with pytest.raises(InputError, match="--category_"):
        CategoryChoice(*options)
