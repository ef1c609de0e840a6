"""Users' histories of raw item ids as flat arrays, and the batches that a served graph takes."""

from collections.abc import Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_list_like

from remi_tf.data.tables.layouts import Columns
from remi_tf.data.tables.raw_log import RawLog
from remi_tf.data.tables.reading import read_frame
from remi_tf.data.tables.units import unix_seconds
from remi_tf.errors import InputError

USERS, CELLS = 256, 1 << 16
"""A batch has at most this many users, and this many places for items (or only one user)."""


@dataclass(frozen=True)
class Histories:
    """users: [U] what names each user; items: [n] raw ids (str objects), the users' sequences end to end, oldest first;
    seconds: [n] int64 seconds since 1970, or None where times are unknown; offsets: [U + 1] int64, user u owns
    offsets[u]:offsets[u + 1]."""

    users: Sequence[Any]
    items: np.ndarray
    seconds: np.ndarray | None
    offsets: np.ndarray

    def batches(self) -> Iterator[np.ndarray]:
        """[B] positions of users with histories of similar length, all users once."""
        lengths = np.diff(self.offsets)
        order = np.argsort(lengths, kind="stable")
        start = 0
        for end in range(1, len(order) + 1):
            full = end - start == USERS
            if end == len(order) or full or (end - start + 1) * lengths[order[end]] > CELLS:
                yield order[start:end]
                start = end

    def kept(self, keep: np.ndarray) -> "Histories":
        """Without the items where `keep` [n] is false."""
        before = np.concatenate([[0], np.cumsum(keep)])
        seconds = None if self.seconds is None else self.seconds[keep]
        return Histories(self.users, self.items[keep], seconds, before[self.offsets])

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


def from_lists(histories: Sequence[Sequence[Any]] | Mapping[Any, Sequence[Any]], timestamps: Any = None) -> Histories:
    """Lists of raw ids, oldest first; users are named by their positions, or by the keys of a mapping.

    Args:
      timestamps: seconds since 1970 in the shape of `histories`; None = unknown.

    Raises:
      InputError: one history instead of a list of them, a history that is not a list, a value that cannot be an id or
        a time, or timestamps of another shape.
    """
    is_mapping = isinstance(histories, Mapping)
    is_list = is_list_like(histories) and isinstance(histories, Sized)
    if not is_list or (not is_mapping and any(np.isscalar(history) for history in histories)):
        raise InputError("histories: give a list of histories, each a list of raw ids, such as [['a', 'b'], ['c']]")
    users: list[Any] = list(histories) if is_mapping else list(range(len(histories)))
    lists: list[Any] = list(histories.values()) if isinstance(histories, Mapping) else list(histories)
    for user, history in zip(users, lists, strict=True):
        if not is_list_like(history) or not isinstance(history, Sized):
            raise InputError(
                f"histories: user {user!r} has {history!r}; give a list of raw ids, [] where nothing is known"
            )
    offsets = np.concatenate([[0], np.cumsum([len(history) for history in lists])]).astype(np.int64)
    texts = [
        raw_id(item, f"histories: user {user!r}, place {place} (from 0)")
        for user, history in zip(users, lists, strict=True)
        for place, item in enumerate(history)
    ]
    seconds = None if timestamps is None else _seconds_of(timestamps, users, [len(history) for history in lists])
    return Histories(users, np.array(texts, object), seconds, offsets)


def _seconds_of(timestamps: Any, users: Sequence[Any], lengths: Sequence[int]) -> np.ndarray:
    """[n] int64 seconds of the users' histories end to end."""
    wanted = InputError("timestamps: give one for each item of each history, in the same shape")
    try:
        times = [list(timestamps[user]) for user in users] if isinstance(timestamps, Mapping) else list(timestamps)
        shape = [len(values) for values in times]
    except (KeyError, TypeError) as error:
        raise wanted from error
    if shape != list(lengths):
        raise wanted
    values = [
        unix_seconds(value, f"timestamps: user {user!r}, place {place} (from 0)")
        for user, of_user in zip(users, times, strict=True)
        for place, value in enumerate(of_user)
    ]
    return np.array(values, np.int64)


def raw_id(value: Any, place: str) -> str:
    """The text of a raw id that was given as text, as UTF-8 bytes or as a number.

    Raises:
      InputError: it is missing (None, NaN), a list, or bytes that are not UTF-8; the message starts with `place`.
    """
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError as error:
            raise InputError(f"{place}: {value!r} is not UTF-8; give the id as text") from error
    if not isinstance(value, str) and (is_list_like(value) or pd.isna(value)):
        raise InputError(f"{place}: {value!r} is not a raw id; leave it out")
    return str(value)


def from_frame(frame: pd.DataFrame, user_col: str, item_col: str, time_col: str | None) -> Histories:
    """The interactions in a DataFrame, each user's in time order (without times: in row order).

    Raises:
      InputError: a column that is missing, or a row that cannot be used.
    """
    histories = from_log(read_frame(frame, Columns(user_col, item_col, time_col)))
    # Names as they are in the frame (numbers stay numbers), unless two of them have the same text.
    names = list(pd.unique(frame[user_col])) if user_col in frame else []
    return replace(histories, users=names) if len(names) == len(histories.users) else histories


def from_log(log: RawLog) -> Histories:
    """The histories in a log, users in the order of their first rows, equal times in the order of rows."""
    order = np.lexsort((np.arange(len(log)) if log.times is None else log.times, log.users))
    users = log.users[order]
    offsets = np.searchsorted(users, np.arange(len(log.user_ids) + 1)).astype(np.int64)
    items = np.array(log.item_ids.to_pylist(), object)[log.items[order]]
    seconds = log.seconds(log.times[order]) if log.times is not None and log.has_calendar else None
    return Histories(log.user_ids.to_pylist(), items, seconds, offsets)
