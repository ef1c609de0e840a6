"""The filter of rare items and short users (k-core), and which of repeated rows stays."""

from dataclasses import dataclass

import numpy as np

from remi_tf.data.protocol.options import PrepareSettings
from remi_tf.data.tables.raw_log import RawLog
from remi_tf.errors import InputError


@dataclass(frozen=True)
class Kept:
    """What the filters leave: rows (indexes into the log, in file order) and the items by descending popularity."""

    rows: np.ndarray
    item_order: np.ndarray
    dropped: dict[str, int]


def keep_core(log: RawLog, settings: PrepareSettings) -> Kept:
    """Apply dedup and the core filter.

    Items are numbered by how often they occur. For `single` the whole log (after dedup) is counted, as in the papers.
    It includes the rows of validation and test users, whatever the split. For `iterative` the rows that remain are
    counted. Ties keep the order of first appearance.

    Raises:
      InputError: nothing is left; the message names the filter.
    """
    minimum, dropped = settings.min_count, {}
    rows = first_of_each_pair(log) if settings.dedup else None
    users, items = (log.users, log.items) if rows is None else (log.users[rows], log.items[rows])
    if rows is not None:
        dropped["repeats of a user's item (--dedup)"] = len(log) - len(rows)
    before = len(items)
    while True:
        counts = np.bincount(items, minlength=len(log.item_ids))
        item_kept = counts >= minimum
        mask = item_kept[items]
        user_counts = np.bincount(users[mask] if not mask.all() else users, minlength=len(log.user_ids))
        user_kept = user_counts >= minimum
        mask &= user_kept[users]
        if not item_kept.any():
            raise InputError(f"no item occurs {minimum} times, so nothing is left; lower --min_count")
        if not mask.any():
            raise InputError(f"no user has {minimum} rows on items that occur {minimum} times; lower --min_count")
        changed = not mask.all()
        if changed:
            kept_rows = np.flatnonzero(mask)
            rows = kept_rows if rows is None else rows[kept_rows]
            if settings.core == "iterative":
                users, items = users[kept_rows], items[kept_rows]
        if settings.core == "single" or not changed:
            break
    order = np.argsort(-counts, kind="stable")
    item_order = order[: np.count_nonzero(item_kept)]
    rows = np.arange(len(log)) if rows is None else rows
    dropped[f"items with fewer than {minimum} rows"] = len(log.item_ids) - len(item_order)
    dropped[f"users with fewer than {minimum} rows on kept items"] = len(log.user_ids) - int(user_kept.sum())
    dropped["rows of those items and users"] = before - len(rows)
    return Kept(rows, item_order, dropped)


def first_of_each_pair(log: RawLog) -> np.ndarray:
    """[m] int64 rows, in file order: the earliest of each user and item (of equal times the first)."""
    pair = log.users.astype(np.int64) * len(log.item_ids) + log.items
    order = np.argsort(pair, kind="stable") if log.times is None else np.lexsort((log.times, pair))
    ordered = pair[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    return np.sort(order[starts])
