"""Bytes of a raw log: files and archive members in order, decompressed, cut into blocks of whole records."""

import bz2
import contextlib
import gzip
import lzma
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import numpy as np

from remi_tf.data.tables.rows import BadRows, split_records
from remi_tf.errors import InputError

BLOCK_BYTES = 4 << 20
READ_BYTES = 1 << 20
LONGEST_LINE = 64 << 20
COMPRESSIONS: dict[bytes, Callable[[Any], Any]] = {
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
}
ARCHIVES = (".tar", ".tgz", ".tbz2", ".txz", ".tar.gz", ".tar.bz2", ".tar.xz", ".zip")
# What a damaged or cut-off compressed file raises while it is read.
BROKEN = (EOFError, zlib.error, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile, OSError)


@dataclass(frozen=True)
class Member:
    """One file of a log: a file on disk, or a file inside an archive.

    label: how messages name it (`clicks.tar.xz:clicks/hour_001.csv`); name: the file name without compression suffix.
    """

    label: str
    name: str
    open: Callable[[], contextlib.AbstractContextManager[IO[bytes]]]


@dataclass(frozen=True)
class Block:
    """Whole records of a text file; `first_line` is the physical line (from 1) of its first byte."""

    data: bytes
    first_line: int


def bare_name(name: str) -> str:
    """The file name without folders and without .gz, .bz2 or .xz."""
    name = name.rsplit("/", 1)[-1]
    for suffix in (".gz", ".bz2", ".xz"):
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name


@contextlib.contextmanager
def open_members(
    paths: Sequence[str | Path], bad: BadRows, wanted: Callable[[str], bool] | None = None
) -> Iterator[Iterator[Member]]:
    """Yield an iterator over the files of a log in the order given; members of an archive in the order of their names.

    Args:
      wanted: which members of an archive belong to the log, by bare name; None takes every text or Parquet file.

    Raises:
      InputError: a file is missing, is a folder, or an archive holds none of the wanted members.
    """
    with contextlib.ExitStack() as stack:
        yield (member for path in paths for member in _members(Path(path), bad, wanted, stack))


def _members(
    path: Path, bad: BadRows, wanted: Callable[[str], bool] | None, stack: contextlib.ExitStack
) -> Iterator[Member]:
    if not path.exists():
        raise InputError(f"{path}: no such file; check --input")
    if path.is_dir():
        raise InputError(f"{path} is a folder; name its files (--input {path}/*.csv)")
    if path.stat().st_size == 0:
        raise InputError(f"{path.name}: the file is empty")
    if not path.name.lower().endswith(ARCHIVES):
        yield Member(path.name, bare_name(path.name), lambda: _open_file(path))
        return
    found = False
    for name, open_member in _archive(path, bad, stack):
        base = bare_name(name)
        hidden = base.startswith((".", "__")) or "__MACOSX" in name
        if hidden or not (wanted(base) if wanted else is_table(base)):
            continue
        found = True
        yield Member(f"{path.name}:{name}", base, lambda name=name, opener=open_member: _decompressed(opener(), name))  # type: ignore[misc]
    if not found:
        raise InputError(f"{path.name}: no file of the log inside this archive; unpack it and name the files")


