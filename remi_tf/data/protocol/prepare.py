"""Raw log → dataset: keep frequent items and long-enough users, number items by popularity, split users, sort by time.

The default is the protocol of the ComiRec, PIMI and REMI papers; everything else is a named setting.
"""

import random
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from remi_tf.data.dataset.folder import write_dataset
from remi_tf.data.dataset.interactions import SPLITS, Interactions
from remi_tf.data.dataset.manifest import REPEATS
from remi_tf.data.dataset.profiles import ProfileColumn, encode_profiles
from remi_tf.data.dataset.vocabulary import Vocabulary
from remi_tf.data.features.store import Features
from remi_tf.data.protocol.cold import cold_last, without_cold
from remi_tf.data.protocol.core_filter import Kept, keep_core
from remi_tf.data.protocol.features import code_features, described
from remi_tf.data.protocol.options import PrepareSettings
from remi_tf.data.protocol.splits import SPLITTERS, Sequences
from remi_tf.data.tables.raw_log import RawLog
from remi_tf.data.tables.rows import date
from remi_tf.errors import InputError


def prepare_log(
    log: RawLog,
    output: str | Path,
    settings: PrepareSettings | None = None,
    *,
    name: str | None = None,
    source: str = "columns",
    overwrite: bool = False,
) -> dict[str, Any]:
    """Filter, number, split and write a raw log. `log` cannot be used again: its arrays are freed.

    Returns:
      The manifest's `made_by`; `summary_lines` puts it into words.

    Raises:
      InputError: a filter leaves nothing, or the output exists and `overwrite` is false.
    """
    settings = settings or PrepareSettings()
    output = Path(output)
    if not len(log):
        reasons = "; ".join(f"{count:,} rows: {reason}" for reason, count in log.dropped.items())
        raise InputError(f"the log has no rows{f' left ({reasons})' if reasons else ''}; check --input")
    made_by: dict[str, Any] = {"source": source, "files": log.files, "settings": asdict(settings)}
    made_by["raw"] = {"rows": len(log), "users": len(log.user_ids), "items": len(log.item_ids), "time_unit": log.unit}
    kept, num_cold = keep_and_order(log, settings)
    vocabulary = Vocabulary(log.item_ids.take(pa.array(kept.item_order)).to_pylist())
    sequences, user_ids = build_sequences(log, kept, settings)
    made_by["dropped"] = {**log.dropped, **kept.dropped}
    made_by["kept"] = _describe(sequences, len(vocabulary))
    labels = dict(zip(("titles", "categories", "category_names"), item_labels(log, vocabulary), strict=True))
    log.users = log.items = np.zeros(0, np.int32)
    log.times = None
    splits, chosen, emptied = _split(sequences, settings, len(vocabulary) - num_cold)
    columns, splits = _with_profiles(log, user_ids, splits, chosen, made_by)
    users = {split: user_ids.take(pa.array(numbers)).to_pylist() for split, numbers in chosen.items()}
    if num_cold:
        made_by["kept"]["cold"] = {"items": num_cold, "emptied_users": emptied}
    features = _features(log, vocabulary, splits["train"], made_by)
    made_by["notes"] = log.notes + [f"{split} has no users: the log is small" for split in SPLITS if not users[split]]
    manifest = write_dataset(
        output,
        name=name or output.resolve().name,
        splits=splits,
        users=users,
        vocabulary=vocabulary,
        made_by=made_by,
        **labels,  # type: ignore[arg-type]
        profile_columns=columns,
        features=features,
        num_cold=num_cold,
        overwrite=overwrite,
    )
    made_by["splits"] = {split: (data.num_users, len(data.items)) for split, data in splits.items()}
    made_by[REPEATS] = manifest[REPEATS]
    return made_by


def keep_and_order(log: RawLog, settings: PrepareSettings) -> tuple[Kept, int]:
    """The rows and items that are kept, cold items last, and how many are cold.

    Raises:
      InputError: nothing is left, or no item is cold or none is not.
    """
    kept = keep_core(log, settings)
    if not settings.cold_share:
        return kept, 0
    item_order, num_cold = cold_last(kept.item_order, settings.cold_share, settings.cold_seed)
    if not 0 < num_cold < len(item_order):
        raise InputError(
            f"--cold_share {settings.cold_share}: that is {num_cold:,} of the {len(item_order):,} items; give another "
            "share"
        )
    return replace(kept, item_order=item_order), num_cold


