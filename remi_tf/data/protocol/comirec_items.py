"""The rows of ComiRec's text files, and what they say of items: raw ids and categories.

NAME_item_map.txt                               raw id,number (optional)
NAME_item_cate.txt, NAME_cate.txt               item number,category number (optional)
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from remi_tf.data.dataset.vocabulary import Vocabulary
from remi_tf.data.protocol.prepare import item_labels
from remi_tf.data.tables.archives import open_members
from remi_tf.data.tables.item_tables import ItemColumns, add_item_table
from remi_tf.data.tables.raw_log import RawLog
from remi_tf.data.tables.rows import BadRow, BadRows, check_id, split_records
from remi_tf.data.tables.streams import read_blocks
from remi_tf.errors import InputError

MAPS = ("{name}_item_map.txt", "item_map.txt")
CATEGORIES = ("{name}_item_cate.txt", "{name}_cate.txt", "item_cate.txt")


@dataclass(frozen=True)
class ItemTable:
    """A table of titles and categories, and its columns."""

    path: str | Path | pd.DataFrame
    columns: ItemColumns


@dataclass(frozen=True)
class ItemMap:
    """The raw ids that NAME_item_map.txt gives to item numbers (0 is padding)."""

    file: str
    named: dict[int, str]

    @property
    def largest(self) -> int:
        """The largest number that has a raw id."""
        return max(self.named, default=0)

    def raw_ids(self, num_items: int) -> list[str]:
        """Raw ids of 1..num_items: the map's, else the numbers themselves.

        Raises:
          InputError: the number of an item without a raw id is the raw id of another item.
        """
        numbers = {raw_id: number for number, raw_id in self.named.items() if 1 <= number <= num_items}
        for number in range(1, num_items + 1):
            if number not in self.named and str(number) in numbers:
                raise InputError(
                    f"{self.file}: item {number} has no raw id, and {str(number)!r} is the raw id of item "
                    f"{numbers[str(number)]}; give item {number} a raw id"
                )
        return [self.named.get(number, str(number)) for number in range(1, num_items + 1)]


def records(path: Path, widths: tuple[int, ...], bad: BadRows) -> list[tuple[str, list[str]]]:
    """(place, fields) of each row of a comma-separated file whose rows have one of these widths."""
    rows = []
    with open_members([path], bad) as members:
        for member in members:
            with member.open() as stream:
                for block in read_blocks(stream, member.label, bad, ",", quoting=False):
                    for record in split_records(block.data, block.first_line, ",", quoting=False):
                        place = f"{member.label} line {record.line}"
                        if len(record.fields) in widths:
                            rows.append((place, record.fields))
                            continue
                        expected = " or ".join(map(str, widths))
                        message = f"{len(record.fields)} columns where {expected} are expected"
                        bad.add(place, BadRow("number of columns", message))
    return rows


def item_number(text: str, column: str, lowest: int) -> int:
    """A whole number from `lowest`.

    Raises:
      BadRow: it is none.
    """
    plain = text.strip()
    if not plain.isdecimal() or len(plain) > 10 or not lowest <= int(plain) < 2**31:
        shown = text if len(text) <= 40 else text[:40] + "…"
        raise BadRow("item is not a number", f"{column} {shown!r} is not a whole number from {lowest}")
    return int(plain)


def _find(folder: Path, prefix: str, names: tuple[str, ...]) -> Path | None:
    paths = (folder / name.format(name=prefix) for name in names)
    return next((path for path in paths if path.is_file()), None)


def read_item_map(folder: Path, prefix: str, bad: BadRows) -> ItemMap | None:
    """The folder's item map, or None if it has none."""
    path = _find(folder, prefix, MAPS)
    if path is None:
        return None
    numbers: dict[str, int] = {}
    named: dict[int, str] = {}
    for place, (raw_id, text) in records(path, (2,), bad):
        try:
            number = item_number(text, "item number", 0)
            raw_id = check_id(raw_id, "raw id").strip()
            if raw_id in numbers:
                raise BadRow("raw id twice", f"raw id {raw_id!r} is that of item {numbers[raw_id]} already")
            if number in named:
                raise BadRow("item number twice", f"item {number} has the raw id {named[number]!r} already")
        except BadRow as error:
            bad.add(place, error)
            continue
        numbers[raw_id], named[number] = number, raw_id
    return ItemMap(path.name, named)


def with_table(
    table: ItemTable,
    vocabulary: Vocabulary,
    categories: np.ndarray | None,
    names: list[str] | None,
    made_by: dict[str, Any],
    bad: BadRows,
) -> tuple[list[str] | None, np.ndarray | None, list[str] | None]:
    """Titles, categories and their names with those of an item table; the folder's own categories come first."""
    raw_ids = vocabulary.raw_ids(range(1, len(vocabulary) + 1))
    none = np.zeros(0, np.int32)
    log = RawLog(none, none, pa.array([], pa.string()), pa.array(raw_ids, pa.string()), None, "none")
    if categories is not None and names is not None:
        log.categories = {raw_id: names[code - 1] for raw_id, code in zip(raw_ids, categories[1:], strict=True) if code}
    add_item_table(log, table.path, table.columns, None, None, bad)
    made_by["files"] += log.files
    made_by["notes"] += log.notes
    return item_labels(log, vocabulary)


def read_categories(
    folder: Path, prefix: str, num_items: int, bad: BadRows
) -> tuple[np.ndarray | None, list[str] | None, str | None]:
    """([num_items + 1] int32 categories from 1, their names, the file's name), or nothing."""
    path = _find(folder, prefix, CATEGORIES)
    if path is None:
        return None, None, None
    categories, names = np.zeros(num_items + 1, np.int32), dict[str, int]()
    for place, (item, category) in records(path, (2,), bad):
        try:
            number = item_number(item, "item", 0)
        except BadRow as error:
            bad.add(place, error)
            continue
        if 1 <= number <= num_items:
            categories[number] = names.setdefault(category.strip(), len(names) + 1)
    return categories, list(names), path.name


def item_notes(
    prefix: str, num_items: int, item_map: ItemMap | None, category_file: str | None, categories: np.ndarray | None
) -> list[str]:
    """What the summary says of the item map and the categories of the folder: which file, and of how many items."""
    if item_map is None:
        notes = [f"no {prefix}_item_map.txt: items are called by their numbers"]
    else:
        count = sum(1 <= number <= num_items for number in item_map.named)
        others = "; the others are called by their numbers" if count < num_items else ""
        notes = [f"{item_map.file} names {count:,} of {num_items:,} items{others}"]
    if categories is None:
        return [*notes, f"no {prefix}_item_cate.txt: the folder says nothing of categories"]
    return [*notes, f"{category_file} gives {np.count_nonzero(categories):,} of {num_items:,} items a category"]
