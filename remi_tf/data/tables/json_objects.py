"""The objects of a JSON file, one per line or in one array, each with the line that it begins on."""

import ast
import codecs
import contextlib
import io
import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import IO, Any

from remi_tf.data.tables.archives import BROKEN, START_BYTES
from remi_tf.data.tables.rows import BadRow, BadRows
from remi_tf.data.tables.streams import LONGEST_LINE, MARK, NEWLINE, Block, Decoded, decoded, read_blocks, some_lines

Stream = IO[bytes] | io.RawIOBase
Line = tuple[int, dict[str, Any]]  # the line an object begins on, the object
MOST_SAMPLES = 10_000  # objects of an array
_ARRAY = re.compile(rb"(?:\xef\xbb\xbf)?\s*\[\s*[{\]]")
_BETWEEN = re.compile(r"[\s,]*")


def json_rows(stream: Stream, start: bytes, label: str, bad: BadRows, encoding: str = "utf-8") -> Iterator[Line]:
    """Every object of a file with its line, one per line or in one array; what is not an object goes to `bad`."""
    if is_array(decoded(start, encoding)):
        return chain.from_iterable(read_array(stream, label, bad, encoding))
    blocks = read_blocks(stream, label, bad, "\n", encoding=encoding)
    return chain.from_iterable(json_objects(block, label, bad) for block in blocks)


def json_objects(block: Block, label: str, bad: BadRows) -> Iterator[Line]:
    """(line, object) of each line; lines that are not objects go to `bad`.

    Older Amazon files hold Python literals instead of JSON; those are read as literals, never evaluated.
    """
    for number, raw in enumerate(block.data.split(b"\n"), start=block.first_line):
        if not raw.strip():
            continue
        bad.rows += 1
        try:
            yield number, parse_object(raw)
        except BadRow as error:
            bad.add(f"{label} line {number}", error)


def some_objects(stream: Stream, start: bytes, label: str, encoding: str) -> Iterator[dict[str, Any]]:
    """Objects from all over a file."""
    bad = BadRows("skip", most=1.0)
    if is_array(decoded(start, encoding)):
        yield from _thinned(chain.from_iterable(read_array(stream, label, bad, encoding)))
        return
    for block in read_blocks(stream, label, bad, "\n", encoding=encoding):
        yield from _good_objects(some_lines(block.data))


def _thinned(objects: Iterable[Line]) -> list[dict[str, Any]]:
    """Every object, or where there are many every second one, every fourth …"""
    found: list[dict[str, Any]] = []
    step = 1
    for number, (_, row) in enumerate(objects):
        if number % step == 0:
            found.append(row)
        if len(found) > MOST_SAMPLES:
            found, step = found[::2], 2 * step
    return found


def _good_objects(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    for raw in lines:
        with contextlib.suppress(BadRow):
            yield parse_object(raw)


def first_objects(start: bytes) -> Iterator[dict[str, Any]]:
    """The objects that are whole in the first bytes of a file."""
    if is_array(start):
        text = start.decode("utf-8", "surrogateescape")
        return (row for _, row in _objects(text, text.index("[") + 1)[0])
    return _good_objects(start.removeprefix(MARK).split(NEWLINE))


class Repeated(dict[str, Any]):
    """An object in which a key stands more than once. `keys_twice` holds those keys."""

    keys_twice: frozenset[str] = frozenset()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    names = [name for name, _ in pairs]
    repeated = Repeated(found)
    repeated.keys_twice = frozenset(name for name in found if names.count(name) > 1)
    return repeated


_DECODER = json.JSONDecoder(object_pairs_hook=_object, strict=False)


def parse_object(raw: bytes) -> dict[str, Any]:
    """The object of one line.

    Raises:
      BadRow: it is none.
    """
    text = raw.decode("utf-8", "surrogateescape").strip()
    try:
        value = _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            raise BadRow("not JSON", f"{text[:60]!r} is not a JSON object ({error})") from error
    if not isinstance(value, dict):
        raise BadRow("not JSON", f"{text[:60]!r} is not a JSON object")
    return value


def is_array(start: bytes) -> bool:
    """Whether a file that begins so is one array of objects; an empty one counts."""
    return _ARRAY.match(start) is not None


def read_array(stream: Stream, label: str, bad: BadRows, encoding: str = "utf-8") -> Iterator[list[Line]]:
    """Pieces of the objects of one array. Where it is damaged the rest cannot be read; `bad` is told so."""
    stream = Decoded(stream, encoding) if encoding != "utf-8" else stream
    text, line, ended, began, size = "", 1, False, False, 16 * START_BYTES
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    while True:
        try:
            data = stream.read(size) or b""
            ended = not data
            text += decoder.decode(data if began else data.removeprefix(MARK), final=ended)
        except BROKEN as error:
            bad.truncated(label, f"the file ends early, after line {line} ({error})")
            return
        position = 0 if began else text.index("[") + 1
        objects, used, closed, wrong = _objects(text, position)
        counted = 0
        for n, (start, _) in enumerate(objects):
            line, counted = line + text.count("\n", counted, start), start
            objects[n] = (line, objects[n][1])
        line += text.count("\n", counted, used)
        text, began = text[used:], True
        bad.rows += len(objects)
        yield objects
        if closed:
            rest = text.strip() or decoder.decode(stream.read(START_BYTES) or b"").strip()
            if rest:
                bad.truncated(f"{label} line {line}", f"the array ends here, and {rest[:40]!r} comes after it")
            return
        if ended or len(text) > LONGEST_LINE or (wrong and len(text) > (1 << 20)):
            rest = text[_BETWEEN.match(text).end() :]  # type: ignore[union-attr]
            line, shown = line + text.count("\n", 0, len(text) - len(rest)), rest[:40]
            bad.truncated(f"{label} line {line}", f"the array cannot be read on: {shown!r} is not an object of JSON")
            return
        size = max(16 * START_BYTES, len(text))


def _objects(text: str, position: int) -> tuple[list[Line], int, bool, bool]:
    """([(where it begins, object)], where the rest begins, whether the array ended, whether no object can come)."""
    found: list[Line] = []
    while True:
        start = _BETWEEN.match(text, position).end()  # type: ignore[union-attr]
        if text.startswith("]", start):
            return found, start + 1, True, False
        if not text.startswith("{", start):
            return found, position, False, start < len(text)
        try:
            value, position = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            return found, position, False, False
        found.append((start, value))
