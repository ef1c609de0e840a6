"""A folder in ComiRec's text format → dataset, taken as it is: its split, its ids, no filter.

NAME_train.txt, NAME_valid.txt, NAME_test.txt   without header: user,item,index (ComiRec), user,item,time (PIMI) or
                                                user,item,index,time (REMI)
NAME_item_map.txt                               raw id,number (optional)
NAME_item_cate.txt, NAME_cate.txt               item number,category number (optional)
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from remi_tf.data.dataset.folder import write_dataset
from remi_tf.data.dataset.interactions import SPLITS, Interactions
from remi_tf.data.dataset.manifest import REPEATS
from remi_tf.data.dataset.views import history_cuts
from remi_tf.data.dataset.vocabulary import Vocabulary
from remi_tf.data.protocol.comirec_items import (
    ItemMap,
    ItemTable,
    item_notes,
    item_number,
    read_categories,
    read_item_map,
    records,
    with_table,
)
from remi_tf.data.tables.rows import BadRow, BadRows, check_id, date, parse_time
from remi_tf.data.tables.units import guess_unit, per_second, unit_name
from remi_tf.errors import InputError

SAMPLE = 100_000  # times that show the unit
FEWEST_NUMBERS, NUMBERS_A_ROW = 1_000_000, 10
"""Item numbers go up to the larger of these: a million, or ten for each row."""


@dataclass
class _Rows:
    """The rows of one split: file and line, raw user, item number, index (None: the times order), time."""

    places: list[str] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    items: list[int] = field(default_factory=list)
    orders: list[float | None] = field(default_factory=list)
    times: list[str] = field(default_factory=list)


def prepare_comirec(
    folder: str | Path,
    output: str | Path,
    *,
    name: str | None = None,
    time_unit: str | None = None,
    item_table: ItemTable | None = None,
    on_bad_row: str = "stop",
    overwrite: bool = False,
) -> dict[str, Any]:
    """Read a folder of text files and write the dataset.

    Rows of a user are sorted by the index or, where there is none, the time (stable). Items are 1..the largest number
    that occurs. With an item map, numbers up to its largest one are items, named there or not; a row beyond is bad.

    Args:
      time_unit: of the times; None = guessed from all of them. `none`: they only order.

    Returns:
      The manifest's `made_by`, as prepare_log does.

    Raises:
      InputError: a file is missing, a user has rows in two of the files, or a row cannot be used.
    """
    folder, output = Path(folder), Path(output)
    prefix = _prefix(folder)
    bad = BadRows(on_bad_row)
    files = [f"{prefix}_{split}.txt" for split in SPLITS]
    item_map = read_item_map(folder, prefix, bad)
    rows, unit = _read_splits([folder / file for file in files], time_unit, item_map, bad)
    _refuse_shared_users(files, rows)
    numbers, users = {}, {}
    for split, of_split in zip(SPLITS, rows, strict=True):
        numbers[split], users[split] = _sequences(of_split, unit, split, bad)
    num_items = max(int(data.items.max(initial=0)) for data in numbers.values())
    raw_ids = item_map.raw_ids(num_items) if item_map else [str(number) for number in range(1, num_items + 1)]
    categories, names, category_file = read_categories(folder, prefix, num_items, bad)
    files += [file for file in (item_map and item_map.file, category_file) if file]
    made_by = _made_by(files, numbers, num_items, unit, bad)
    made_by["notes"] += item_notes(prefix, num_items, item_map, category_file, categories)
    if time_unit is None and unit != "none":
        made_by["notes"].append(
            f"times were read as {unit_name(unit)} (guessed from all of them); --time_unit says otherwise"
        )
    vocabulary, titles = Vocabulary(raw_ids), None
    if item_table is not None:
        titles, categories, names = with_table(item_table, vocabulary, categories, names, made_by, bad)
    manifest = write_dataset(
        output,
        name=name or output.resolve().name,
        splits=numbers,
        users=users,
        vocabulary=vocabulary,
        made_by=made_by,
        titles=titles,
        categories=categories,
        category_names=names,
        overwrite=overwrite,
    )
    made_by["splits"] = {split: (data.num_users, len(data.items)) for split, data in numbers.items()}
    made_by[REPEATS] = manifest[REPEATS]
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


def _read_splits(
    paths: list[Path], time_unit: str | None, item_map: ItemMap | None, bad: BadRows
) -> tuple[list[_Rows], str]:
    """The rows of the three files, and the unit of their times (`none` where there are none, or they only order)."""
    read = [records(path, (3, 4), bad) for path in paths]
    widths = [len(fields) for of_file in read for _, fields in of_file[:1]]
    width = widths[0] if widths else 3
    splits = [_parse(of_file, width, bad) for of_file in read]
    times = [text for rows in splits for text in rows.times]
    unit = time_unit if time_unit not in (None, "auto") else guess_unit(times[:: max(1, len(times) // SAMPLE)])
    assert unit is not None
    if unit == "none" and width == 4 and time_unit in (None, "auto"):
        unit = "s"  # small numbers in a column of times
    entries = sum(len(rows.items) for rows in splits)
    largest = max(FEWEST_NUMBERS, NUMBERS_A_ROW * entries)
    beyond = f"is far beyond the {entries:,} rows (items are numbered from 1; at most {largest:,})"
    error = BadRow("item number too large", beyond)
    splits = [_within(rows, largest, error, bad) for rows in splits]
    if item_map is not None:
        beyond = f"is beyond the largest number that {item_map.file} names ({item_map.largest:,})"
        error = BadRow("item beyond the item map", beyond, "give it a raw id there, mend it or add --on_bad_row skip")
        splits = [_within(rows, item_map.largest, error, bad) for rows in splits]
    return splits, unit


def _refuse_shared_users(files: list[str], rows: list[_Rows]) -> None:
    """Raise InputError if a user has rows in two files: training would see a history that is tested."""
    first: dict[str, str] = {}  # user → file and line of the first row
    for file, of_split in zip(files, rows, strict=True):
        own: dict[str, str] = {}
        for user, place in zip(of_split.users, of_split.places, strict=True):
            own.setdefault(user, place)
        shared = [user for user in own if user in first]
        if shared:
            user = shared[0]
            more = f" ({len(shared):,} users of {file} are in earlier files)" if len(shared) > 1 else ""
            raise InputError(
                f"{own[user]}: user {user!r} is also in {first[user]}{more}; a user belongs to one file: take the "
                "rows out of the others, or prepare the raw log, which is split anew"
            )
        first |= own


def _parse(records: list[tuple[str, list[str]]], width: int, bad: BadRows) -> _Rows:
    """Of rows of three columns the last is the time as well as what orders."""
    rows = _Rows()
    for place, fields in records:
        try:
            user, item = check_id(fields[0], "user").strip(), item_number(fields[1], "item", 1)
            if len(fields) != width:
                raise BadRow("number of columns", f"{len(fields)} columns where the first row has {width}")
            order = None if width == 3 else parse_time(fields[2], "index", "none")
        except BadRow as error:
            bad.add(place, error)
            continue
        for values, value in zip(vars(rows).values(), (place, user, item, order, fields[-1]), strict=True):
            values.append(value)
    return rows


def _within(rows: _Rows, largest: int, error: BadRow, bad: BadRows) -> _Rows:
    """Without rows whose item number is above the largest: the item table would be as long. error: what is wrong."""
    if max(rows.items, default=0) <= largest:
        return rows
    keep = []
    for at, number in enumerate(rows.items):
        if number <= largest:
            keep.append(at)
            continue
        bad.add(rows.places[at], BadRow(error.reason, f"item {number} {error.message}", error.remedy))
    return _Rows(*([values[at] for at in keep] for values in vars(rows).values()))


def _sequences(rows: _Rows, unit: str, split: str, bad: BadRows) -> tuple[Interactions, list[str]]:
    """The sequences of a split with their cuts, and raw user ids in the order of first appearance."""
    codes: dict[str, int] = {}
    table: list[tuple[int, int, float, int]] = []  # user, item, what orders, seconds
    for place, user, item, order, text in zip(*vars(rows).values(), strict=True):
        try:
            time = parse_time(text, "time" if unit != "none" else "index", unit)
        except BadRow as error:
            bad.add(place, error)
            continue
        seconds = int(time // per_second(unit)) if unit != "none" else 0
        table.append((codes.setdefault(user, len(codes)), item, time if order is None else order, seconds))
    users = np.array([row[0] for row in table], np.int64)
    ordered = np.lexsort((np.array([row[2] for row in table]), users))
    lengths = np.bincount(users, minlength=len(codes))
    offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    items = np.array([row[1] for row in table], np.int32)[ordered]
    stamps = np.array([row[3] for row in table], np.int64)[ordered]
    if unit == "none":
        stamps = np.arange(len(items)) - np.repeat(offsets[:-1], lengths)
    cuts = lengths if split == "train" else history_cuts(lengths)
    return Interactions(items, stamps, offsets, cuts), list(codes)


def _made_by(
    files: list[str], splits: dict[str, Interactions], num_items: int, unit: str, bad: BadRows
) -> dict[str, Any]:
    lengths = np.concatenate([data.lengths for data in splits.values()])
    if not len(lengths):
        raise InputError(f"{', '.join(files[:3])}: no rows")
    if not splits["train"].num_users:
        raise InputError(f"{files[0]}: no rows, so nothing to train on")
    users, rows = len(lengths), int(lengths.sum())
    kept: dict[str, Any] = {"users": users, "items": num_items, "interactions": rows}
    kept["length_min_median_max"] = [int(lengths.min()), float(np.median(lengths)), int(lengths.max())]
    if unit != "none":
        times = np.concatenate([data.timestamps for data in splits.values()])
        kept["time_span"] = [date(times.min()), date(times.max())]
    return {
        "source": "comirec",
        "files": [{"file": file} for file in files],
        "settings": {"split": "as given", "min_count": "as given"},
        "raw": {"rows": rows, "users": users, "items": num_items, "time_unit": unit},
        "dropped": {f"bad rows: {reason}": count for reason, count in bad.counts.items()},
        "kept": kept,
        "notes": [f"skipped {example}" for example in bad.examples],
    }
