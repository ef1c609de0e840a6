"""Files and folders that are either whole or absent: written under a temporary name next to the target, then renamed.

What is renamed is on the disk before, and the rename itself after: a power cut leaves the old or the new, never a name
without content. A folder that is replaced is exchanged in one step where the system can do that. A full disk leaves the
old. A link to a file or folder stays a link: what it points to is replaced.
"""

import contextlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from remi_tf.errors import InputError, writing
from remi_tf.locks import locked_beside
from remi_tf.temporary import clear_up, is_temporary, put_in_place, sync, temporary_file, temporary_folder

_LAST_VERSION = 2**63 - 1


@contextlib.contextmanager
def atomic_file(path: str | Path, mode: str = "w") -> Iterator[IO[Any]]:
    """Open a file that appears under `path` only if the block ends without an error.

    Raises:
      InputError: `path` is a folder or a device.
      OSError: the disk is full; the message names `path`.
    """
    path = _behind_link(Path(path))
    if path.exists() and not path.is_file():
        raise InputError(f"{path}: a folder or a device; name a file")
    encoding = None if "b" in mode else "utf-8"
    newline = None if "b" in mode else "\n"
    with _prepared(path), temporary_file(path) as (descriptor, temporary):
        clear_up(path)
        with os.fdopen(descriptor, mode, encoding=encoding, newline=newline) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            os.chmod(temporary, 0o666 & ~_umask())
            os.replace(temporary, path)
        sync(path.parent)


@contextlib.contextmanager
def atomic_folder(path: str | Path, marker: str, overwrite: bool = False) -> Iterator[Path]:
    """Yield an empty folder that takes the place of `path` only if the block ends without an error.

    Args:
      marker: a file that every folder of this kind holds; a folder without it is never replaced.

    Raises:
      InputError: `path` holds something that may not be replaced (see `refuse_existing`), or another process writes it.
      OSError: the disk is full; the message names `path`.
    """
    path = _behind_link(Path(path))
    with _prepared(path), locked_beside(path, "writing it"):
        clear_up(path)
        refuse_existing(path, marker, overwrite)
        with temporary_folder(path) as temporary:
            yield temporary
            _finish(temporary)
            refuse_existing(path, marker, overwrite)  # what has come in the meantime
            put_in_place(temporary, path, replace=overwrite)


def add_version(parent: Path, write: Callable[[Path], None]) -> Path:
    """Have `write` fill a folder, which then becomes the next version in `parent`: 1, 2, … The number is taken last.

    Raises:
      OSError: the disk is full; the message names `parent`.
    """
    place = _behind_link(parent) / "version"  # the name that the hidden folder is made of
    with _prepared(place, parent), temporary_folder(place) as temporary:
        clear_up(place)
        write(temporary)
        _finish(temporary)
        while True:
            number = max(version_numbers(place.parent), default=0) + 1
            with contextlib.suppress(FileExistsError):  # another process was quicker
                put_in_place(temporary, place.with_name(str(number)), replace=False)
                return parent / str(number)


def version_numbers(parent: Path) -> list[int]:
    """The numbers that folders and files in `parent` take up: names of digits only, `01` is 1."""
    names = [entry.name for entry in parent.iterdir()] if parent.is_dir() else []
    numbers = [int(name) for name in names if name.isascii() and name.isdigit()]
    return [number for number in numbers if number < _LAST_VERSION]


@contextlib.contextmanager
def parts_folder(path: Path) -> Iterator[Path]:
    """An empty folder next to the file `path` for what is needed until it is written; deleted at the end.

    Raises:
      InputError: another process is at it.
      OSError: the disk is full; the message names `path`.
    """
    path = _behind_link(path)
    with _prepared(path), locked_beside(path, "writing it"), temporary_folder(path) as folder:
        clear_up(path)
        yield folder


def refuse_existing(path: Path, marker: str, overwrite: bool) -> None:
    """Raise InputError if `path` holds something, unless `overwrite` is true and it holds a file called `marker`."""
    if path.is_file():
        raise InputError(f"{path} is a file; name a folder")
    if not path.is_dir() or not any(path.iterdir()):
        return
    if not (path / marker).is_file():
        raise InputError(f"{path} holds other files (it has no {marker}), so it is never replaced; name another folder")
    if not overwrite:
        raise InputError(f"{path} exists already; name another folder or add --overwrite (in Python overwrite=True)")


def refuse_file(flag: str, path: Path, overwrite: bool, inputs: Sequence[str | Path] = ()) -> None:
    """Raise InputError if `path`, the value of `flag`, is a folder, one of `inputs`, or exists already.

    With `overwrite` it may exist, but it may not be one of the inputs.
    """
    if path.is_dir():
        raise InputError(f"{flag} {path}: a folder; name a file such as {os.path.join(path, 'top.parquet')}")
    if not path.exists():
        return
    if not path.is_file():
        raise InputError(f"{flag} {path}: not a regular file; name another one")
    if any(os.path.exists(source) and os.path.samefile(source, path) for source in inputs):
        raise InputError(f"{flag} {path}: one of the inputs; name another file")
    if not overwrite:
        raise InputError(f"{flag} {path}: exists already; name another file or add --overwrite")


def write_json(path: str | Path, value: Any) -> None:
    """Write `value` as indented JSON, atomically."""
    with atomic_file(path) as file:
        json.dump(value, file, indent=2, ensure_ascii=False)
        file.write("\n")


@contextlib.contextmanager
def _prepared(path: Path, shown: Path | None = None) -> Iterator[None]:
    """The folder that `path` goes to is there; if the block fails, what had to be made is removed.

    Args:
      shown: what errors of a full disk name; None = `path`.
    """
    missing = [folder for folder in (path.parent, *path.parent.parents) if not folder.exists()]
    with writing(shown or path, lambda name: is_temporary(name, path)):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield
        except BaseException:
            with contextlib.suppress(OSError):  # another process has put something there
                for folder in missing:
                    folder.rmdir()
            raise
        for folder in missing:
            sync(folder.parent)


def _finish(folder: Path) -> None:
    """Everything in a temporary folder is on the disk, and others may read it."""
    os.chmod(folder, 0o777 & ~_umask())
    for parent, _, names in os.walk(folder, topdown=False):
        for name in names:
            sync(Path(parent, name))
        sync(Path(parent))


def _behind_link(path: Path) -> Path:
    """What a link points to; `.` and `..` by their names."""
    path = Path(os.path.realpath(path)) if path.is_symlink() or path.name in ("", "..") else path
    if not path.name:
        raise InputError(f"{path}: nothing can be put in its place; name a folder or file in it")
    return path


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
