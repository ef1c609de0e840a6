"""Bytes of a text file: decoded, and cut into blocks of whole rows."""

import codecs
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np

from remi_tf.data.tables.archives import BROKEN, START_BYTES
from remi_tf.data.tables.quotes import NO_SPANS, row_ends, settle
from remi_tf.data.tables.rows import BadRows
from remi_tf.errors import InputError

BLOCK_BYTES = 4 << 20
READ_BYTES = 1 << 20
LONGEST_LINE = 64 << 20
NEWLINE = b"\n"
SAMPLED_LINES = 500
MARK = b"\xef\xbb\xbf"  # the byte-order mark of UTF-8


@dataclass(frozen=True)
class Block:
    """Whole rows of a text file, in which every quote is one; `first_line` is the line (from 1) of its first byte.

    unclosed: lines on which a quote opens that is never closed. spans: of rows over line ends, as `quotes.Settled`.
    """

    data: bytes
    first_line: int
    unclosed: frozenset[int] = frozenset()
    spans: np.ndarray = field(default_factory=lambda: NO_SPANS)


class Decoded(io.RawIOBase):
    """A stream in another encoding, as UTF-8. Bytes that the encoding does not know come through as they are."""

    def __init__(self, stream: IO[bytes] | io.RawIOBase, encoding: str):
        self._read: Callable[[memoryview], int] = getattr(stream, "readinto1", None) or stream.readinto  # type: ignore[union-attr]
        self._decoder = codecs.getincrementaldecoder(encoding)("surrogateescape")
        self._buffer, self._left, self._ended = bytearray(READ_BYTES), b"", False

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        while not self._left and not self._ended:
            with memoryview(self._buffer) as view:
                count = self._read(view)
            self._ended = not count
            try:
                text = self._decoder.decode(bytes(self._buffer[:count]), final=self._ended)
                self._left = text.encode("utf-8", "surrogateescape")
            except UnicodeError as error:
                raise OSError(f"not text of this --encoding: {error.reason}") from error  # type: ignore[attr-defined]
        count = min(len(target), len(self._left))
        target[:count], self._left = self._left[:count], self._left[count:]
        return count


def check_encoding(name: str) -> str:
    """Python's name of the encoding that a flag names.

    Raises:
      InputError: Python does not know it, or it is none of text.
    """
    try:
        known = codecs.lookup(name).name
        "a".encode(known)
    except (LookupError, ValueError) as error:
        raise InputError(f"--encoding {name!r}: not known; give one such as utf-8, latin-1, cp1252, gbk") from error
    return known


def decoded(data: bytes, encoding: str) -> bytes:
    """The start of a text, which may break off within a character, as UTF-8."""
    if encoding == "utf-8":
        return data
    return codecs.getincrementaldecoder(encoding)("replace").decode(data).encode("utf-8", "replace")


