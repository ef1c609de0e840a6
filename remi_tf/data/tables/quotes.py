"""Which quotes of a text table are quotes. One rule, applied to the bytes before any parser sees them.

What comes out follows RFC 4180 in every quote, so that Arrow and our own splitting of rows cannot differ:

* A field is quoted if it begins with a quote and its closing quote stands before a separator or a line end. Two quotes
  inside it are one.
* Any other quote is a plain character.
* Rule `csv`: a quoted field may hold separators and line ends. A quote that opens a field and is never closed makes its
  line a bad row, and so does a quoted field with `\\"` inside, as Spark writes it.
* Rule `tab`, for tab-separated files, in which quotes are mostly plain: a quoted field may hold line ends only if it
  holds no tab, and tabs only if its line would have too many columns without the quotes. A quote that is never closed
  is a plain character.
* Rule `none`: quotes are plain characters. It holds for separators of several bytes.
"""

import re
from dataclasses import dataclass

import numpy as np

NEVER_CLOSED = (
    "a quote opens a field here and is never closed (if Spark wrote the file: write it again with "
    ".option('escape', '\"'))"
)
LONGEST_FIELD = 8 << 20  # bytes after which a quote counts as never closed

_QUOTE, _LINE_END, _RETURN = b'"\n\r'
NO_SPANS = np.zeros((0, 2), np.int64)
_TO_THE_CLOSING_QUOTE = re.compile(rb'"[^"]*(?:""[^"]*)*')


@dataclass(frozen=True)
class Settled:
    """Whole rows in which every quote is one. `used`: bytes of the input they took.

    unclosed: numbers of the lines, from 0, on which a quote opens that is never closed as in CSV.
    spans: [n, 2] begin and end in `data` of each row that runs over line ends.
    """

    data: bytes
    used: int
    unclosed: tuple[int, ...]
    spans: np.ndarray


def settle(data: bytes, separator: str, rule: str, *, ended: bool, columns: int = 0) -> Settled:
    """Decide on every quote of some lines that begin with a row.

    Args:
      ended: no more lines follow; otherwise a row whose quote is still open is left for the next call.
      columns: of the table, for the rule `tab`.
    """
    if rule == "none" or b'"' not in data:
        return Settled(data, len(data), (), NO_SPANS)
    mark = separator.encode()
    ends, spans = _regular(data, mark, rule)
    if ends == len(data) or (ends is not None and not ended and len(data) - ends <= LONGEST_FIELD):
        return Settled(data[:ends], ends, (), spans)
    settled, used, unclosed = _rewrite(data, mark, rule, ended, columns)
    _, spans = _regular(settled, mark, "csv")
    return Settled(settled, used, unclosed, spans)


def row_ends(data: bytes) -> np.ndarray:
    """[n] offsets just behind the line ends that end a row; every quote in `data` is one."""
    text = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(text == _LINE_END)
    if b'"' in data:
        ends = ends[np.searchsorted(np.flatnonzero(text == _QUOTE), ends) % 2 == 0]
    return ends + 1


def _regular(data: bytes, mark: bytes, rule: str) -> tuple[int | None, np.ndarray]:
    """(where the last whole row ends, spans of rows over line ends); None for the first if some quote is not one.

    If every quote is one then they open and close in turn, two next to each other inside a field being one character.
    """
    text = np.frombuffer(data, np.uint8)
    quotes = np.flatnonzero(text == _QUOTE)
    opening, closing, separator = quotes[::2], quotes[1::2], mark[0]
    before = text[np.maximum(opening - 1, 0)]
    good = (opening == 0) | (before == separator) | (before == _LINE_END)
    good[1:] |= opening[1:] == closing[: len(opening) - 1] + 1
    after, behind = (text[np.minimum(closing + step, len(text) - 1)] for step in (1, 2))
    fine = (closing + 1 == len(text)) | (after == separator) | (after == _LINE_END)
    fine |= (after == _RETURN) & ((behind == _LINE_END) | (closing + 2 == len(text)))
    fine[: len(opening) - 1] |= opening[1:] == closing[: len(opening) - 1] + 1
    tabs = np.flatnonzero(text == separator) if rule == "tab" else quotes[:0]
    if not good.all() or not fine.all() or np.any(np.searchsorted(quotes, tabs) % 2):
        return None, NO_SPANS
    line_ends = np.flatnonzero(text == _LINE_END)
    inside = np.searchsorted(quotes, line_ends) % 2 == 1
    outside = line_ends[~inside] + 1
    whole = len(data) if len(quotes) % 2 == 0 else int(outside[-1]) if len(outside) else 0
    borders = np.concatenate(([0], outside, [len(data)]))
    rows = np.unique(np.searchsorted(outside, line_ends[inside], side="right"))
    spans = np.stack([borders[rows], borders[rows + 1]], axis=1)
    return whole, spans[spans[:, 1] <= whole]