def _features(log: RawLog, vocabulary: Vocabulary, train: Interactions, made_by: dict[str, Any]) -> Features | None:
    """The features of rows 0..I, if the log has some; what is to be said goes into the log's notes and `made_by`."""
    if log.features is None:
        return None
    trained = np.bincount(train.items, minlength=len(vocabulary) + 1) > 0
    features, said = code_features(log.features, vocabulary, trained)
    log.features = None
    log.notes += said
    made_by["kept"]["features"] = described(features)
    return features


def _split(
    sequences: Sequences, settings: PrepareSettings, warm: int
) -> tuple[dict[str, Interactions], dict[str, np.ndarray], int]:
    """Split → its interactions, and the numbers of its users.

    Args:
      warm: the last row that training users may have.

    Returns:
      Both, and how many training users had no other rows.
    """
    splits, users, emptied = {}, {}, 0
    for split, (interactions, chosen) in SPLITTERS[settings.split](sequences).items():
        if split == "train" and settings.cold_share:
            before = len(chosen)
            interactions, chosen = without_cold(interactions, chosen, warm)
            emptied = before - len(chosen)
        splits[split], users[split] = interactions, chosen
    if not splits["train"].num_users:
        raise InputError(
            f"--split {settings.split} leaves no user for train out of {sequences.num_users}; the log is too small"
        )
    return splits, users, emptied


def build_sequences(log: RawLog, kept: Kept, settings: PrepareSettings) -> tuple[Sequences, pa.Array]:
    """The kept rows by user (users shuffled by the seed), each user's rows sorted by time (ties in file order).

    Returns:
      The sequences and [users] the raw user ids in their order.
    """
    whole = len(kept.rows) == len(log)
    users = log.users if whole else log.users[kept.rows]
    present = np.flatnonzero(
        np.bincount(users, minlength=len(log.user_ids))
    )  # codes count in order of first appearance
    shuffled = present.tolist()
    random.Random(settings.seed).shuffle(shuffled)  # Python's shuffle: the papers' split is defined by it
    shuffled_codes = np.array(shuffled, np.int64)
    position = np.zeros(len(log.user_ids), np.int32)
    position[shuffled_codes] = np.arange(len(shuffled), dtype=np.int32)
    times = None if log.times is None else (log.times if whole else log.times[kept.rows])
    owners = position[users]
    order = sort_rows(owners, times)
    item_row = np.zeros(len(log.item_ids), np.int32)  # raw code → row
    item_row[kept.item_order] = np.arange(1, len(kept.item_order) + 1, dtype=np.int32)
    items = item_row[(log.items if whole else log.items[kept.rows])[order]]
    lengths = np.bincount(owners, minlength=len(shuffled))
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    if log.has_calendar:
        assert times is not None
        seconds = log.seconds(times[order])
    else:
        seconds = np.arange(len(items), dtype=np.int64) - np.repeat(offsets[:-1], lengths)
    return Sequences(items, seconds, offsets, log.has_calendar), log.user_ids.take(pa.array(shuffled_codes))


def sort_rows(users: np.ndarray, times: np.ndarray | None) -> np.ndarray:
    """[n] order of rows by user, then time; ties keep their order."""
    if times is None or np.all(times[1:] >= times[:-1]):
        return _stable_order(users)
    by_time = _stable_order(times)
    return by_time[_stable_order(users[by_time])]


def _stable_order(key: np.ndarray) -> np.ndarray:
    """np.argsort(key, kind="stable"), several times faster for whole numbers.

    Value and row are packed into one integer, so that numpy's vectorised plain sort does it and ties stay in order.
    """
    row_bits = (len(key) - 1).bit_length()
    if key.dtype.kind == "f" or int(key.max()) - int(key.min()) >= 2 ** (63 - row_bits):
        return np.argsort(key, kind="stable")
    packed = np.subtract(key, key.min(), dtype=np.int64)
    packed <<= row_bits
    packed |= np.arange(len(key), dtype=np.int32 if row_bits < 32 else np.int64)
    packed.sort()
    packed &= (1 << row_bits) - 1
    return packed


