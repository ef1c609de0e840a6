"""User tables: profile columns (gender, age, occupation, …) in a file of their own, next to the log."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from remi_tf.data.tables.ids import matched
from remi_tf.data.tables.labels import profile_text
from remi_tf.data.tables.layouts import TextForm, find_column
from remi_tf.data.tables.raw_log import RawLog
from remi_tf.data.tables.rows import BadRow, BadRows
from remi_tf.data.tables.side_tables import Row, joined_note, latin_lines, nothing_joined, rows_beside, table_rows
from remi_tf.data.tables.sources import Source

MOVIELENS_COLUMNS = ("gender", "age", "occupation")


def add_user_table(
    log: RawLog,
    path: str | Path,
    id_column: str | None,
    profile_columns: Sequence[str],
    user_column: str | None,
    form: TextForm | None,
    bad: BadRows,
) -> None:
    """Put columns of a table into `log` as the users' profiles.

    Args:
      id_column: None = `user_column` (of the log) if the table has a column of that name, else its first.

    Raises:
      InputError: the file or a column is missing, no user of the log is in it, or a bad row under the policy `stop`.
    """

    def pick(names: list[str], label: str) -> list[int]:
        if id_column is None:
            identity = names.index(user_column) if user_column in names else 0
        else:
            identity = find_column(id_column, names, label)
        return [identity, *(find_column(column, names, label) for column in profile_columns)]

    _fill(log, profile_columns, table_rows(path, pick, form, "user table", bad), Path(path).name, bad)


def add_profiles_beside(log: RawLog, source: Source, inputs: Sequence[Path], bad: BadRows) -> None:
    """Use the user table that is next to a named source's log, or in its archive, if there is one."""
    found = rows_beside(READERS, source.users_beside, inputs, bad)
    if found:
        _fill(log, MOVIELENS_COLUMNS, found[1], found[0], bad)
    elif source.users_beside:
        names = " or ".join(source.users_beside)
        log.notes.append(f"no user profiles: {names} of {source.name}, which brings them, is not beside the log")


def _fill(log: RawLog, columns: Sequence[str], rows: Iterable[Row], name: str, bad: BadRows) -> None:
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
    log.profile_names = tuple(columns)
    log.files.append({"file": name, "holds": "user table"})
    log.notes.append(joined_note(name, "users", places, unknown, known))


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
