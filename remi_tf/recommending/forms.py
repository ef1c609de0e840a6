"""The forms that people keep histories and times in → who the users are, and a list for each of them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import tensorflow as tf
from pandas.api.types import is_list_like
from pandas.api.typing import DataFrameGroupBy, SeriesGroupBy

from remi_tf.errors import InputError

WANTED = "histories: give a list of histories, each a list of raw ids, such as [['a', 'b'], ['c']]"
NO_ORDER = "it has no order; give a list of raw ids, oldest first"
SHOWN = 60
"""Characters of a value that a message shows."""


def in_python(value: Any) -> Any:
    """Tensors as numpy arrays or lists, tables of other libraries as pandas; anything else as it is.

    Raises:
      InputError: a tensor that is sparse, or that has no value yet.
    """
    if isinstance(value, tf.RaggedTensor):
        return value.to_list()
    if isinstance(value, tf.sparse.SparseTensor):
        raise InputError("a SparseTensor cannot be read as lists; give tf.RaggedTensor.from_sparse(it)")
    if isinstance(value, tf.Tensor | tf.Variable):
        if not hasattr(value, "numpy"):
            raise InputError("a tensor inside a tf.function has no value yet; call this outside of it")
        return value.numpy()
    if not isinstance(value, pd.DataFrame | pd.Series | pd.Index) and hasattr(value, "to_pandas"):
        return value.to_pandas()  # Arrow, Polars, cuDF
    return value


def named_lists(histories: Any) -> tuple[list[Any], list[list[Any]]]:
    """The users and the history of each.

    A mapping names its users by its keys, a Series by its index. In lists, arrays and iterators they are positions.

    Raises:
      InputError: it is none of these, a name stands twice, or a history is not a list with an order.
    """
    if isinstance(histories, DataFrameGroupBy | SeriesGroupBy):
        raise InputError("histories: a groupby is not read; give frame.groupby(user)[item].agg(list)")
    if isinstance(histories, set | frozenset):
        raise InputError(f"histories: {shortly(histories)}: {NO_ORDER} for each user")
    if isinstance(histories, pd.Series):
        users, lists = _names_of(histories, "histories"), histories.tolist()
    elif isinstance(histories, Mapping):
        _refuse_columns(histories)
        users, lists = list(histories), list(histories.values())
    elif is_list_like(histories):
        lists = list(histories)
        if any(np.isscalar(history) for history in lists):
            raise InputError(WANTED)
        users = list(range(len(lists)))
    else:
        raise InputError(f"{WANTED}; this is {_kind(histories)}")
    return users, [_history(user, history) for user, history in zip(users, lists, strict=True)]


def times_of(timestamps: Any, users: Sequence[Any]) -> list[list[Any]]:
    """A list of times for each user. A mapping and a Series are read by the users' names, anything else by position.

    Raises:
      InputError: a user has none, a name stands twice, or it is no list of lists.
    """
    wanted = "timestamps: give one for each item of each history, in the same shape"
    timestamps = in_python(timestamps)
    if isinstance(timestamps, pd.Series):
        timestamps = dict(zip(_names_of(timestamps, "timestamps"), timestamps.tolist(), strict=True))
    if isinstance(timestamps, Mapping):
        if (missing := next((user for user in users if user not in timestamps), None)) is not None:
            raise InputError(f"{wanted}; there are none for user {missing!r} ({type(missing).__name__})")
        timestamps = [timestamps[user] for user in users]
    if isinstance(timestamps, pd.DataFrame | set | frozenset):
        raise InputError(wanted)
    try:
        times = [list(in_python(values)) for values in timestamps]
    except TypeError as error:
        raise InputError(wanted) from error
    if len(times) != len(users):
        raise InputError(f"{wanted}; there are {len(times)} lists for {len(users)} users")
    return times


def lists_of_rows(
    frame: pd.DataFrame, user_col: str, item_col: str, time_col: str | None
) -> tuple[pd.Series, pd.Series | None] | None:
    """Histories, and times if there is a column of them, of a frame with one row for each user and lists in its cells.

    None for a frame of interactions: its items are no lists.

    Raises:
      InputError: only some of the cells hold lists, or a user has two rows.
    """
    if user_col not in frame or item_col not in frame:
        return None
    column = frame[item_col]
    may_hold_lists = column.dtype == object or any(map(is_list_like, column[:1]))
    is_list = [is_list_like(value) for value in column] if may_hold_lists else []
    if not any(is_list):
        return None
    if not all(is_list):
        raise InputError(
            f"column {item_col!r}: {sum(is_list)} of {len(is_list)} cells hold lists; give one item a row, or one list "
            "for each user"
        )
    by_user = frame.set_index(user_col)
    return by_user[item_col], None if time_col is None else by_user[time_col]


def shortly(value: Any) -> str:
    """The value as a message shows it."""
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def _history(user: Any, history: Any) -> list[Any]:
    history = in_python(history)
    if isinstance(history, set | frozenset | Mapping):
        raise InputError(f"histories: user {user!r} has {shortly(history)}: {NO_ORDER}")
    if isinstance(history, Iterator):
        history = list(history)
    if not is_list_like(history) or isinstance(history, pd.DataFrame):
        raise InputError(
            f"histories: user {user!r} has {shortly(history)}; give a list of raw ids, [] where nothing is known"
        )
    return list(history)


def _names_of(values: pd.Series, what: str) -> list[Any]:
    """The names in the index of a Series, each once."""
    index = values.index
    if not isinstance(index, pd.MultiIndex) and index.hasnans:
        raise InputError(f"{what}: a name in the index of the Series is missing; the index names the users")
    if index.has_duplicates:
        name = index[index.duplicated()][0]
        raise InputError(
            f"{what}: user {name!r} stands twice in the index of the Series; give one list for each user, for example "
            "by frame.groupby(user)[item].agg(list)"
        )
    return index.tolist()


def _refuse_columns(histories: Mapping[Any, Any]) -> None:
    """Columns in a dict look like two users called "user" and "item"."""
    if {"user", "item"} <= set(histories) <= {"user", "item", "time"}:
        raise InputError("histories: these are columns, not users; give pd.DataFrame(histories)")


def _kind(value: Any) -> str:
    remedy = "".join(f"; call .{name}() first" for name in ("toPandas", "collect") if hasattr(value, name))
    return f"a {type(value).__module__.split('.')[0]} {type(value).__name__}{remedy}"


def name_column(names: Iterable[Any]) -> pd.Series:
    """The users' own names as a column: numbers stay numbers, and names of several types keep their types."""
    names = list(names)
    column = pd.Series(names, dtype=object)
    return column.infer_objects() if len({type(name) for name in names}) <= 1 else column
