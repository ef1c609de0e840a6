"""Kinds of events in a log: a column that looks like one and is not used is worth a note."""

import io
from collections import Counter
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet

from remi_tf.data.tables.json_tables import parse_object
from remi_tf.data.tables.labels import label_text
from remi_tf.data.tables.layouts import Layout, find_column
from remi_tf.data.tables.rows import BadRow, split_records
from remi_tf.errors import InputError

EVENT_NAMES = (
    *("event", "event_type", "eventtype", "event_name", "behavior", "behaviour", "behavior_type", "behaviour_type"),
    *("action", "action_type", "interaction", "interaction_type"),
)
MOST_KINDS = 20
MOST_ROWS = 2000


def event_note(columns: dict[str, list[str]], layout: Layout) -> str | None:
    """What to say of the first column (name → some of its values) that holds kinds of events and is not used."""
    if layout.keep is not None or not columns:
        return None
    names = list(columns)
    used = {names[_index(column, names)] for column in layout.by_key().values()}
    for name, values in columns.items():
        kinds = Counter(value.strip() for value in values if value.strip())
        plain = name.split(":")[0].strip().lower()
        if plain in EVENT_NAMES and name not in used and 2 <= len(kinds) <= MOST_KINDS and len(kinds) < len(values) / 2:
            shown = ", ".join(kind for kind, _ in kinds.most_common(5)) + (", …" if len(kinds) > 5 else "")
            most = kinds.most_common(1)[0][0]
            return (
                f"column {name!r} holds kinds of events ({shown}) and is not used, so all count alike; --keep "
                f"{plain}={most} reads one kind only"
            )
    return None


def _index(column: str, names: list[str]) -> int:
    try:
        return find_column(column, names, "")
    except InputError:
        return 0


def first_values(start: bytes, layout: Layout, whole: Any = None) -> dict[str, list[str]]:
    """Column → its first values, out of the first bytes of a file; of Parquet out of the file `whole`."""
    if layout.kind == "parquet":
        return _of_parquet(whole)
    if layout.kind == "json":
        return _of_json(start)
    if not layout.header:
        return {}
    columns: dict[str, list[str]] = {}
    for number, record in enumerate(split_records(start, 1, layout.separator, layout.quoting)):
        if number > MOST_ROWS:
            break
        if not columns:
            columns = {name.strip().removeprefix("\ufeff"): [] for name in record.fields}
        elif len(record.fields) == len(columns):
            for values, field in zip(columns.values(), record.fields, strict=True):
                values.append(field)
    return columns


def _of_json(start: bytes) -> dict[str, list[str]]:
    columns: dict[str, list[str]] = {}
    for line in start.split(b"\n")[:MOST_ROWS]:
        try:
            row = parse_object(line)
        except BadRow:
            continue
        for name, value in row.items():
            if isinstance(value, str | int):
                columns.setdefault(name, []).append(label_text(value))
    return columns


def _of_parquet(stream: Any) -> dict[str, list[str]]:
    try:
        file = parquet.ParquetFile(stream if stream.seekable() else io.BytesIO(stream.read()))
        names = file.schema_arrow.names
        wanted = [name for name in names if name.lower() in EVENT_NAMES]
        columns: dict[str, list[str]] = {name: [] for name in names}
        for batch in file.iter_batches(MOST_ROWS, columns=wanted) if wanted else ():
            columns.update({name: list(map(label_text, batch.column(name).to_pylist())) for name in wanted})
            break
        return columns
    except (pa.ArrowInvalid, OSError):
        return {}
