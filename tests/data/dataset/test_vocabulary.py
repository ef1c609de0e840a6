"""Raw ids and rows: one and the same in memory and on disk."""

import numpy as np
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from remi_tf.data.dataset.vocabulary import Vocabulary

IDS = st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), min_size=1), unique=True)


@given(IDS)
def test_every_id_has_a_row_of_its_own_and_comes_back(raw_ids):
    vocabulary = Vocabulary(raw_ids)
    rows = vocabulary.rows(raw_ids)
    assert rows.dtype == np.int32 and rows.tolist() == list(range(1, len(vocabulary) + 1))
    assert vocabulary.raw_ids(rows) == raw_ids


def test_row_0_is_no_item_and_stands_for_what_is_unknown():
    vocabulary = Vocabulary(["a", "b"])
    assert vocabulary.rows(["b", "nobody", "B", ""]).tolist() == [2, 0, 0, 0]
    assert vocabulary.raw_ids([0, 2]) == ["", "b"]


def test_ids_that_look_alike_stay_apart_on_disk_and_for_a_lookup_table(tmp_path):
    raw_ids = ["007", "7", " 7", "7 ", "é", "e\u0301", "a\u2028b", "\x85"]
    path = tmp_path / "items.txt"
    Vocabulary(raw_ids).save(path)
    assert Vocabulary.load(path).rows(raw_ids).tolist() == list(range(1, 9))
    lines = tf.lookup.TextFileInitializer(
        str(path), tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER
    )
    table = tf.lookup.StaticHashTable(lines, -1)
    assert table.lookup(tf.constant(raw_ids)).numpy().tolist() == list(range(8))