def read_blocks(
    stream: IO[bytes] | io.RawIOBase,
    label: str,
    bad: BadRows,
    separator: str,
    quoting: str | bool = False,
    encoding: str = "utf-8",
) -> Iterator[Block]:
    """Cut a text stream into blocks of whole rows.

    A stream that breaks off (truncated gzip) is reported to `bad`; what came before the break is kept,
    the unfinished last line is not.

    Args:
      quoting: a rule of quotes.py; False is `none`.

    Raises:
      InputError: not text, or a single line of more than 64 MB.
    """
    if encoding != "utf-8":
        stream = Decoded(stream, encoding)
    rule = quoting if isinstance(quoting, str) else "csv" if quoting else "none"
    # One buffer for all blocks: new memory for each would cost more time in page faults than the parsing.
    # It starts small, as there may be very many small files.
    buffer, filled, line = bytearray(min(START_BYTES, BLOCK_BYTES)), 0, 1
    columns, begun = 0, False
    while True:
        filled, ended, broken = _fill(stream, buffer, filled)
        if not ended and len(buffer) < BLOCK_BYTES:
            buffer.extend(bytes(BLOCK_BYTES - len(buffer)))
            filled, ended, broken = _fill(stream, buffer, filled)
        if not begun:
            filled, begun = _check_start(buffer, filled, label), True
            columns = _columns(buffer[: min(filled, READ_BYTES)], separator) if rule == "tab" else 0
        cut = buffer.rfind(NEWLINE, 0, filled) + 1
        if broken is not None:
            filled = cut
            last = line - 1 + count_lines(buffer[:cut])
            what = f"the file ends early, after line {last}" if last else "damaged, or packed in a way not known here"
            bad.truncated(label, f"{what} ({broken})")
        data = bytes(memoryview(buffer)[: filled if ended else cut])
        settled = settle(data, separator, rule, ended=ended, columns=columns)
        if settled.used:
            yield Block(settled.data, line, frozenset(line + at for at in settled.unclosed), settled.spans)
            line += count_lines(settled.data) if not ended else 0
            buffer[: filled - settled.used] = buffer[settled.used : filled]
            filled -= settled.used
        if ended:
            return
        if filled == len(buffer):
            if filled > LONGEST_LINE:
                raise InputError(f"{label} line {line}: no line end within 64 MB; is this a text file?")
            buffer.extend(bytes(len(buffer)))


def count_lines(data: bytes | bytearray) -> int:
    """How many line ends there are; several times faster than bytes.count where lines are short."""
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) == NEWLINE[0]))


def some_lines(data: bytes) -> Iterator[bytes]:
    """All lines of a block, or about SAMPLED_LINES of them from all over it."""
    lines = count_lines(data)
    if lines <= 4 * SAMPLED_LINES:
        yield from data.split(NEWLINE)
        return
    position, step = 0, len(data) // SAMPLED_LINES
    while position < len(data):
        end = data.find(NEWLINE, position)
        if end < 0:
            end = len(data)
        yield data[position:end]
        begin = data.find(NEWLINE, max(end, position + step)) + 1  # the line that begins after a step
        position = begin or len(data)


def some_rows(data: bytes) -> Iterator[bytes]:
    """As `some_lines`, but rows of a table, in which every quote is one."""
    ends = row_ends(data).tolist()
    if not ends or ends[-1] < len(data):
        ends.append(len(data))
    starts = [0, *ends[:-1]]
    step = len(ends) // SAMPLED_LINES if len(ends) > 4 * SAMPLED_LINES else 1
    for start, end in zip(starts[::step], ends[::step], strict=True):
        yield data[start:end]


def _fill(stream: IO[bytes] | io.RawIOBase, buffer: bytearray, filled: int) -> tuple[int, bool, BaseException | None]:
    """Read on until the buffer is full.

    Returns:
      How much of it is filled, whether the stream ended, and what broke it. Reads are single steps
      (readinto1), so that a break loses nothing that came before it.
    """
    read: Callable[[memoryview], int] = getattr(stream, "readinto1", None) or stream.readinto  # type: ignore[union-attr]
    with memoryview(buffer) as view:
        try:
            while filled < len(buffer):
                count = read(view[filled : filled + READ_BYTES])
                if not count:
                    return filled, True, None
                filled += count
        except BROKEN as error:
            return filled, True, error
    return filled, False, None


def _check_start(buffer: bytearray, filled: int, label: str) -> int:
    """Remove the byte-order mark from the start of a text file; return how much is filled then."""
    start = bytes(buffer[: min(filled, 4096)])
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(f"{label}: UTF-16 text; give --encoding utf-16, or save it as UTF-8")
    if b"\0" in start:
        raise InputError(f"{label}: holds zero bytes, so it is not a text table; name CSV, TSV, JSON lines or Parquet")
    if start.startswith(MARK):
        buffer[: filled - 3] = buffer[3:filled]
        filled -= 3
    return filled


def _columns(start: bytearray, separator: str) -> int:
    """How many columns the first line has that is not blank."""
    line = bytes(start).lstrip(b"\r\n").split(NEWLINE, 1)[0]
    return line.count(separator.encode()) + 1
