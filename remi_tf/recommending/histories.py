"""Users' histories of raw item ids as flat arrays, and the batches that a served graph takes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from remi_tf.data.tables.data_frames import read_frame
from remi_tf.data.tables.ids import NotAnId, id_text
from remi_tf.data.tables.layouts import Columns
from remi_tf.data.tables.raw_log import RawLog
from remi_tf.data.tables.units import unix_seconds
from remi_tf.errors import InputError
from remi_tf.recommending.forms import in_python, lists_of_rows, named_lists, times_of

USERS, CELLS, PLACES = 256, 1 << 16, 1 << 20
"""A batch has at most so many users, places for items of histories, and places for items that are wanted (or one user).
"""


@dataclass(frozen=True)
class Histories:
    """users: [U] what names each user; items: [n] raw ids (str objects), the users' sequences end to end, oldest first;
    seconds: [n] int64 seconds since 1970, or None where times are unknown; offsets: [U + 1] int64, user u owns
    offsets[u]:offsets[u + 1]."""

    users: Sequence[Any]
    items: np.ndarray
    seconds: np.ndarray | None
    offsets: np.ndarray

    def batches(self, top_n: int = 1) -> Iterator[np.ndarray]:
        """[B] positions of users with histories of similar length, all users once; each user gets `top_n` items."""
        most = max(1, min(USERS, PLACES // max(top_n, 1)))
        lengths = np.diff(self.offsets)
        order = np.argsort(lengths, kind="stable")
        start = 0
        for end in range(1, len(order) + 1):
            full = end - start == most
            if end == len(order) or full or (end - start + 1) * lengths[order[end]] > CELLS:
                yield order[start:end]
                start = end

    def kept(self, keep: np.ndarray) -> "Histories":
        """Without the items where `keep` [n] is false."""
        before = np.concatenate([[0], np.cumsum(keep)])
        seconds = None if self.seconds is None else self.seconds[keep]
        return Histories(self.users, self.items[keep], seconds, before[self.offsets])

    def newest(self, known: np.ndarray, count: int) -> "Histories":
        """The last `count` items of each user for which `known` [n] is true. Long histories then cost no more."""
        after = np.concatenate([np.cumsum(known[::-1])[::-1], [0]])  # [n + 1] known items from here on
        ends = np.repeat(after[self.offsets[1:]], np.diff(self.offsets))  # [n] those of later users
        return self.kept(known & (after[:-1] - ends <= count))

    def padded(self, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Items [B, W] of these users, "" is padding, and seconds [B, W] int64, 0 where they are unknown."""
        starts, lengths = self.offsets[positions], np.diff(self.offsets)[positions]
        slots = np.arange(lengths.max(initial=0))
        filled = slots < lengths[:, None]  # [B, W]
        places = (starts[:, None] + slots)[filled]
        items, seconds = np.full(filled.shape, "", object), np.zeros(filled.shape, np.int64)
        items[filled] = self.items[places]
        if self.seconds is not None:
            seconds[filled] = self.seconds[places]
        return items, seconds


def from_lists(histories: Any, timestamps: Any = None) -> Histories:
    """Lists of raw ids, oldest first; users are named by a mapping's keys, a Series' index, else by their positions.

    Args:
      histories: lists, arrays or tensors of ids, for each user one (see `forms.named_lists`).
      timestamps: seconds since 1970 in the shape of `histories`; None = unknown. Those of a mapping or a Series go to
        the users by name.

    Raises:
      InputError: one history instead of a list of them, a history that is not a list, a value that cannot be an id or
        a time, or timestamps of another shape.
    """
    users, lists = named_lists(in_python(histories))
    lengths = [len(history) for history in lists]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    texts = [
        raw_id(item, f"histories: user {user!r}, place {place} (from 0)")
        for user, history in zip(users, lists, strict=True)
        for place, item in enumerate(history)
    ]
    seconds = None if timestamps is None else _seconds_of(times_of(timestamps, users), users, lengths)
    return Histories(users, np.array(texts, object), seconds, offsets)


def _seconds_of(times: Sequence[Sequence[Any]], users: Sequence[Any], lengths: Sequence[int]) -> np.ndarray:
    """[n] int64 seconds of the users' histories end to end."""
    for user, of_user, length in zip(users, times, lengths, strict=True):
        if len(of_user) != length:
            raise InputError(
                f"timestamps: give one for each item of each history, in the same shape; user {user!r} has {length} "
                f"items and {len(of_user)} times"
            )
    values = [
        unix_seconds(value, f"timestamps: user {user!r}, place {place} (from 0)")
        for user, of_user in zip(users, times, strict=True)
        for place, value in enumerate(of_user)
    ]
    return np.array(values, np.int64)


def raw_id(value: Any, place: str) -> str:
    """The text of a raw id that was given as text, UTF-8 bytes, a whole number, a UUID, or a scalar array or tensor.

    Raises:
      InputError: it is anything else (ids.py); the message starts with `place`.
    """
    try:
        return id_text(value)
    except NotAnId as error:
        raise InputError(f"{place}: {error}; leave it out") from error


def from_frame(frame: pd.DataFrame, user_col: str, item_col: str, time_col: str | None) -> Histories:
    """The interactions in a DataFrame, each user's in time order (without times: in row order).

    A frame whose item column holds lists has one row for each user. The index may be the column of users.

    Raises:
      InputError: a column that is missing, or a row that cannot be used.
    """
    if user_col not in frame.columns and user_col in frame.index.names:
        frame = frame.reset_index(level=user_col)
    for name in (user_col, item_col, time_col):
        if name is not None and list(frame.columns).count(name) > 1:
            raise InputError(f"column {name!r} stands twice in the frame; drop or rename one of them")
    if (rows := lists_of_rows(frame, user_col, item_col, time_col)) is not None:
        return from_lists(*rows)
    log = read_frame(frame, Columns(user_col, item_col, time_col))
    histories = from_log(log)
    if user_col not in frame:
        return histories
    # Names as they are in the frame: numbers stay numbers. Where several names have one text, the user gets the text.
    names = pd.Series(frame[user_col].to_numpy(), dtype=object).groupby(log.users)
    one_name, first = names.nunique() == 1, names.first()
    users = [first[code] if one_name[code] else text for code, text in enumerate(histories.users)]
    return replace(histories, users=users)


def from_log(log: RawLog) -> Histories:
    """The histories in a log, users in the order of their first rows, equal times in the order of rows."""
    order = np.lexsort((np.arange(len(log)) if log.times is None else log.times, log.users))
    users = log.users[order]
    offsets = np.searchsorted(users, np.arange(len(log.user_ids) + 1)).astype(np.int64)
    items = np.array(log.item_ids.to_pylist(), object)[log.items[order]]
    seconds = log.seconds(log.times[order]) if log.times is not None and log.has_calendar else None
    return Histories(log.user_ids.to_pylist(), items, seconds, offsets)
