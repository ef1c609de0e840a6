"""Features as flat arrays: of each item the codes of each column, on disk and back."""

import shutil

import numpy as np
import pytest

from remi_tf.data.features.columns import MISSING, FeatureColumn
from remi_tf.data.features.store import (
    CODES,
    FEATURES,
    OFFSETS,
    Features,
    check_features,
    code_rows,
    feature_files,
    load_features,
    padding,
)
from remi_tf.errors import InputError
from tests.feature_toys import COLUMNS, raw_values, toy_features


def codes_of(features: Features, row: int, column: int) -> list[int]:
    """The codes of one column of one item, counted from the column's own first code."""
    place = row * len(features.columns) + column
    start, end = features.offsets[place : place + 2]
    return (features.codes[start:end] - features.starts[column]).tolist()


def test_every_item_has_the_codes_that_each_column_gives_it():
    features = toy_features(9)
    assert features.num_rows == 10
    for column, values in enumerate(raw_values(9)):
        for row, text in enumerate(values, start=1):
            if COLUMNS[column].kind == "vector":
                assert codes_of(features, row, column) == [MISSING + bool(text)]
            else:
                assert codes_of(features, row, column) == COLUMNS[column].codes(text)


def test_codes_of_different_columns_never_meet():
    features = toy_features(9)
    owners = np.repeat(np.arange(len(features.offsets) - 1) % len(COLUMNS), np.diff(features.offsets))
    for column in range(len(COLUMNS)):
        own = features.codes[owners == column]
        assert own.min() >= features.starts[column] and own.max() < features.starts[column + 1]


def test_padding_is_an_item_of_which_nothing_is_known():
    assert padding(COLUMNS).num_rows == 1 and not padding(COLUMNS).known.any()
    features = toy_features(9)
    assert not features.known[0] and not features.vectors[4][0].any()
    nothing = [np.full([1, each.width], np.nan) if each.kind == "vector" else [""] for each in COLUMNS]
    assert code_rows(COLUMNS, nothing, ["i"]).known.tolist() == [False]
    values = [["Western", "Drama", "", ""], [""] * 4, ["", "", "7", ""], [""] * 4, ["", "", "", "[1, 2, 3]"]]
    assert code_rows(COLUMNS, values, list("abcd")).known.tolist() == [False, True, True, True]  # no code for Western


def test_vectors_are_scaled_and_what_is_given_stays_as_it_was():
    given = np.array([[2.0, 0, 4], [np.nan, np.nan, np.nan]], np.float32)
    column = (FeatureColumn("image", "vector", width=3, scale=0.5),)
    features = code_rows(column, [given], ["a", "b"])
    np.testing.assert_array_equal(features.vectors[0], [[1, 0, 2], [0, 0, 0]])
    assert given[0, 0] == 2 and np.isnan(given[1]).all()
    from_text = code_rows(column, [["[2, 0, 4]", ""]], ["a", "b"])
    np.testing.assert_array_equal(from_text.vectors[0], features.vectors[0])


def test_what_a_column_cannot_hold_is_named_with_its_item():
    with pytest.raises(InputError, match=r"item 'b': price \(number\): 'abc' is no number"):
        code_rows((FeatureColumn("price", "number"),), [["1", "abc"]], ["a", "b"])
    image = (FeatureColumn("image", "vector", width=3),)
    with pytest.raises(InputError, match=r"item 'b': image \(vector\): a vector of 2 numbers, where others have 3"):
        code_rows(image, [["[1, 2, 3]", "[1, 2]"]], ["a", "b"])
    with pytest.raises(InputError, match="image: vectors of 2 numbers, where the column has 3"):
        code_rows(image, [np.zeros([1, 2])], ["a"])


def test_features_come_back_from_disk_as_they_were(tmp_path):
    features = toy_features(9)
    features.save(tmp_path)
    loaded = load_features(tmp_path)
    assert loaded.columns == features.columns
    np.testing.assert_array_equal(loaded.codes, features.codes)
    np.testing.assert_array_equal(loaded.offsets, features.offsets)
    np.testing.assert_array_equal(loaded.vectors[4], features.vectors[4])
    assert sorted(feature_files(tmp_path)) == sorted(file.name for file in tmp_path.iterdir())
    assert load_features(tmp_path / "nowhere") is None and feature_files(tmp_path / "nowhere") == []


def test_values_keep_every_character_but_line_ends(tmp_path):
    values = ("caf\u00e9", "a\u2028b", "\u00a0", "x\x85y", "tab\tend")
    column = FeatureColumn("brand", "category", values=values)
    code_rows((column,), [["caf\u00e9"]], ["i"]).save(tmp_path)
    assert load_features(tmp_path).columns == (column,)


def test_more_rows_follow_those_that_are_there():
    whole, first = toy_features(9), toy_features(4)
    rest = code_rows(COLUMNS, [values[4:] for values in raw_values(9)], [f"i{row}" for row in range(5, 10)])
    joined = first.followed_by(rest)
    np.testing.assert_array_equal(joined.codes, whole.codes)
    np.testing.assert_array_equal(joined.offsets, whole.offsets)
    np.testing.assert_array_equal(joined.vectors[4], whole.vectors[4])


def test_damaged_files_are_refused_by_name(tmp_path):
    (tmp_path / "whole").mkdir()
    toy_features(9).save(tmp_path / "whole")
    check_features(tmp_path / "whole", 10)
    with pytest.raises(InputError, match=r"item_features\.json: the arrays are not those of 8 items"):
        check_features(tmp_path / "whole", 9)
    for name, content in ((FEATURES, b"{"), (CODES, b"x"), (OFFSETS, b""), ("item_vectors_4.npy", b"x")):
        shutil.copytree(tmp_path / "whole", tmp_path / name)
        (tmp_path / name / name).write_bytes(content)
        with pytest.raises(InputError, match=name.replace(".", r"\.")):
            check_features(tmp_path / name, 10)
    np.save(tmp_path / "whole" / "item_vectors_4.npy", np.zeros([10, 4], np.float32))
    with pytest.raises(InputError, match="prepare the dataset again"):
        check_features(tmp_path / "whole", 10)