def item_labels(log: RawLog, vocabulary: Vocabulary) -> tuple[list[str] | None, np.ndarray | None, list[str] | None]:
    """Titles of rows 1.., [I + 1] int32 categories (0 = unknown), category names; None where the log has none."""
    raw_ids = vocabulary.raw_ids(range(1, len(vocabulary) + 1))
    titles = [" ".join(log.titles.get(raw_id, "").split()) for raw_id in raw_ids] if log.titles else None
    if not log.categories:
        return titles, None, None
    # Numbered by first appearance among the kept items, in the order of the item table or log.
    kept = set(raw_ids)
    labels = {raw_id: " ".join(label.split()) for raw_id, label in log.categories.items() if raw_id in kept}
    numbers: dict[str, int] = {}
    for label in labels.values():
        numbers.setdefault(label, len(numbers) + 1)
    rows = [0, *(numbers[labels[raw_id]] if raw_id in labels else 0 for raw_id in raw_ids)]
    return titles, np.array(rows, np.int32), list(numbers)


def _with_profiles(
    log: RawLog,
    user_ids: pa.Array,
    splits: dict[str, Interactions],
    chosen: dict[str, np.ndarray],
    made_by: dict[str, Any],
) -> tuple[tuple[ProfileColumn, ...], dict[str, Interactions]]:
    """The log's profile columns, and the splits with the codes of their users; as it was where the log has none.

    Args:
      chosen: split → the numbers of its users in `user_ids`.

    Raises:
      InputError: none of the users has a value of one of the columns.
    """
    if not log.profiles:
        return (), splits
    trained = np.isin(np.arange(len(user_ids)), chosen["train"])
    names = user_ids.to_pylist()
    columns, codes = encode_profiles(log.profile_columns, log.profile_forms, log.profiles, names, trained)
    empty = [column.name for column, own in zip(columns, codes.T, strict=True) if not own.any()]
    if empty:
        table = next((file["file"] for file in log.files if file.get("holds") == "user table"), "the user table")
        raise InputError(
            f"{table}: none of the {len(user_ids):,} kept users has a value of {', '.join(empty)}; leave "
            f"{'it' if len(empty) == 1 else 'them'} out of --user_features"
            + (", or leave out --users" if len(empty) == len(columns) else "")
        )
    made_by["kept"]["profiles"] = [
        {"name": column.name, "kind": column.kind, "values": column.size, "share": float(np.mean(own > 0))}
        for column, own in zip(columns, codes.T, strict=True)
    ]
    return columns, {split: replace(each, profiles=codes[chosen[split]]) for split, each in splits.items()}


def _describe(sequences: Sequences, num_items: int) -> dict[str, Any]:
    """Counts, lengths and time span for the summary and the manifest."""
    lengths = np.diff(sequences.offsets)
    described: dict[str, Any] = {
        "users": sequences.num_users,
        "items": num_items,
        "interactions": len(sequences.items),
        "length_min_median_max": [int(lengths.min()), float(np.median(lengths)), int(lengths.max())],
    }
    if sequences.calendar:
        times = sequences.timestamps
        described["time_span"] = [date(times.min()), date(times.max())]
    return described


def summary_lines(made_by: dict[str, Any]) -> list[str]:
    """What was made and what was dropped, as lines of text."""
    kept, raw = made_by["kept"], made_by["raw"]
    low, median, high = kept["length_min_median_max"]
    lines = [
        f"read      {raw['rows']:,} rows, {raw['users']:,} users, {raw['items']:,} items",
        f"kept      {kept['interactions']:,} interactions, {kept['users']:,} users, {kept['items']:,} items",
        f"lengths   min {low:,}, median {median:g}, max {high:,}",
        f"times     {' to '.join(kept['time_span']) if 'time_span' in kept else 'none (order only)'}",
    ]
    for column in kept.get("profiles", []):
        name, kind, values, share = (column[key] for key in ("name", "kind", "values", "share"))
        what = "values" if kind == "category" else "quantiles"
        lines.append(f"profile   {name} ({kind}): {values:,} {what}; {share:.1%} of the users have it")
    for feature in kept.get("features", []):
        name, kind, holds, share = (feature[key] for key in ("name", "kind", "holds", "share"))
        lines.append(f"feature   {name} ({kind}): {holds}; {share:.1%} of the items have it")
    if "cold" in kept:
        items, emptied = kept["cold"]["items"], kept["cold"]["emptied_users"]
        left = f"; {emptied:,} training users had no others, and are left out" if emptied else ""
        lines.append(f"cold      {items:,} items are hidden from training{left}")
    lines += [
        f"{split:<9} {users:,} users, {interactions:,} interactions"
        for split, (users, interactions) in made_by["splits"].items()
    ]
    lines.append(f"repeats   {made_by[REPEATS]:.1%} of the training users' targets are items of their history")
    lines += [f"dropped   {count:,} {reason}" for reason, count in made_by["dropped"].items() if count]
    return lines + [f"note      {note}" for note in made_by["notes"]]
