"""Options of prepare about item and user tables: which of them go together."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from remi_tf.data.tables.sources import SOURCES
from remi_tf.errors import InputError

if TYPE_CHECKING:
    from remi_tf.data.protocol.prepare_request import PrepareRequest


def check_tables(request: "PrepareRequest") -> None:
    """Raise InputError for options of item and user tables that do not go together."""
    _check_features(request)
    profile_columns = list(request.profile_cols or ())
    if request.users and not profile_columns:
        raise InputError("--users needs --profile_cols, the columns to use, such as gender,age,occupation")
    for flag, value in (("--profile_cols", ",".join(profile_columns)), ("--users_id_col", request.users_id_col)):
        if value and not request.users:
            raise InputError(f"{flag} {value}: it names columns of a user table; add --users TABLE")
    of_items = {"id": request.items_id_col, "title": request.items_title_col, "category": request.items_category_col}
    for name, value in of_items.items():
        if value and request.items is None:
            raise InputError(f"--items_{name}_col {value}: it names a column of an item table; add --items TABLE")
    if "" in profile_columns or len(set(profile_columns)) < len(profile_columns):
        raise InputError(
            f"--profile_cols {','.join(profile_columns)}: give different names of columns, such as "
            "gender,age,occupation"
        )
    if request.users and request.source in ("synthetic", "comirec"):
        raise InputError(f"--source {request.source} takes no user table; leave out --users")
    for flag, table in (("--users", request.users), ("--items", request.items)):
        if table is not None and not isinstance(table, pd.DataFrame) and not Path(table).is_file():
            wrong = "is a folder; name the table in it" if Path(table).is_dir() else f"no such file; check {flag}"
            raise InputError(f"{flag} {table}: {wrong}")


def _check_features(request: "PrepareRequest") -> None:
    source = SOURCES.get(request.source or "")
    if request.asked_features and request.items is None and not (source and source.beside):
        shown = ",".join(name for name, _ in request.asked_features)
        raise InputError(f"--item_features {shown}: it names columns of an item table; add --items TABLE")
