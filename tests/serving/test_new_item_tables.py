"""Tables of new items in every form, and lists of ids."""

import types

import numpy as np
import pandas as pd
import pytest

from remi_tf.data.features.columns import FeatureColumn
from remi_tf.errors import InputError
from remi_tf.serving.new_item_tables import read_ids, read_new_items

GENRES = FeatureColumn("genres", "multi", values=("Crime",))
IMAGE = FeatureColumn("image", "vector", width=2)
FRAME = pd.DataFrame(
    {
        "title": ["One", None],
        "sku": [7, 8],
        "genres": [["Crime", "Drama"], None],
        "image": [[1.0, 2.0], [3.0, 4.0]],
        "category": ["Books|Crime|Nordic", '["Cooking"]'],
    }
)


def catalogue(*columns):
    return types.SimpleNamespace(features=types.SimpleNamespace(columns=columns), category_names=["Books", "Crime"])


def codes(column: FeatureColumn, values) -> list[list[int]]:
    return [column.codes(text) for text in values]


def test_a_frame_with_lists_and_gaps_says_what_the_same_table_in_parquet_says(tmp_path):
    FRAME.to_parquet(tmp_path / "new.parquet")
    for table in (FRAME, tmp_path / "new.parquet"):
        found = read_new_items(table, catalogue(GENRES, IMAGE), "sku")
        assert found.ids == ["7", "8"] and found.titles == ["One", ""] and found.categories == ["Crime", "Cooking"]
        assert codes(GENRES, found.values[0]) == [[2, 1], [0]]
        assert found.values[1] == ["[1.0, 2.0]", "[3.0, 4.0]"]


def test_vectors_may_lie_in_an_array_next_to_the_table(tmp_path):
    FRAME[["sku", "genres"]].to_json(tmp_path / "new.jsonl", orient="records", lines=True)
    np.save(tmp_path / "image.npy", np.eye(2, dtype=np.float32))
    found = read_new_items(tmp_path / "new.jsonl", catalogue(GENRES, IMAGE))
    assert found.ids == ["7", "8"]
    np.testing.assert_array_equal(found.values[1], np.eye(2))
    np.save(tmp_path / "image.npy", np.eye(3, 2, dtype=np.float32))
    with pytest.raises(InputError, match=r"new.jsonl: 2 rows, and image.npy next to it has 3"):
        read_new_items(tmp_path / "new.jsonl", catalogue(GENRES, IMAGE))


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(InputError, match=r"--add_items .*nowhere.csv: no such file"):
        read_new_items(tmp_path / "nowhere.csv", catalogue(GENRES))
    with pytest.raises(InputError, match="no column 'genres'"):
        read_new_items(FRAME.drop(columns="genres"), catalogue(GENRES))
    with pytest.raises(InputError, match="no column 'image'"):
        read_new_items(FRAME.drop(columns="image"), catalogue(IMAGE))
    FRAME.drop(columns="image").to_json(tmp_path / "new.jsonl", orient="records", lines=True)
    with pytest.raises(InputError, match=r"image.npy: no array"):
        read_new_items(tmp_path / "new.jsonl", catalogue(IMAGE))


def test_ids_are_read_one_a_line(tmp_path):
    path = tmp_path / "gone.txt"
    path.write_text("a\n\n b, c \r\n")
    assert read_ids(path) == ["a", "b, c"]
    for content, message in ((b"\xff\n", "cannot be read"), (b"\n", "holds no id")):
        path.write_bytes(content)
        with pytest.raises(InputError, match=message):
            read_ids(path)


def test_the_column_of_ids_is_not_guessed_among_what_is_known_of_items(tmp_path):
    FRAME[["genres", "sku"]].to_json(tmp_path / "new.jsonl", orient="records", lines=True)
    with pytest.raises(InputError, match=r"no column of ids among 'genres', 'sku'; name it: --items_id_col COL"):
        read_new_items(tmp_path / "new.jsonl", catalogue(GENRES))
    assert read_new_items(tmp_path / "new.jsonl", catalogue(GENRES), "sku").ids == ["7", "8"]


def test_all_columns_of_features_are_named_where_one_is_missing():
    brand = FeatureColumn("brand", "category", values=("Acme",))
    with pytest.raises(
        InputError, match=r"no column 'brand'.*; new items need the columns genres, brand, whose values"
    ):
        read_new_items(FRAME, catalogue(GENRES, brand), "sku")


def test_a_row_that_is_there_twice_is_one():
    twice = pd.concat([FRAME, FRAME.iloc[:1]])
    assert read_new_items(twice, catalogue(GENRES), "sku").ids == ["7", "8"]
