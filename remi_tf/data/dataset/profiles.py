"""User profiles: categorical columns such as gender, age, occupation, coded for training and serving."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np


class ProfileColumn(NamedTuple):
    """A column and its values; value i has the code i + 1, and 0 stands for an unknown or missing one."""

    name: str
    values: tuple[str, ...]


def columns_from_json(columns: Iterable[Mapping]) -> tuple[ProfileColumn, ...]:
    """The columns from what `columns_to_json` made (in a dataset's manifest or a run's config)."""
    return tuple(ProfileColumn(column["name"], tuple(column["values"])) for column in columns)


def columns_to_json(columns: Sequence[ProfileColumn]) -> list[dict]:
    """[{"name": …, "values": […]}, …]"""
    return [{"name": column.name, "values": list(column.values)} for column in columns]


def encode_profiles(
    names: Sequence[str], profiles: Mapping[str, Sequence[str]], user_ids: Sequence[str]
) -> tuple[tuple[ProfileColumn, ...], np.ndarray]:
    """Profiles as text → codes. Each different value is a category, numbered by first appearance in `profiles`.

    Args:
      names: of the columns; profiles: raw user id → one value for each ("" = missing).
      user_ids: [users] raw ids; only their values are numbered.

    Returns:
      The columns and [users, columns] int32 codes, 0 for a user without profile.
    """
    wanted = set(user_ids)
    codes: list[dict[str, int]] = [{"": 0} for _ in names]
    for user, values in profiles.items():
        if user in wanted:
            for numbers, value in zip(codes, values, strict=True):
                numbers.setdefault(value, len(numbers))
    unknown = ("",) * len(names)
    rows = [
        [numbers[value] for numbers, value in zip(codes, profiles.get(user, unknown), strict=True)] for user in user_ids
    ]
    columns = tuple(ProfileColumn(name, tuple(numbers)[1:]) for name, numbers in zip(names, codes, strict=True))
    return columns, np.array(rows, np.int32).reshape(len(user_ids), len(names))
