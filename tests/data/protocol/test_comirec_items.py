"""Raw ids and categories of a folder in ComiRec's text format."""

import pytest

from remi_tf.data.protocol.comirec_items import item_number, read_categories, read_item_map
from remi_tf.data.tables.rows import BadRow, BadRows
from remi_tf.errors import InputError


def test_the_map_names_items_and_the_others_keep_their_numbers(tmp_path):
    (tmp_path / "toy_item_map.txt").write_text("a b , 2\nc,3\nd,99\n")
    item_map = read_item_map(tmp_path, "toy", BadRows())
    assert item_map.raw_ids(3) == ["1", "a b", "c"] and item_map.file == "toy_item_map.txt"
    assert item_map.largest == 99 and read_item_map(tmp_path, "other", BadRows()) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,1\na,2\n", "item_map.txt line 2: raw id 'a' is that of item 1 already; mend it"),
        ("a,1\n a,2\n", "item_map.txt line 2: raw id 'a' is that of item 1 already"),
        ("a,1\nb,1\n", "item_map.txt line 2: item 1 has the raw id 'a' already"),
        ("2,1\n", "item_map.txt: item 2 has no raw id, and '2' is the raw id of item 1; give item 2 a raw id"),
    ],
)
def test_a_raw_id_of_two_items_is_refused_with_its_line(tmp_path, text, message):
    (tmp_path / "item_map.txt").write_text(text)
    with pytest.raises(InputError, match=message.replace(".", r"\.")):
        read_item_map(tmp_path, "toy", BadRows()).raw_ids(3)


def test_categories_are_numbered_from_1(tmp_path):
    (tmp_path / "toy_cate.txt").write_text("1,55\n3,66\n9,77\n")
    codes, names, file = read_categories(tmp_path, "toy", 3, BadRows())
    assert codes.tolist() == [0, 1, 0, 2] and names[:2] == ["55", "66"] and file == "toy_cate.txt"


@pytest.mark.parametrize("text", ["", "x", "1.5", "-1", "9" * 5000, "2147483648"])
def test_what_is_no_item_number_is_a_bad_row(text):
    with pytest.raises(BadRow, match="is not a whole number from 0"):
        item_number(text, "item", 0)
