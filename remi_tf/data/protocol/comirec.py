"""A folder in ComiRec's text format → dataset, taken as it is: its split, its ids, no filter.

NAME_train.txt, NAME_valid.txt, NAME_test.txt   user,item,index or user,item,index,timestamp, without header
NAME_item_map.txt                               raw id,number (optional)
NAME_item_cate.txt, NAME_cate.txt               item number,category number (optional)
"""

from pathlib import Path
from typing import Any

import numpy as np

from remi_tf.data.dataset.folder import write_dataset
from remi_tf.data.dataset.interactions import SPLITS, Interactions
from remi_tf.data.dataset.vocabulary import Vocabulary
from remi_tf.data.protocol.splits import history_cuts
from remi_tf.data.tables.rows import BadRow, BadRows, check_id, date, parse_time, split_records
from remi_tf.data.tables.streams import open_members, read_blocks
from remi_tf.errors import InputError

MAPS = ("{name}_item_map.txt", "item_map.txt")
CATEGORIES = ("{name}_item_cate.txt", "{name}_cate.txt", "item_cate.txt")


def prepare_comirec(
    folder: str | Path,
    output: str | Path,
    *,
    name: str | None = None,
    on_bad_row: str = "stop",
    overwrite: bool = False,
) -> dict[str, Any]:
    """Read a folder of text files and write the dataset.

    Rows of a user are sorted by the index column (stable). Items are 1..the largest number that occurs.

    Returns:
      The manifest's `made_by`, as prepare_log does.

    Raises:
      InputError: a file is missing or a row cannot be used.
    """
    folder, output = Path(folder), Path(output)
    prefix = _prefix(folder)
    bad = BadRows(on_bad_row)
    files = [f"{prefix}_{split}.txt" for split in SPLITS]
    read = {split: _read_split(folder / file, bad) for split, file in zip(SPLITS, files, strict=True)}
    numbers = {split: data[0] for split, data in read.items()}
    num_items = max(int(data.items.max(initial=0)) for data in numbers.values())
    raw_ids, map_file = _raw_ids(folder, prefix, num_items, bad)
    categories, names, category_file = _categories(folder, prefix, num_items, bad)
    for split, (data, _, _) in read.items():
        numbers[split] = _with_cuts(data, split)
    files += [file for file in (map_file, category_file) if file]
    made_by = _made_by(files, numbers, num_items, all(timed for _, _, timed in read.values()), bad)
    write_dataset(
        output,
        name=name or output.resolve().name,
        splits=numbers,
        users={split: users for split, (_, users, _) in read.items()},
        vocabulary=Vocabulary(raw_ids),
        made_by=made_by,
        categories=categories,
        category_names=names,
        overwrite=overwrite,
    )
    made_by["splits"] = {split: (data.num_users, len(data.items)) for split, data in numbers.items()}
    return made_by


def _prefix(folder: Path) -> str:
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; --source comirec takes the folder of NAME_train.txt")
    found = sorted(path.name.removesuffix("_train.txt") for path in folder.glob("*_train.txt"))
    if len(found) != 1:
        seen = f"there are {', '.join(found)}" if found else "there is none"
        raise InputError(f"{folder}: one NAME_train.txt is expected; {seen}")
    for split in SPLITS:
        if not (folder / f"{found[0]}_{split}.txt").is_file():
            raise InputError(f"{folder}: {found[0]}_{split}.txt is missing")
    return found[0]


def _records(path: Path, widths: tuple[int, ...], bad: BadRows) -> list[tuple[str, list[str]]]:
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


