"""Feature columns of an item table, from each form of table, and bad values in them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from remi_tf.data.tables.feature_kinds import parse_features
from remi_tf.data.tables.feature_tables import as_vector
from remi_tf.data.tables.item_tables import ItemColumns, add_item_table
from remi_tf.data.tables.labels import CategoryChoice
from remi_tf.data.tables.rows import BadRows
from remi_tf.errors import InputError
from tests.raw_logs import HEAD, read_text

ITEMS = 12
IDS = [f"i{k}" for k in range(ITEMS)]
VECTORS = np.arange(ITEMS * 8, dtype=np.float64).reshape(ITEMS, 8) + 0.5


def read(tmp_path: Path, table, features: str, bad: BadRows | None = None, choice: CategoryChoice | None = None):
    log = read_text(tmp_path, HEAD + "".join(f"u,i{k},1\n" for k in range(ITEMS)))
    columns = ItemColumns(choice=choice or CategoryChoice(), features=parse_features(features, "--item_features"))
    add_item_table(log, table, columns, "item", None, bad or BadRows())
    return log


def frame() -> pd.DataFrame:
    tags = [["a", "b"], None, [], ["c"]]
    return pd.DataFrame(
        {
            "item": IDS,
            "tags": [tags[k % 4] for k in range(ITEMS)],
            "brand": [None if k % 3 == 0 else f"b{k % 3}" for k in range(ITEMS)],
            "price": [float("nan") if k == 5 else k + 0.5 for k in range(ITEMS)],
            "out": pd.date_range("2020-01-01", periods=ITEMS),
            "image": [None if k == 7 else VECTORS[k].tolist() for k in range(ITEMS)],
        }
    )


def written(tmp_path: Path, form: str):
    table, path = frame(), tmp_path / f"items.{form}"
    if form == "frame":
        return table
    if form == "parquet":
        table.to_parquet(path)
    elif form == "csv":
        table.to_csv(path, index=False)
    else:
        table.to_json(path, orient="records", lines=True, date_format="iso")
    return path


@pytest.mark.parametrize("form", ["frame", "parquet", "csv", "jsonl"])
def test_every_form_of_table_gives_the_same_features_and_kinds(tmp_path, form):
    log = read(tmp_path, written(tmp_path, form), "tags,brand,price,out,image")
    features = log.features
    kinds = ["multi", "category", "number", "date", "vector"]
    assert [each.kind for each in features.asked] == kinds
    assert f"--item_features {','.join(f'{n}:{k}' for n, k in features.asked)}" in "\n".join(log.notes)
    brands = features.of_items(1, ["i1", "i0", "nobody"])
    assert brands == ["b1", "", ""]
    assert [float(text) for text in features.of_items(2, ["i1", "i2"])] == [1.5, 2.5]
    assert features.of_items(2, ["i5"]) == [""]
    vectors = features.of_items(4, ["i3", "i7", "nobody", "i0"])
    np.testing.assert_array_equal(vectors[[0, 3]], VECTORS[[3, 0]].astype(np.float32))
    assert np.isnan(vectors[1:3]).all()


def test_an_array_next_to_the_table_is_its_vectors_row_by_row(tmp_path):
    rows = "".join(f"{raw_id},t{raw_id}\n" for raw_id in reversed(IDS))
    (tmp_path / "items.csv").write_text("item,title\nbroken\n" + rows)
    np.save(tmp_path / "image.npy", np.concatenate([[np.full(8, 99.0)], VECTORS[::-1]]))
    features = read(tmp_path, tmp_path / "items.csv", "image", BadRows("skip")).features
    np.testing.assert_array_equal(features.of_items(0, ["i3"]), VECTORS[[3]].astype(np.float32))
    np.save(tmp_path / "image.npy", VECTORS)
    with pytest.raises(InputError, match=r"items\.csv: 13 rows, and image\.npy next to it has 12; they must match"):
        read(tmp_path, tmp_path / "items.csv", "image:vector", BadRows("skip"))
    np.save(tmp_path / "image.npy", VECTORS[:, 0])
    with pytest.raises(InputError, match=r"image\.npy: float64 \(12,\); a vector feature is an array"):
        read(tmp_path, tmp_path / "items.csv", "image:vector")
    (tmp_path / "image.npy").write_bytes(b"no array")
    with pytest.raises(InputError, match=r"image\.npy: no array that NumPy can read"):
        read(tmp_path, tmp_path / "items.csv", "image:vector")


@pytest.mark.parametrize(
    ("head", "row", "features", "message"),
    [
        ("price", "cheap", "price:number", "items.csv line 4: price: 'cheap' is no number"),
        ("out", "soon", "out:date", "items.csv line 4: out: 'soon' is no date of the form iso"),
        ("v", '"[1, 2, 3]"', "v:vector", "items.csv line 4: v: a vector of 3 numbers, where others have 2"),
        ("v", '"[1, NaN]"', "v:vector", "items.csv line 4: v: a vector with a number that is not finite"),
        ("v", "abc", "v:vector", "items.csv line 4: v: 'abc' is no list of numbers"),
    ],
)
def test_a_value_that_is_not_of_its_kind_is_named_or_its_row_skipped(tmp_path, head, row, features, message):
    good = {"price": "1.5", "out": "2020-01-31", "v": '"[1, 2]"'}[head]
    rows = [f"{raw_id},{row if k == 2 else good},name {k}\n" for k, raw_id in enumerate(IDS)]
    (tmp_path / "items.csv").write_text(f"item,{head},title\n" + "".join(rows))
    with pytest.raises(InputError) as error:
        read(tmp_path, tmp_path / "items.csv", features)
    assert message in str(error.value) and "--on_bad_row skip" in str(error.value)
    bad = BadRows("skip")
    log = read(tmp_path, tmp_path / "items.csv", features, bad)
    assert bad.counts.total() == 1 and "i2" not in log.features.rows and "i2" not in log.titles
    assert len(log.features.rows) == ITEMS - 1


def test_vectors_of_another_length_are_found_in_parquet_too(tmp_path):
    table = pd.DataFrame({"item": IDS, "v": [[0.5] * (3 if k == 4 else 2) for k in range(ITEMS)]})
    table.to_parquet(tmp_path / "items.parquet")
    with pytest.raises(InputError, match=r"items\.parquet row 5: v: a vector of 3 numbers, where others have 2"):
        read(tmp_path, tmp_path / "items.parquet", "v:vector")


def test_a_column_that_is_not_there_is_named_with_what_is_near(tmp_path):
    (tmp_path / "items.csv").write_text("item,genres\ni0,a\n")
    with pytest.raises(InputError, match=r"items\.csv: no column 'genre'; there are .*; did you mean 'genres'\?"):
        read(tmp_path, tmp_path / "items.csv", "genre")


def test_an_item_with_two_rows_that_differ_is_named_with_both_places(tmp_path):
    (tmp_path / "items.csv").write_text("item,brand\ni0,a\ni1,b\ni0,c\ni1,b\n")
    with pytest.raises(InputError, match=r"items\.csv line 4: item 'i0' stands in items\.csv line 2 already, with oth"):
        read(tmp_path, tmp_path / "items.csv", "brand")
    bad = BadRows("skip")
    features = read(tmp_path, tmp_path / "items.csv", "brand", bad).features
    assert features.of_items(0, ["i0", "i1"]) == ["a", "b"]
    assert bad.counts == {"item table: an item twice": 1}


def test_the_separator_of_categories_splits_several_values(tmp_path):
    rows = "".join(f"{raw_id},Home > P{k % 2}\n" for k, raw_id in enumerate(IDS))
    (tmp_path / "items.csv").write_text("item,path\n" + rows)
    features = read(tmp_path, tmp_path / "items.csv", "path", choice=CategoryChoice(separator=" > ")).features
    assert features.asked[0].kind == "multi"


def test_vectors_are_lists_of_finite_numbers():
    np.testing.assert_array_equal(as_vector("[1, 2]"), as_vector(np.array([1.0, 2.0])))
    assert as_vector(" ") is None and as_vector("[]", 2) is None
    np.testing.assert_array_equal(as_vector("[1, 2.5]", 2), [1, 2.5])
    with pytest.raises(ValueError, match="of 1 numbers, where others have 2"):
        as_vector("[1]", 2)
    for wrong in ("[true, 1]", "5", "[[1], [2]]", "[1e300, 1]", "[1, NaN]", "x"):
        with pytest.raises(ValueError, match=r"no list|not finite"):
            as_vector(wrong)