def _rewrite(data: bytes, mark: bytes, rule: str, ended: bool, columns: int) -> tuple[bytes, int, tuple[int, ...]]:
    """(the rows with every plain quote written as the standard has it, bytes used, lines of quotes never closed)."""
    pieces: list[bytes] = []
    unclosed: list[int] = []
    copied = position = row = row_pieces = row_copied = counted = lines = 0
    while (quote := data.find(b'"', position)) >= 0:
        line_end = data.rfind(b"\n", position, quote)
        if line_end >= 0:
            row, row_pieces, row_copied = line_end + 1, len(pieces), copied
        start = max(data.rfind(mark, position, quote), line_end) + 1 or position
        end = _closed(data, quote, mark, rule, columns) if start == quote else PLAIN
        waits = end == OPEN and not ended and len(data) - row <= LONGEST_FIELD
        if waits and not (rule == "tab" and data.find(mark, quote) >= 0):
            return b"".join([*pieces[:row_pieces], data[row_copied:row]]), row, tuple(unclosed)
        plain = _plain_end(data, quote, mark) if end < 0 else end
        if rule == "csv" and (end == OPEN or (end == PLAIN and start == quote and _escaped(data, quote, plain))):
            lines, counted = lines + data.count(b"\n", counted, quote), quote
            unclosed.append(lines)
        if end < 0:
            end = plain
            pieces += [data[copied:start], b'"', data[start:end].replace(b'"', b'""'), b'"']
            copied = end
        position = end
    return b"".join([*pieces, data[copied:]]), len(data), tuple(unclosed)


OPEN, PLAIN = -1, -2


def _closed(data: bytes, quote: int, mark: bytes, rule: str, columns: int) -> int:
    """Where the quoted field that begins at `quote` ends; OPEN or PLAIN if it is none."""
    found = _TO_THE_CLOSING_QUOTE.match(data, quote)
    assert found is not None
    end = found.end() + 1
    if end > len(data):
        return OPEN
    at_the_end = end == len(data) or (end == len(data) - 1 and data.endswith(b"\r"))
    if not at_the_end and not data.startswith((mark, b"\n", b"\r\n"), end):
        return PLAIN
    if rule == "tab" and data.find(mark, quote, end) >= 0:
        if data.find(b"\n", quote, end) >= 0:
            return PLAIN
        line_end = data.find(b"\n", end)
        if data.count(mark, data.rfind(b"\n", 0, quote) + 1, len(data) if line_end < 0 else line_end) < columns:
            return PLAIN
    return end


def _escaped(data: bytes, quote: int, end: int) -> bool:
    """Whether a field that opens with a quote holds quotes in another way than CSV does: `\\"`, as Spark has it."""
    return data.startswith(b"\\", data.index(b'"', quote + 1) - 1) or data.endswith(b'\\""', quote, end)


def _plain_end(data: bytes, quote: int, mark: bytes) -> int:
    """Where the field ends that holds the plain character at `quote`."""
    line_end = data.find(b"\n", quote)
    line_end = len(data) if line_end < 0 else line_end
    separator = data.find(mark, quote, line_end)
    return separator if separator >= 0 else line_end - data.endswith(b"\r", quote, line_end)
