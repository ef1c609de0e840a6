"""A DataFrame → one raw log."""

import pandas as pd
import pyarrow as pa
from pandas.api.types import is_scalar

from remi_tf.data.tables.dates import is_written
from remi_tf.data.tables.events import event_note
from remi_tf.data.tables.frames import TypedReader
from remi_tf.data.tables.ids import NotAnId, id_text, settle_ids
from remi_tf.data.tables.labels import label_text
from remi_tf.data.tables.layouts import Columns, Layout, find_column
from remi_tf.data.tables.raw_log import Chunk, RawLog, assemble
from remi_tf.data.tables.rows import BadRow, BadRows
from remi_tf.data.tables.sequences import expand, flat_times
from remi_tf.data.tables.units import guess_unit, unit_name

FRAME_REMEDY = (
    "mend it, drop rows without a value (frame.dropna()), or, where an id such as NA was taken for none, read ids as "
    "text (pd.read_csv(…, dtype=str, keep_default_na=False))"
)


def read_frame(
    frame: pd.DataFrame, layout: Columns | Layout, *, time_unit: str = "auto", on_bad_row: str = "stop"
) -> RawLog:
    """The log in a DataFrame; rows are named by their position from 0 in messages.

    Raises:
      InputError: a column or (under `stop`) a row that cannot be used.
    """
    bad = BadRows(on_bad_row, FRAME_REMEDY)
    layout = layout if isinstance(layout, Layout) else Layout(layout)
    names = layout.by_key()
    header = [str(name) for name in frame.columns]
    reader = TypedReader(bad, "none" if layout.form == "sequence" else time_unit, layout.kept, layout.ids)
    chosen: dict[str, pa.Array] = {}
    for key, column in names.items():
        chosen[key] = series_array(frame.iloc[:, find_column(column, header, "the frame")], key in layout.ids, bad)
    chunk, unit = reader.chunk(chosen, names, lambda row: f"the frame row {row}"), reader.unit
    if layout.form == "sequence":
        unit = _unit_of_sequences(chunk, time_unit)
        chunk = expand(chunk, unit, bad, "the frame", 0)
    log = assemble([chunk], "iso" if is_written(unit) else unit)
    settle_ids(log)
    log.dropped.update({"rows of other events": reader.other_events} if reader.other_events else {})
    log.dropped.update(bad.counts)
    log.notes += bad.examples
    if layout.columns.time is not None and time_unit == "auto":
        log.notes.append(f"times were read as {unit_name(unit)} (auto); give time_unit for another unit")
    note = event_note({str(name): _head(frame.iloc[:, i]) for i, name in enumerate(frame)}, layout)
    log.notes += [] if note is None else [note]
    return log


def _head(series: pd.Series) -> list[str]:
    return [str(value) for value in series.iloc[:2000]]


def _unit_of_sequences(chunk: Chunk, time_unit: str) -> str:
    if "times" not in chunk.texts:
        return "none"
    if time_unit != "auto":
        return time_unit
    return guess_unit(flat_times(chunk.texts["times"].cast(pa.string()).to_pylist()))


def series_array(series: pd.Series, is_id: bool, bad: BadRows) -> pa.Array:
    """A column with the type that its values have; texts where they have several. null = missing."""
    try:
        array = pa.Array.from_pandas(series)
        array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
        if not (is_id and series.dtype == object and _is_number(array.type)):  # else True may have become 1
            return array
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):  # of mixed types
        pass
    texts: list[str | None] = []
    for row, value in enumerate(series):
        try:
            missing = value is None or value is pd.NA or value is pd.NaT or (is_scalar(value) and value != value)
            texts.append(None if missing else id_text(value) if is_id else label_text(value))
        except (NotAnId, ValueError) as error:
            bad.add(f"the frame row {row}", BadRow("not an id", f"{series.name} {error}"))
            texts.append(None)
    return pa.array(texts, pa.string())


def _is_number(kind: pa.DataType) -> bool:
    return pa.types.is_floating(kind) or pa.types.is_integer(kind)