def _read_split(path: Path, bad: BadRows) -> tuple[Interactions, list[str], bool]:
    """(sequences, raw user ids in order of first appearance, whether the file has timestamps)."""
    codes: dict[str, int] = {}
    table: list[tuple[int, int, float, int]] = []
    records = _records(path, (3, 4), bad)
    timed = bool(records) and all(len(fields) == 4 for _, fields in records)
    for place, fields in records:
        try:
            user = check_id(fields[0], "user")
            item, index = _number(fields[1], "item", 1), parse_time(fields[2], "index", "none")
            seconds = int(parse_time(fields[3], "timestamp", "none")) if timed else 0
        except BadRow as error:
            bad.add(place, error)
            continue
        table.append((codes.setdefault(user, len(codes)), item, index, seconds))
    users = np.array([row[0] for row in table], np.int64)
    order = np.lexsort((np.array([row[2] for row in table]), users))
    lengths = np.bincount(users, minlength=len(codes))
    offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    items = np.array([row[1] for row in table], np.int32)[order]
    seconds_of = np.array([row[3] for row in table], np.int64)[order]
    if not timed:
        seconds_of = np.arange(len(items)) - np.repeat(offsets[:-1], lengths)
    return Interactions(items, seconds_of, offsets, lengths), list(codes), timed


def _number(text: str, column: str, lowest: int) -> int:
    if not text.strip().isdecimal() or not lowest <= int(text) < 2**31:
        raise BadRow("item is not a number", f"{column} {text!r} is not a whole number from {lowest}")
    return int(text)


def _with_cuts(data: Interactions, split: str) -> Interactions:
    """In valid and test the first int(0.8 n) of n rows are history."""
    cuts = data.lengths if split == "train" else history_cuts(data.lengths)
    return Interactions(data.items, data.timestamps, data.offsets, cuts)


def _find(folder: Path, prefix: str, names: tuple[str, ...]) -> Path | None:
    paths = (folder / name.format(name=prefix) for name in names)
    return next((path for path in paths if path.is_file()), None)


def _raw_ids(folder: Path, prefix: str, num_items: int, bad: BadRows) -> tuple[list[str], str | None]:
    """Raw ids of 1..num_items: the item map's names, else the numbers themselves; and the map's file name."""
    raw_ids = [str(number) for number in range(1, num_items + 1)]
    path = _find(folder, prefix, MAPS)
    if path is None:
        return raw_ids, None
    for place, (raw_id, text) in _records(path, (2,), bad):
        try:
            number = _number(text, "item number", 0)
            if 1 <= number <= num_items:
                raw_ids[number - 1] = check_id(raw_id, "raw id")
        except BadRow as error:
            bad.add(place, error)
    return raw_ids, path.name


def _categories(
    folder: Path, prefix: str, num_items: int, bad: BadRows
) -> tuple[np.ndarray | None, list[str] | None, str | None]:
    """([num_items + 1] int32 categories from 1, their names, the file's name), or nothing."""
    path = _find(folder, prefix, CATEGORIES)
    if path is None:
        return None, None, None
    categories, names = np.zeros(num_items + 1, np.int32), dict[str, int]()
    for place, (item, category) in _records(path, (2,), bad):
        try:
            number = _number(item, "item", 0)
        except BadRow as error:
            bad.add(place, error)
            continue
        if 1 <= number <= num_items:
            categories[number] = names.setdefault(category.strip(), len(names) + 1)
    return categories, list(names), path.name


def _made_by(
    files: list[str], splits: dict[str, Interactions], num_items: int, timed: bool, bad: BadRows
) -> dict[str, Any]:
    lengths = np.concatenate([data.lengths for data in splits.values()])
    if not len(lengths):
        raise InputError(f"{', '.join(files[:3])}: no rows")
    if not splits["train"].num_users:
        raise InputError(f"{files[0]}: no rows, so nothing to train on")
    users, rows = len(lengths), int(lengths.sum())
    kept: dict[str, Any] = {"users": users, "items": num_items, "interactions": rows}
    kept["length_min_median_max"] = [int(lengths.min()), float(np.median(lengths)), int(lengths.max())]
    if timed:
        times = np.concatenate([data.timestamps for data in splits.values()])
        kept["time_span"] = [date(times.min()), date(times.max())] if times.max() < 2**36 else []
    return {
        "source": "comirec",
        "files": [{"file": file} for file in files],
        "settings": {"split": "as given", "min_count": "as given"},
        "raw": {"rows": rows, "users": users, "items": num_items, "time_unit": "s" if timed else "none"},
        "dropped": {f"bad rows: {reason}": count for reason, count in bad.counts.items()},
        "kept": kept,
        "notes": [f"skipped {example}" for example in bad.examples],
    }
