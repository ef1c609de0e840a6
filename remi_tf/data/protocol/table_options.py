"""Options of prepare about item and user tables: which of them go together."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from remi_tf.data.tables.source_tables import WITH_PATHS
from remi_tf.data.tables.sources import SOURCES
from remi_tf.errors import InputError

if TYPE_CHECKING:
    from remi_tf.data.protocol.prepare_request import PrepareRequest


def check_tables(request: "PrepareRequest") -> None:
    """Raise InputError for options of item and user tables that do not go together."""
    _check_features(request)
    _check_user_features(request)
    _check_level(request)
    of_items = {"id": request.items_id_col, "title": request.items_title_col, "category": request.items_category_col}
    for name, value in of_items.items():
        if value and request.items is None:
            raise InputError(f"--items_{name}_col {value}: it names a column of an item table; add --items TABLE")
    if request.users is not None and request.source in ("synthetic", "comirec"):
        raise InputError(f"--source {request.source} takes no user table; leave out --users")
    for flag, table in (("--users", request.users), ("--items", request.items)):
        if table is not None and not isinstance(table, pd.DataFrame) and not Path(table).is_file():
            wrong = "is a folder; name the table in it" if Path(table).is_dir() else f"no such file; check {flag}"
            raise InputError(f"{flag} {table}: {wrong}")


def _check_user_features(request: "PrepareRequest") -> None:
    asked = request.asked_user_features
    if request.users is not None and not asked:
        raise InputError("--users needs --user_features, the columns to use, such as gender,age:number")
    source = SOURCES.get(request.source or "")
    names = ",".join(name for name, _ in asked or ())
    for flag, value in (("--user_features", names), ("--users_id_col", request.users_id_col)):
        brings = flag == "--user_features" and source is not None and source.users_beside
        if value and request.users is None and not brings:
            raise InputError(f"{flag} {value}: it names columns of a user table; add --users TABLE")


def _check_level(request: "PrepareRequest") -> None:
    """--category_level is about tables that are read as they are, and about sources whose categories are paths."""
    source = SOURCES.get(request.source or "")
    if request.category_level is None or request.items is not None or source is None:
        return
    if not any(name.removesuffix(".gz") in WITH_PATHS for name in source.beside):
        raise InputError(
            f"--category_level {request.category_level}: --source {request.source} has no categories that are lists or "
            "paths; leave it out"
        )


def _check_features(request: "PrepareRequest") -> None:
    source = SOURCES.get(request.source or "")
    if request.asked_features and request.items is None and not (source and source.beside):
        shown = ",".join(name for name, _ in request.asked_features)
        raise InputError(f"--item_features {shown}: it names columns of an item table; add --items TABLE")
