"""Files of a log and members of archives, in order and decompressed."""

import bz2
import contextlib
import gzip
import io
import lzma
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import pyarrow as pa

from remi_tf.data.tables.rows import BadRows
from remi_tf.errors import InputError

START_BYTES = 64 << 10
COMPRESSIONS: dict[bytes, Callable[[Any], Any]] = {
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
    b"\x28\xb5\x2f\xfd": lambda file: pa.CompressedInputStream(file, "zstd"),
}
SUFFIXES = (".gz", ".bz2", ".xz", ".zst")
ARCHIVES = (".tar", ".tgz", ".tbz2", ".txz", ".tzst", *(f".tar{suffix}" for suffix in SUFFIXES), ".zip")
# What a damaged or cut-off compressed file raises while it is read. InputError is a ValueError and not among them.
BROKEN = (
    *(EOFError, zlib.error, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile, OSError),
    *(NotImplementedError, RuntimeError, pa.ArrowInvalid),
)
UNPACK = "unpack it first and name the files in it"
OTHER_FORMS = {
    b"7z\xbc\xaf\x27\x1c": ("a 7z archive", UNPACK),
    b"Rar!\x1a\x07": ("a rar archive", UNPACK),
    b"\x04\x22\x4d\x18": ("compressed with lz4", "unpack it first (lz4 -d)"),
    b"\x1f\x9d": ("compressed with compress (.Z)", "unpack it first (uncompress)"),
    b"PK\x03\x04": ("a zip archive or an Excel workbook", "name the archive FILE.zip; save a workbook as CSV"),
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook", "save it as CSV"),
    b"ARROW1": ("an Arrow (Feather) file", "save it as Parquet"),
    b"Obj\x01": ("an Avro file", "save it as Parquet or JSON lines"),
    b"ORC": ("an ORC file", "save it as Parquet"),
    b"SQLite format 3": ("an SQLite database", "export the table as CSV"),
    b"\x89HDF": ("an HDF5 file", "save the table as Parquet or CSV"),
}
ZIP_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA}


@dataclass(frozen=True)
class Member:
    """One file of a log: a file on disk, or a file inside an archive.

    label: how messages name it (`clicks.tar.xz:clicks/hour_001.csv`); name: the file name without compression suffix.
    """

    label: str
    name: str
    open: Callable[[], contextlib.AbstractContextManager[IO[bytes]]]


class NoFileInside(InputError):
    """An archive holds none of the files that are wanted."""


class Started(io.RawIOBase):
    """A stream whose first bytes were read ahead to see what it holds.

    start: those bytes, at most START_BYTES, fewer where the stream is short or breaks off.
    """

    def __init__(self, stream: IO[bytes]):
        self.stream = stream
        self._break: BaseException | None = None
        self._read: Callable[[memoryview], int] = getattr(stream, "readinto1", None) or stream.readinto  # type: ignore[attr-defined]
        start, filled = bytearray(START_BYTES), 0
        with memoryview(start) as view:
            try:
                while filled < START_BYTES and (count := self._read(view[filled:])):
                    filled += count
            except BROKEN as error:
                self._break = error
        self.start = bytes(start[:filled])
        self._left = self.start

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        if self._left:
            count = min(len(target), len(self._left))
            target[:count], self._left = self._left[:count], self._left[count:]
            return count
        if self._break is not None:
            raise self._break
        return self._read(target)


def bare_name(name: str) -> str:
    """The file name without folders and without .gz, .bz2, .xz or .zst."""
    name = name.rsplit("/", 1)[-1]
    for suffix in SUFFIXES:
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
      InputError: a file is missing, is a folder, or an archive holds none of the wanted members or cannot be unpacked.
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
    if not path.name.lower().endswith(ARCHIVES) or path.stat().st_size == 0:
        yield Member(path.name, bare_name(path.name), lambda: _open_file(path))
        return
    found = False
    for name, open_member in _archive(path, bad, stack):
        base = bare_name(name)
        hidden = base.startswith((".", "__")) or "__MACOSX" in name
        if hidden or not (wanted(base) if wanted else is_table(base)):
            continue
        found = True
        label = f"{path.name}:{name}"
        yield Member(label, base, lambda label=label, opener=open_member: _open_member(opener, label))  # type: ignore[misc]
    if not found:
        raise NoFileInside(f"{path.name}: no file of the log inside this archive; unpack it and name the files")


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
            infos = sorted((info for info in archive.infolist() if not info.is_dir()), key=lambda info: info.filename)
            return [(info.filename, lambda info=info: _open_in_zip(archive, info, path.name)) for info in infos]  # type: ignore[misc]
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
    except (tarfile.TarError, zipfile.BadZipFile, NotImplementedError) as error:
        raise InputError(f"{path.name}: not a readable archive ({error}); fetch it again") from error


def _open_in_zip(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> IO[bytes]:
    if info.flag_bits & 1:
        raise InputError(f"{name}: {info.filename} is locked with a password; {UNPACK}")
    if info.compress_type not in ZIP_METHODS:
        method = {9: "Deflate64", 93: "zstd"}.get(info.compress_type, f"method {info.compress_type}")
        raise InputError(f"{name}: {info.filename} is packed with {method}, which Python's zip does not know; {UNPACK}")
    return archive.open(info)


@contextlib.contextmanager
def _open_file(path: Path) -> Iterator[IO[bytes]]:
    with open(path, "rb") as file, _decompressed(file, path.name) as stream:
        yield stream


@contextlib.contextmanager
def _open_member(opener: Callable[[], IO[bytes]], label: str) -> Iterator[IO[bytes]]:
    try:
        file = opener()
    except BROKEN as error:
        raise InputError(f"{label}: damaged ({error}); fetch the archive again") from error
    with file, _decompressed(file, label) as stream:
        yield stream


@contextlib.contextmanager
def _decompressed(file: IO[bytes], name: str) -> Iterator[IO[bytes]]:
    """Undo .gz, .bz2, .xz and .zst, recognised by the first bytes, not by the name."""
    try:
        start = file.read(16)
    except BROKEN as error:
        raise InputError(f"{name}: damaged ({error}); fetch it again") from error
    file.seek(0)
    for magic, opener in COMPRESSIONS.items():
        if start.startswith(magic):
            with opener(file) as stream:
                yield stream
            return
    for magic, (what, remedy) in OTHER_FORMS.items():
        if start.startswith(magic):
            raise InputError(f"{name}: {what}; {remedy}")
    if start and name.lower().endswith((*SUFFIXES, ".tgz", ".txz", ".tbz2", ".tzst")):
        raise InputError(
            f"{name}: not a {name.rsplit('.', 1)[-1]} file (it starts with {start[:6]!r}); fetch it again or rename it"
        )
    yield file