def is_table(name: str) -> bool:
    """Whether a member's name says that it may be a part of a log."""
    return name.lower().endswith(
        (".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".dat", ".data", ".inter", ".parquet")
    )


def _archive(path: Path, bad: BadRows, stack: contextlib.ExitStack) -> list[tuple[str, Callable[[], IO[bytes]]]]:
    """(name, opener) of each file in an archive, sorted by name.

    A compressed tar is unpacked once into an unnamed temporary file: members can then be read in any order.
    """
    try:
        if path.name.lower().endswith(".zip"):
            archive = stack.enter_context(zipfile.ZipFile(path))
            names = sorted(info.filename for info in archive.infolist() if not info.is_dir())
            return [(name, lambda name=name: archive.open(name)) for name in names]  # type: ignore[misc]
        plain = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 (the stack closes it)
        with _open_file(path) as stream:
            try:
                while piece := stream.read(1 << 20):
                    plain.write(piece)
            except BROKEN as error:
                bad.truncated(path.name, f"the archive ends early ({error})")
        plain.seek(0)
        tar = stack.enter_context(tarfile.open(fileobj=plain, mode="r:"))  # noqa: SIM115
        entries: list[tarfile.TarInfo] = []
        with contextlib.suppress(tarfile.ReadError):  # the end of a truncated archive, reported above
            entries.extend(entry for entry in tar if entry.isfile())
        entries.sort(key=lambda entry: entry.name)
        return [(entry.name, lambda entry=entry: cast(IO[bytes], tar.extractfile(entry))) for entry in entries]  # type: ignore[misc]
    except (tarfile.TarError, zipfile.BadZipFile) as error:
        raise InputError(f"{path.name}: not a readable archive ({error}); fetch it again") from error


@contextlib.contextmanager
def _open_file(path: Path) -> Iterator[IO[bytes]]:
    with open(path, "rb") as file, _decompressed(file, path.name) as stream:
        yield stream


@contextlib.contextmanager
def _decompressed(file: IO[bytes], name: str) -> Iterator[IO[bytes]]:
    """Undo .gz, .bz2 and .xz, recognised by the first bytes, not by the name."""
    start = file.read(6)
    file.seek(0)
    for magic, opener in COMPRESSIONS.items():
        if start.startswith(magic):
            with opener(file) as stream:
                yield stream
            return
    if name.lower().endswith((".gz", ".bz2", ".xz", ".tgz", ".txz", ".tbz2")):
        raise InputError(
            f"{name}: not a {name.rsplit('.', 1)[-1]} file (it starts with {start!r}); fetch it again or rename it"
        )
    yield file


def read_blocks(stream: IO[bytes], label: str, bad: BadRows, separator: str, quoting: bool) -> Iterator[Block]:
    """Cut a text stream into blocks of whole records.

    A stream that breaks off (truncated gzip) is reported to `bad`; what came before the break is kept,
    the unfinished last line is not.

    Raises:
      InputError: not UTF-8 text, or a single line of more than 64 MB.
    """
    # One buffer for all blocks: new memory for each would cost more time in page faults than the parsing.
    buffer, filled, line = bytearray(BLOCK_BYTES), 0, 1
    begun = False
    while True:
        filled, ended, broken = _fill(stream, buffer, filled)
        if not begun:
            filled, begun = _check_start(buffer, filled, label), True
        cut = buffer.rfind(NEWLINE, 0, filled) + 1
        if broken is not None:
            filled = cut
            bad.truncated(label, f"the file ends early, after line {line - 1 + count_lines(buffer[:cut])} ({broken})")
        data = bytes(memoryview(buffer)[: filled if ended else cut])
        if ended:
            if data:
                yield Block(data, line)
            return
        cut = _record_end(data, separator, quoting)
        if cut:
            yield Block(data[:cut], line)
            line += count_lines(data[:cut])
            buffer[: filled - cut] = buffer[cut:filled]
            filled -= cut
        elif filled == len(buffer):
            if filled > LONGEST_LINE:
                raise InputError(f"{label} line {line}: no line end within 64 MB; is this a text file?")
            buffer.extend(bytes(len(buffer)))


NEWLINE = b"\n"
SAMPLED_LINES = 500


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


def _fill(stream: IO[bytes], buffer: bytearray, filled: int) -> tuple[int, bool, BaseException | None]:
    """Read on until the buffer is full.

    Returns:
      How much of it is filled, whether the stream ended, and what broke it. Reads are single steps
      (readinto1), so that a break loses nothing that came before it.
    """
    read: Callable[[memoryview], int] = getattr(stream, "readinto1", None) or stream.readinto  # type: ignore[attr-defined]
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
        raise InputError(f"{label}: UTF-16 text; save it as UTF-8")
    if b"\0" in start:
        raise InputError(f"{label}: holds zero bytes, so it is not a text table; name CSV, TSV, JSON lines or Parquet")
    if start.startswith(b"\xef\xbb\xbf"):
        buffer[: filled - 3] = buffer[3:filled]
        filled -= 3
    return filled


def _record_end(data: bytes, separator: str, quoting: bool) -> int:
    """Where the last whole record of some whole lines ends: a quoted field may hold line breaks."""
    if not quoting or b'"' not in data or data.count(b'"') % 2 == 0:
        return len(data)
    lines = 0
    for record in split_records(data, 1, separator, quoting):
        if not record.closed:
            break
        lines = record.line + record.lines - 1
    position = 0
    for _ in range(lines):
        position = data.index(NEWLINE, position) + 1
    return position
