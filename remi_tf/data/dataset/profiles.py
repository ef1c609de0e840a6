"""User profiles: columns such as gender, age and day of joining, coded for training and serving."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from remi_tf.data.features.columns import day_of, number_of
from remi_tf.data.features.fitting import borders
from remi_tf.data.tables.feature_kinds import Asked

USER_KINDS = ("category", "number", "date")


class ProfileColumn(NamedTuple):
    """A column of profiles. A user has one code of it: 0 stands for an unknown or missing value, then 1, 2, …

    values: of a category, those of the codes 1, 2, ….
    kind: category, number or date (written as ISO; whole days since 1970 count).
    edges: of a number or date, the ascending borders between the codes 1, 2, …; a value on a border belongs to the code
      above it.
    """

    name: str
    values: tuple[str, ...] = ()
    kind: str = "category"
    edges: tuple[float, ...] = ()

    @property
    def size(self) -> int:
        """The largest code."""
        return len(self.values) if self.kind == "category" else len(self.edges) + 1

    def coder(self, form: str = "iso") -> Callable[[str], int]:
        """The code of a text. form: how dates are written.

        Example:
          >>> age = ProfileColumn("age", kind="number", edges=(18.0, 65.0)).coder()
          >>> age("17"), age("18"), age("?")
          (1, 2, 0)
        """
        if self.kind == "category":
            codes = {value: code for code, value in enumerate(self.values, start=1)}
            return lambda text: codes.get(text, 0)

        def of_number(text: str) -> int:
            number = as_number(self.kind, text, form)
            return 0 if number is None else 1 + bisect_right(self.edges, number)

        return of_number


def as_number(kind: str, text: str, form: str) -> float | None:
    """A number, or a date as whole days since 1970; None if it is none."""
    try:
        return number_of(text) if kind == "number" else float(day_of(text, form) // 1)
    except ValueError:
        return None


def columns_from_json(columns: Iterable[Mapping]) -> tuple[ProfileColumn, ...]:
    """The columns from what `columns_to_json` made (in a dataset's manifest or a run's config)."""
    return tuple(
        ProfileColumn(each["name"], tuple(each["values"]), each.get("kind", "category"), tuple(each.get("edges", ())))
        for each in columns
    )


def columns_to_json(columns: Sequence[ProfileColumn]) -> list[dict]:
    """[{"name": …, "values": […]}, …]; numbers and dates also have "kind" and "edges"."""
    return [
        {"name": column.name, "values": list(column.values)}
        | ({} if column.kind == "category" else {"kind": column.kind, "edges": list(column.edges)})
        for column in columns
    ]


def is_column(column: object) -> bool:
    """Whether it is what `columns_to_json` writes of a column."""
    if not isinstance(column, dict):
        return False
    texts, edges = column.get("values"), column.get("edges", [])
    return (
        column.get("kind", "category") in USER_KINDS
        and isinstance(texts, list)
        and isinstance(edges, list)
        and all(isinstance(text, str) for text in (column.get("name"), *texts))
        and all(type(edge) in (int, float) for edge in edges)
    )


def encode_profiles(
    asked: Sequence[Asked],
    forms: Mapping[str, str],
    profiles: Mapping[str, Sequence[str]],
    user_ids: Sequence[str],
    trained: np.ndarray,
) -> tuple[tuple[ProfileColumn, ...], np.ndarray]:
    """Profiles as text → columns and codes.

    Args:
      asked: the columns, each with its kind. Each different value of a category has a code, numbered by first
        appearance in `profiles`; the borders of numbers are quantiles of the training users.
      forms: column → how its dates are written.
      profiles: raw user id → one value for each column ("" = missing).
      user_ids: [users] raw ids; only their values count. trained: [users] bool, those of the training users.

    Returns:
      The columns and [users, columns] int32 codes, 0 for a user without profile.
    """
    wanted = set(user_ids)
    of_wanted = [values for user, values in profiles.items() if user in wanted]
    unknown = ("",) * len(asked)
    codes = np.zeros([len(user_ids), len(asked)], np.int32)
    columns = []
    for number, (name, kind) in enumerate(asked):
        form = forms.get(name, "iso")
        texts = [profiles.get(user, unknown)[number] for user in user_ids]
        if kind == "category":
            column = ProfileColumn(name, tuple(value for value in dict.fromkeys(v[number] for v in of_wanted) if value))
        else:
            learnt = [as_number(kind, text, form) for text, used in zip(texts, trained, strict=True) if used]
            column = ProfileColumn(name, (), kind, borders([value for value in learnt if value is not None]))
        coder = column.coder(form)
        codes[:, number] = [coder(text) for text in texts]
        columns.append(column)
    return tuple(columns), codes
