"""User tables: profile columns (gender, age, occupation, …) in a file of their own, next to the log."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pandas as pd

from remi_tf.data.tables.archives import bare_name
from remi_tf.data.tables.feature_kinds import Asked, date_form, guess_kind, wrong_value
from remi_tf.data.tables.ids import matched
from remi_tf.data.tables.labels import profile_text
from remi_tf.data.tables.layouts import TextForm, find_column
from remi_tf.data.tables.raw_log import RawLog
from remi_tf.data.tables.rows import BadRow, BadRows
from remi_tf.data.tables.side_tables import (
    Row,
    joined_note,
    latin_lines,
    nothing_joined,
    rows_beside,
    table_name,
    table_rows,
)
from remi_tf.data.tables.sources import Source
from remi_tf.errors import InputError

MOVIELENS = tuple(Asked(name, "category") for name in ("gender", "age", "occupation"))


def add_user_table(
    log: RawLog,
    path: str | Path | pd.DataFrame,
    id_column: str | None,
    asked: Sequence[Asked],
    user_column: str | None,
    form: TextForm | None,
    bad: BadRows,
) -> None:
    """Put columns of a table into `log` as the users' profiles.

    Args:
      path: text with a header, JSON lines or Parquet; a table that a named source brings; or a DataFrame.
      id_column: None = `user_column` (of the log) if the table has a column of that name, else its first.

    Raises:
      InputError: the file or a column is missing, no user of the log is in it, or a bad row under the policy `stop`.
    """
    name = table_name(path, "the user table")
    if not isinstance(path, pd.DataFrame) and bare_name(name) in READERS:
        return _add_named(log, name, READERS[bare_name(name)](Path(path), bad), asked, bad)

    def pick(names: list[str], label: str) -> list[int]:
        if id_column is None:
            identity = names.index(user_column) if user_column in names else 0
        else:
            identity = find_column(id_column, names, label)
        return [identity, *(find_column(column, names, label) for column, _ in asked)]

    _fill(log, asked, table_rows(path, pick, form, "user table", bad), name, bad)


def add_profiles_beside(
    log: RawLog, source: Source, inputs: Sequence[Path], bad: BadRows, asked: Sequence[Asked] | None = None
) -> None:
    """Use the user table that is next to a named source's log, or in its archive, if there is one.

    Args:
      asked: the columns to take from it, None = all that it has.

    Raises:
      InputError: columns were asked for, and there is no such table or column.
    """
    found = rows_beside(READERS, source.users_beside, inputs, bad)
    names = " or ".join(source.users_beside)
    if found:
        _add_named(log, *found, MOVIELENS if asked is None else asked, bad)
    elif asked:
        raise InputError(
            f"--user_features {asked[0].name}: {names} of {source.name} is not next to the log; put it there, or add "
            "--users TABLE"
        )
    elif names and asked is None:
        log.notes.append(f"no user profiles: {names} of {source.name}, which brings them, is not beside the log")


def _add_named(log: RawLog, name: str, rows: Iterable[Row], asked: Sequence[Asked], bad: BadRows) -> None:
    """Use rows of a reader in READERS, all of which have the columns of MOVIELENS."""
    if not asked:
        return
    known = [each.name for each in MOVIELENS]
    places = [find_column(column, known, name) for column, _ in asked]
    kinds = [each if each.kind else MOVIELENS[place] for each, place in zip(asked, places, strict=True)]
    chosen = ((where, [raw_id, *(values[place] for place in places)]) for where, (raw_id, *values) in rows)
    _fill(log, kinds, chosen, name, bad)


def _fill(log: RawLog, asked: Sequence[Asked], rows: Iterable[Row], name: str, bad: BadRows) -> None:
    known = dict.fromkeys(log.user_ids.to_pylist())
    table = list(rows)
    places: dict[str, str] = {}
    unknown = []
    for raw_id, (place, (_, *values)) in zip(matched([row[1][0] for row in table], known), table, strict=True):
        if raw_id not in known:
            unknown.append(raw_id)
            continue
        if raw_id in places:
            bad.add(place, BadRow("user table: a user twice", f"user {raw_id!r} stands in {places[raw_id]} already"))
            continue
        places[raw_id] = place
        log.profiles[raw_id] = tuple(" ".join(profile_text(value).split()) for value in values)
    unknown = [raw_id for raw_id in unknown if raw_id]
    if not places:
        raise nothing_joined(name, "a user", "--users_id_col", unknown, known)
    log.files.append({"file": name, "holds": "user table"})
    log.notes.append(joined_note(name, "users", places, unknown, known))
    _settle(log, asked, places, name, bad)


def _settle(log: RawLog, asked: Sequence[Asked], places: dict[str, str], name: str, bad: BadRows) -> None:
    """Decide the kinds that were not said, and leave out users with a number or a date that is none."""
    columns = []
    for number, each in enumerate(asked):
        texts = [values[number] for values in log.profiles.values() if values[number]]
        guess = guess_kind(texts)
        kind = each.kind or (guess if guess in ("number", "date") else "category")
        columns.append(Asked(each.name, kind))
        if kind == "category":
            continue
        if kind == "date" and texts:
            log.profile_forms[each.name] = date_form(f"{name}: {each.name}", texts)
        form = log.profile_forms.get(each.name, "iso")
        wrong = {text: message for text in set(texts) if (message := wrong_value(kind, text, form)) is not None}
        for raw_id in [raw_id for raw_id, values in log.profiles.items() if values[number] in wrong]:
            message = f"{each.name}: {wrong[log.profiles[raw_id][number]]}"
            bad.add(places[raw_id], BadRow(f"user table: no {kind}", message))
            del log.profiles[raw_id]
    log.profile_columns = tuple(columns)
    if guessed := [f"{each.name}:{each.kind}" for each, given in zip(columns, asked, strict=True) if not given.kind]:
        log.notes.append(f"kinds of user features guessed; to say them: --user_features {','.join(guessed)}")


def _fields(path: Path, name: str, separator: str, bad: BadRows) -> Iterator[Row]:
    """The rows of a MovieLens table, which have five fields."""
    for number, line in enumerate(latin_lines(path, name, bad), start=1):
        fields, place = line.split(separator), f"{name} line {number}"
        if len(fields) == 5:
            yield place, fields
        elif line:
            message = f"{len(fields)} columns where 5 are expected"
            bad.add(place, BadRow("user table: number of columns", message))


def _read_u_user(path: Path, bad: BadRows) -> Iterator[Row]:
    """ml-100k's u.user: id|age|gender|occupation|zip."""
    for place, (raw_id, age, gender, occupation, _) in _fields(path, "u.user", "|", bad):
        yield place, [raw_id, gender, age, occupation]


def _read_users_dat(path: Path, bad: BadRows) -> Iterator[Row]:
    """ml-1m's users.dat: id::gender::age::occupation::zip; age is the lower end of a band, occupation a number."""
    for place, fields in _fields(path, "users.dat", "::", bad):
        yield place, fields[:4]


READERS = {"u.user": _read_u_user, "users.dat": _read_users_dat}
