"""What cannot be answered, and what is left out of an answer: the words name the argument and the remedy."""

import numpy as np
import pandas as pd
import pytest

import remi_tf
from remi_tf.errors import InputError
from tests.serving_toys import TinyModel, make_dataset, make_run

pytestmark = pytest.mark.trains


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"histories": ["a", "b"]}, "give a list of histories, each a list of raw ids"),
        ({"histories": "ïtem 3"}, "give a list of histories"),
        ({"histories": np.array([3, 4])}, "give a list of histories"),
        ({"top_n": 0}, "top_n 0: give a positive whole number"),
        ({"top_n": 2.5}, "top_n 2.5: give a positive whole number"),
        ({"allow": []}, "allow: an empty list allows nothing"),
        ({"allow": [""]}, "allow: an empty list allows nothing"),
        ({"categories": [""]}, "categories: an empty list allows nothing"),
        ({"allow": ["nobody"]}, r"no id of allow is known: 'nobody'; the known ones are listed in .*items\.txt"),
        ({"categories": ["Crime"]}, r"no name of categories is known: 'Crime'; .* listed in .*category_names\.txt"),
        ({"histories": None}, "give a list of histories"),
        ({"histories": {"ann": None}}, r"user 'ann' has None; give a list of raw ids, \[\] where nothing is known"),
        ({"histories": {"ann": "ïtem 3"}}, "user 'ann' has 'ïtem 3'; give a list of raw ids"),
        (
            {"histories": [["ïtem 3"], ["ïtem 3", None]]},
            r"user 1, place 1 \(from 0\): None is missing, not a raw id; leave it out",
        ),
        ({"histories": {"ann": [float("nan")]}}, r"user 'ann', place 0 \(from 0\): nan is missing, not a raw id"),
        (
            {"histories": {"ann": [["ïtem 3"]]}},
            r"user 'ann', place 0 \(from 0\): \['ïtem 3'\] of type list is not a raw id",
        ),
        ({"histories": [[b"\xff"]]}, r"user 0, place 0 \(from 0\): b'\\xff' is not UTF-8"),
        ({"exclude": [None]}, "exclude: None is missing, not a raw id"),
        ({"exclude": 5}, r"exclude: give a list, such as \[5\]"),
        ({"exclude_history": "never"}, "exclude_history 'never': give yes, no or auto"),
        ({"diversity": "x"}, "diversity 'x': give a number, 0 or more"),
        ({"exclude": "ïtem 3"}, r"exclude: give a list, such as \['ïtem 3'\]"),
        ({"diversity": -1.0}, "^diversity -1 is not 0 or more"),
        ({"diversity": float("nan")}, "diversity nan is not 0 or more"),
        ({"timestamps": [[1]]}, "timestamps: the model does not read them; leave them out"),
        ({"timestamps": [[1, 2]]}, "timestamps: give one for each item of each history"),
        ({"timestamps": [1]}, "timestamps: give one for each item of each history"),
        ({"timestamps": 1}, "timestamps: give one for each item of each history"),
        ({"timestamps": {"ann": [1]}}, "timestamps: give one for each item of each history"),
        (
            {"timestamps": [["2014-01-01"]]},
            r"timestamps: user 0, place 0 \(from 0\): '2014-01-01' is not a whole number",
        ),
        ({"timestamps": [[float("inf")]]}, "inf is not a whole number of seconds since 1970"),
        ({"timestamps": [[None]]}, "None is not a whole number of seconds since 1970"),
        ({"timestamps": [[-1.0]]}, "-1 is negative"),
        ({"timestamps": [[1388534400000]]}, "are these milliseconds?"),
        ({"profiles": {0: ["F", "1"]}}, "profiles: the model does not read them; leave them out"),
        ({"histories": pd.DataFrame({"user": [1]})}, "item"),
        (
            {"histories": pd.DataFrame({"user": [1], "item": [None]})},
            r"the frame row 0: item is empty; mend it, .*frame\.dropna\(\).*keep_default_na=False",
        ),
    ],
)
def test_arguments_that_cannot_be_used_are_refused(recommender, arguments, message):
    with pytest.raises(InputError, match=message):
        recommender.recommend(**{"histories": [["ïtem 3"]], **arguments})


def test_what_an_index_or_data_without_categories_cannot_do_is_refused(whole_numbers, tmp_path):
    _, by_index = whole_numbers
    with pytest.raises(InputError, match="allow: an index cannot be searched by it; leave out the index"):
        by_index.recommend([["ïtem 3"]], allow=["ïtem 4"])
    plain = remi_tf.Recommender(make_run(tmp_path / "run", TinyModel(), make_dataset(tmp_path / "data")))
    with pytest.raises(InputError, match=r"diversity: the data have no categories \(prepare.py --category_col\)"):
        plain.recommend([["ïtem 3"]], diversity=0.5)


@pytest.mark.parametrize("where", ["item_table", "projection"])
def test_a_model_without_numbers_is_refused_and_not_answered_by_popular_items(dataset, tmp_path, where):
    model = TinyModel()
    getattr(model, where).assign(getattr(model, where) * float("nan"))
    with pytest.raises(InputError, match="the run has diverged"):
        remi_tf.Recommender(make_run(tmp_path / "run", model, dataset)).recommend([["ïtem 3"]])


@pytest.mark.parametrize(
    ("name", "known", "file"),
    [
        ("exclude", "ïtem 5", "items.txt"),
        ("allow", "ïtem 5", "items.txt"),
        ("categories", "crime", "category_names.txt"),
    ],
)
def test_unknown_names_beside_known_ones_are_told_once(dataset, recommender, monkeypatch, name, known, file):
    told = []
    monkeypatch.setattr("absl.logging.warning", lambda text, *values: told.append(text % values))
    fresh = remi_tf.Recommender(recommender.run)
    expected_rows = fresh.recommend([["ïtem 3"]], **{name: [known]})
    assert not told
    for _ in range(2):
        rows = fresh.recommend([["ïtem 3"]], **{name: [known, "nobody", "Krimi"]})
        pd.testing.assert_frame_equal(rows, expected_rows)
    where = f"the known ones are listed in {dataset.path / file}"
    assert told == [f"{name}: not in the catalogue and ignored: 'nobody', 'Krimi'; {where}"]
