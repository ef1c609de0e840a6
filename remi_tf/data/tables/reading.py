"""Files of a log, or of a named source → one raw log."""

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import IO

import numpy as np

from remi_tf.data.tables import json_tables, parquet_tables, text_tables
from remi_tf.data.tables.archives import START_BYTES, Member, Started, open_members
from remi_tf.data.tables.dates import is_written
from remi_tf.data.tables.events import event_note, first_values
from remi_tf.data.tables.frames import TypedReader
from remi_tf.data.tables.ids import Spelling, all_whole, settle_ids
from remi_tf.data.tables.layouts import MOST_BAD, Layout, TextForm, kind_of, sniff
from remi_tf.data.tables.raw_log import Chunk, RawLog, assemble
from remi_tf.data.tables.rows import BadRows
from remi_tf.data.tables.sequences import expand, flat_times
from remi_tf.data.tables.sources import Source, find_layout
from remi_tf.data.tables.streams import decoded, read_blocks
from remi_tf.data.tables.text_tables import TextReader
from remi_tf.data.tables.units import UNIT_NAMES, guess_unit, in_unit, unit_name
from remi_tf.errors import InputError

Reopen = Callable[[], AbstractContextManager[IO[bytes]]]


def read_log(
    paths: Sequence[str | Path],
    layout: Layout | Source,
    *,
    time_unit: str | None = None,
    form: TextForm | None = None,
    on_bad_row: str = "stop",
    max_bad_rows: int | float = MOST_BAD,
) -> RawLog:
    """Read the files of one log, in the order given.

    Args:
      layout: a named source, or the columns; then kind and separator (unless `form` has one) are guessed for each file.
      time_unit: s, ms, us, ns, iso, auto, none (numbers that only give an order), or a format of strptime; None =
        what the source says.
      max_bad_rows: how many are too many, as `BadRows.most`.

    Raises:
      InputError: a file, a column or (under `stop`) a row that cannot be used.
    """
    reader = _LogReader(layout, time_unit, form or TextForm(), BadRows(on_bad_row, most=max_bad_rows))
    log = assemble(list(_chunks(paths, reader)), reader.unit)
    log.files = [{"file": Path(path).name} for path in paths]
    settle_ids(log)
    _report(log, reader, time_unit)
    return log


def stream_log(
    paths: Sequence[str | Path],
    layout: Layout,
    *,
    time_unit: str | None = None,
    form: TextForm | None = None,
    bad: BadRows,
) -> Iterator[tuple[Chunk, str]]:
    """As `read_log`, but for logs larger than memory: gives chunks, each with the unit of its times.

    Args:
      bad: what to do with bad rows, and where those that are skipped are counted.

    Raises:
      InputError: as `read_log`, when the chunk is read.
    """
    form = form or TextForm()
    reader = _LogReader(layout, time_unit, form, bad)
    spellings = {key: Spelling() for key in ("user", "item")}
    again = lambda: _chunks(paths, _LogReader(layout, time_unit, form, BadRows("skip", most=1.0)))  # noqa: E731
    for chunk in _chunks(paths, reader):
        for key, spelling in spellings.items():
            whole = lambda key=key: all(all_whole(chunk.texts[key]) for chunk in again())  # noqa: E731
            chunk.texts[key] = spelling.column(chunk.texts[key], whole)
        yield chunk, reader.unit


def _chunks(paths: Sequence[str | Path], reader: "_LogReader") -> Iterator[Chunk]:
    wanted = reader.layout.wanted if isinstance(reader.layout, Source) else None
    bad = reader.bad
    with open_members(paths, bad, wanted) as members:
        for member in members:
            before = bad.rows
            yield from reader.chunks(member)
            bad.files += 1
            if bad.rows == before:
                bad.empty.append(member.label)
    if not bad.rows:
        what = "the file is empty" if len(bad.empty) == 1 else "the files are empty"
        raise InputError(f"{bad.empty_names}: {what}, so the log has no rows; check --input")


