"""What is known of users besides their histories, as the served graph takes it, and what could not be used of it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_list_like

from remi_tf.data.dataset.profiles import ProfileColumn
from remi_tf.errors import InputError
from remi_tf.recommending.forms import in_python, shortly
from remi_tf.recommending.histories import raw_id


class Profiles:
    """The values of each user's profile columns, by the user's name.

    Args:
      given: user → values in the order of the columns, or column → value; a Series or a DataFrame is read by its index.
        None: nothing is known of anybody.

    Raises:
      InputError: it is none of these.
    """

    def __init__(self, given: Any, columns: Sequence[ProfileColumn]):
        self.columns = [column.name for column in columns]
        self._coders = [column.coder() for column in columns]
        self._given = _by_user(in_python(given), self.columns)
        self.asked = self.found = self.unknown_values = 0
        self._missing: list[Any] = []
        self._unknown: list[str] = []

    def rows(self, users: Sequence[Any]) -> list[list[str]]:
        """[B][columns] texts, "" where nothing is known.

        Raises:
          InputError: a profile of another length, a value that is no text, or a user that is there as another type.
        """
        return [self._row(user) for user in users]

    def verdict(self) -> str | None:
        """What was left out, in a sentence, once all users have been asked for; None if it was nothing.

        Raises:
          InputError: profiles were given, and none of the users has one.
        """
        if not self._given:
            return None
        if self.asked and not self.found:
            key = next(iter(self._given))
            raise InputError(
                f"profiles: none of the {self.asked:,} users has one; users are named as {_named(self._missing[0])}, "
                f"the profiles as {_named(key)}"
            )
        parts = []
        if missing := self.asked - self.found:
            shown = ", ".join(map(repr, self._missing))
            parts.append(f"{missing:,} of {self.asked:,} users have none, such as {shown}: nothing is known of them")
        if self.unknown_values:
            parts.append(f"{self.unknown_values:,} values are unknown and ignored, such as {', '.join(self._unknown)}")
        return f"profiles: {'; '.join(parts)}" if parts else None

    def _row(self, user: Any) -> list[str]:
        self.asked += 1
        values = self._given.get(user)
        if values is None:
            for other in _other_types(user):
                if other in self._given:
                    raise InputError(
                        f"profiles: there is none for user {_named(user)}, but one for {_named(other)}; name the users "
                        "alike in both"
                    )
            if len(self._missing) < 3:
                self._missing.append(user)
            return [""] * len(self.columns)
        self.found += 1
        texts = [_text(user, value) for value in _in_order(user, in_python(values), self.columns)]
        for text, name, code in zip(texts, self.columns, self._coders, strict=True):
            if text and not code(text):
                self.unknown_values += 1
                if len(self._unknown) < 3:
                    self._unknown.append(f"{name} {text!r}")
        return texts


def _by_user(given: Any, columns: Sequence[str]) -> Mapping[Any, Any]:
    if given is None:
        return {}
    if isinstance(given, pd.DataFrame | pd.Series) and given.index.has_duplicates:
        name = given.index[given.index.duplicated()][0]
        raise InputError(f"profiles: user {name!r} stands twice in the index")
    if isinstance(given, pd.DataFrame):
        if missing := [name for name in columns if name not in given]:
            raise InputError(f"profiles: the frame has no column {missing[0]!r}; its index names the users")
        return dict(zip(given.index.tolist(), given[list(columns)].astype(object).to_numpy().tolist(), strict=True))
    if isinstance(given, pd.Series):
        return dict(zip(given.index.tolist(), given.tolist(), strict=True))
    if not isinstance(given, Mapping):
        raise InputError(f"profiles: give a dict of user → values of {', '.join(columns)}, not {shortly(given)}")
    return given


def _in_order(user: Any, values: Any, columns: Sequence[str]) -> list[Any]:
    if isinstance(values, Mapping):
        if wrong := [name for name in values if name not in columns]:
            raise InputError(f"profiles: user {user!r} has {wrong[0]!r}; the columns are {', '.join(columns)}")
        return [values.get(name) for name in columns]
    if not is_list_like(values) or isinstance(values, set | frozenset):
        raise InputError(f"profiles: user {user!r} has {shortly(values)}; give a list, one value for each column")
    values = list(values)
    if len(values) != len(columns):
        raise InputError(f"profiles: {len(values)} values for user {user!r}; give one for each of {', '.join(columns)}")
    return values


def _text(user: Any, value: Any) -> str:
    """As ids; what is missing is "", for unknown."""
    if not is_list_like(value) and pd.isna(value):
        return ""
    return raw_id(value, f"profiles: user {user!r}")


def _other_types(user: Any) -> list[Any]:
    """The user's name as a text, and as a number."""
    text = str(user)
    others: list[Any] = [text] if not isinstance(user, str) else []
    return [*others, int(text)] if isinstance(user, str) and text.isdecimal() and len(text) < 19 else others


def _named(user: Any) -> str:
    user = user.item() if isinstance(user, np.generic) else user
    return f"{user!r} ({type(user).__name__})"
