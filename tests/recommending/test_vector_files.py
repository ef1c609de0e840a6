"""Files of vectors: what was written comes back, in any number of batches."""

import numpy as np
import pytest
from pyarrow import parquet

from remi_tf.errors import InputError
from remi_tf.recommending import vector_files
from remi_tf.recommending.vector_files import VectorFiles

RNG = np.random.default_rng(0)
INTERESTS = RNG.standard_normal([25, 3, 4]).astype(np.float32)
USERS = [f"üser, {number}" for number in range(25)]


def write(folder, form, active=None):
    active = np.ones(INTERESTS.shape[:2], bool) if active is None else active
    files = VectorFiles(folder, form, {"scores": "cosine"})
    with files.users() as add:
        for rows in np.array_split(np.arange(25), [1, 12]):
            add([USERS[row] for row in rows], INTERESTS[rows], active[rows])
    return files


def test_npy_files_hold_row_by_row_what_came_in_batches(tmp_path):
    assert write(tmp_path, "npy").names == ["interests.npy", "users.txt"]
    np.testing.assert_array_equal(np.load(tmp_path / "interests.npy"), INTERESTS)
    assert (tmp_path / "users.txt").read_text(encoding="utf-8").split("\n") == [*USERS, ""]


def test_a_million_rows_fit_into_the_room_that_the_first_header_left(tmp_path):
    with open(tmp_path / "a.npy", "wb") as file:
        vector_files._write_header(file, (1, 8, 512))
        start = file.tell()
        file.seek(0)
        vector_files._write_header(file, (10**12, 8, 512))
        assert file.tell() == start


@pytest.mark.parametrize("group_bytes", [1, 10**9])
def test_parquet_leaves_out_interests_that_a_user_does_not_have(tmp_path, monkeypatch, group_bytes):
    monkeypatch.setattr(vector_files, "GROUP_BYTES", group_bytes)
    active = RNG.random([25, 3]) < 0.5
    active[:, 0] = True
    write(tmp_path, "parquet", active)
    table = parquet.read_table(tmp_path / "users.parquet")
    pairs = list(zip(table["user"].to_pylist(), table["interest"].to_pylist(), strict=True))
    assert pairs == [(USERS[user], k) for user in range(25) for k in range(3) if active[user, k]]
    np.testing.assert_array_equal(np.array(table["vector"].to_pylist(), np.float32), INTERESTS[active])
    assert table.schema.metadata[b"scores"] == b"cosine"
    assert str(table.schema.field("vector").type).startswith("fixed_size_list") and table["vector"].type.list_size == 4


def test_what_is_known_of_items_is_in_parquet_files(tmp_path):
    known = {"title": ["A", "B"], "category": ["x", None]}
    VectorFiles(tmp_path, "parquet", {}).write_items(["a", "b\n"], INTERESTS[0, :2], **known)
    table = parquet.read_table(tmp_path / "items.parquet").to_pydict()
    assert {name: table[name] for name in ("item", "title", "category")} == {"item": ["a", "b\n"], **known}
    assert np.array_equal(np.array(table["vector"], np.float32), INTERESTS[0, :2])


def test_an_id_with_a_line_break_is_refused_where_a_line_is_a_row(tmp_path):
    files = VectorFiles(tmp_path, "npy", {})
    with files.users() as add:
        add(["a"], INTERESTS[:1], None)
        with pytest.raises(
            InputError, match=r"users.txt line 3: 'c\\nd' holds a line break; .* or take --form parquet"
        ):
            add(["b", "c\nd"], INTERESTS[1:3], None)


def test_an_unknown_form_is_refused(tmp_path):
    with pytest.raises(InputError, match="form 'csv': choose one of parquet, npy"):
        VectorFiles(tmp_path, "csv", {})