class _LogReader:
    """Sends every file to the reader of its kind; one time unit for the whole log."""

    def __init__(self, layout: Layout | Source, time_unit: str | None, form: TextForm, bad: BadRows):
        self.layout = layout
        self.time_unit = time_unit
        self.form = form
        self.bad = bad
        self.unit = "auto"
        self.other_events = 0
        self.notes: list[str] = []
        self.guessed: dict[str, str] = {}

    def chunks(self, member: Member) -> Iterator[Chunk]:
        """The rows of one file, with times in the unit of the log's first file; a file without rows gives none."""
        with member.open() as file:
            stream = Started(file)
            if not stream.start.strip():
                for _ in read_blocks(stream, member.label, self.bad, ","):  # a file that breaks off at once is told
                    pass
                return
            layout = self._layout_of(member, stream.start)
            open_again = member.open if len(stream.start) == START_BYTES else lambda: io.BytesIO(stream.start)
            self._note_events(member.label, layout, open_again)
            unit = self._unit_of(member.label, layout, open_again)
            row = 1
            for chunk in self._read(file, stream, member.label, layout, "none" if layout.form == "sequence" else unit):
                if layout.form == "sequence":
                    rows, chunk = len(chunk.texts["user"]), expand(chunk, unit, self.bad, member.label, row)
                    row += rows
                if chunk.times is not None:
                    chunk = Chunk(chunk.texts, self._in_unit_of_log(chunk.times, unit, member.label))
                yield chunk

    def _note_events(self, label: str, layout: Layout, open_again: Reopen) -> None:
        if not self.notes and not isinstance(self.layout, Source):
            with open_again() as file:
                note = event_note(first_values(file, Started(file), label, layout), layout)
            self.notes += [] if note is None else [note]

    def _unit_of(self, label: str, layout: Layout, open_again: Reopen) -> str:
        """The unit of a file's times: the one that is asked for, else guessed by times from all over the file."""
        given = self.time_unit or layout.time_unit
        if layout.columns.time is None:
            self.unit, given = "none", "none"
        elif given == "auto":
            with open_again() as file:
                samples = _sample_times(file, Started(file), label, layout)
            samples = flat_times(samples) if layout.form == "sequence" else samples
            if not samples:
                return "s" if self.unit == "auto" else self.unit
            given = self.guessed[label] = guess_unit(samples)
        if self.unit == "auto":
            self.unit = "iso" if is_written(given) else given
        return given

    def _in_unit_of_log(self, times: np.ndarray, unit: str, label: str) -> np.ndarray:
        own = "iso" if is_written(unit) else unit
        if self.unit == "auto":
            self.unit = own
        if own == self.unit:
            return times
        first = next(iter(self.guessed), "the first file")
        if "none" in (own, self.unit):
            raise InputError(
                f"{label}: its times look like {unit_name(unit)}, those of {first} like {unit_name(self.unit)}; give "
                "--time_unit if that is wrong, or prepare the two in one unit"
            )
        note = f"{label} has its times in {unit_name(unit)}; they were converted to {unit_name(self.unit)}, as {first}"
        if note not in self.notes:
            self.notes.append(note)
        return in_unit(times, own, self.unit)

    def _read(self, file: IO[bytes], stream: Started, label: str, layout: Layout, unit: str) -> Iterator[Chunk]:
        reader: TextReader | TypedReader
        if layout.kind == "text":
            reader = TextReader(self.bad, unit)
            chunks = reader.chunks(stream, label, layout)
        else:
            reader = TypedReader(self.bad, unit, layout.kept, layout.ids)
            if layout.kind == "json":
                chunks = json_tables.read_json(stream, stream.start, label, layout, reader)
            else:
                chunks = parquet_tables.read_parquet(file, stream, label, layout, reader)
        yield from chunks
        self.other_events += reader.other_events

    def _layout_of(self, member: Member, start: bytes) -> Layout:
        form = self.form
        start = decoded(start, form.encoding)
        if isinstance(self.layout, Source):
            layout = find_layout(self.layout, member.name, start)
            layout = replace(layout, separator=form.separator) if form.separator else layout
        elif (kind := kind_of(member.name, start)) != "text":
            layout = replace(self.layout, kind=kind)
        else:
            layout = replace(self.layout, separator=sniff(start, member.name, form.separator)[1])
        return replace(layout, quotes=form.quotes, encoding=form.encoding)


def _sample_times(file: IO[bytes], stream: Started, label: str, layout: Layout) -> list[str]:
    """Some of the times of a file, as text, from all over it."""
    if layout.kind == "text":
        return text_tables.sample_times(stream, label, layout)
    if layout.kind == "json":
        return json_tables.sample_times(stream, stream.start, label, layout)
    return parquet_tables.sample_times(file, stream, label, layout)


def _report(log: RawLog, reader: _LogReader, time_unit: str | None) -> None:
    """Put into the log what was left out and what was assumed."""
    log.notes += reader.notes
    if reader.other_events:
        log.dropped["rows of other events"] = reader.other_events
    log.dropped.update({f"bad rows: {reason}": count for reason, count in reader.bad.counts.items()})
    log.notes += reader.bad.notes()
    if log.times is not None and time_unit in (None, "auto") and log.unit in UNIT_NAMES:
        forms = list(dict.fromkeys(reader.guessed.values())) or [log.unit]
        how = "guessed from their size" if set(forms) <= {"s", "ms", "us", "ns", "none"} else "guessed from their form"
        how = "as this source has them" if isinstance(reader.layout, Source) and not reader.guessed else how
        read = unit_name(forms[0])
        log.notes.append(f"times were read as {read} ({how}); give --time_unit or --time_format for another form")
