"""Kinds of events in a log: a column that looks like one and is not used is worth a note."""

import io
import itertools
from collections import Counter
from typing import IO

from remi_tf.data.tables.archives import Started
from remi_tf.data.tables.frames import coded_labels
from remi_tf.data.tables.json_objects import first_objects
from remi_tf.data.tables.labels import label_text
from remi_tf.data.tables.layouts import Layout, find_column
from remi_tf.data.tables.parquet_tables import parquet_batches
from remi_tf.data.tables.rows import BadRows, split_records
from remi_tf.data.tables.streams import decoded, read_blocks
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


def first_values(file: IO[bytes], started: Started, label: str, layout: Layout) -> dict[str, list[str]]:
    """Column → its first values, of a file as opened (`file`) of which the start was read (`started`)."""
    if layout.kind == "parquet":
        return _of_parquet(file, started, label)
    if layout.kind == "json":
        return _of_json(decoded(started.start, layout.encoding))
    if not layout.header:
        return {}
    columns: dict[str, list[str]] = {}
    start = io.BytesIO(started.start)
    blocks = read_blocks(start, label, BadRows("skip"), layout.separator, layout.quote_rule, layout.encoding)
    records = (one for block in blocks for one in split_records(block.data, 1, layout.separator, layout.quote_rule))
    for record in itertools.islice(records, MOST_ROWS + 1):
        if not columns:
            columns = {name.strip(): [] for name in record.fields}
        elif len(record.fields) == len(columns):
            for values, field in zip(columns.values(), record.fields, strict=True):
                values.append(field)
    return columns


def _of_json(start: bytes) -> dict[str, list[str]]:
    columns: dict[str, list[str]] = {}
    for row in itertools.islice(first_objects(start), MOST_ROWS):
        for name, value in row.items():
            if isinstance(value, str | int):
                columns.setdefault(name, []).append(label_text(value))
    return columns


def _of_parquet(file: IO[bytes], started: Started, label: str) -> dict[str, list[str]]:
    columns: dict[str, list[str]] = {}
    wanted: list[str] = []

    def pick(names: list[str]) -> list[int]:
        columns.update({name: [] for name in names})
        wanted.extend(name for name in names if name.lower() in EVENT_NAMES)
        return [names.index(name) for name in wanted]

    try:
        for batch in parquet_batches(file, started, label, pick):
            for name, column in zip(wanted, batch, strict=True):
                assert column is not None
                columns[name] = coded_labels(column[:MOST_ROWS]).to_pylist()
            break
    except InputError:
        return {}
    return columns
