"""Files that are either whole or absent: write to a temporary name beside the target, then rename."""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from remi_tf.errors import InputError


@contextlib.contextmanager
def atomic_file(path: str | Path, mode: str = "w") -> Iterator[IO[Any]]:
    """Open a file that appears under `path` only if the block ends without an error."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    encoding = None if "b" in mode else "utf-8"
    newline = None if "b" in mode else "\n"
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, mode, encoding=encoding, newline=newline) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


@contextlib.contextmanager
def atomic_folder(path: str | Path, marker: str, overwrite: bool = False) -> Iterator[Path]:
    """Yield an empty folder that takes the place of `path` only if the block ends without an error.

    Args:
      marker: a file that every folder of this kind holds; what does not hold it is never replaced.

    Raises:
      InputError: `path` holds something that may not be replaced (see `refuse_existing`).
    """
    path = Path(path)
    refuse_existing(path, marker, overwrite)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        yield temporary
        os.chmod(temporary, 0o777 & ~_umask())
        _replace_folder(path, temporary)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def refuse_existing(path: Path, marker: str, overwrite: bool) -> None:
    """Raise InputError if `path` holds something, unless `overwrite` is true and it holds a file called `marker`."""
    if path.is_file():
        raise InputError(f"{path} is a file; name a folder")
    if not path.is_dir() or not any(path.iterdir()):
        return
    if not (path / marker).is_file():
        raise InputError(f"{path} holds other files (it has no {marker}), so it is never replaced; name another folder")
    if not overwrite:
        raise InputError(f"{path} exists already; name another folder or add --overwrite")


def refuse_file(flag: str, path: Path, overwrite: bool, inputs: Sequence[str | Path] = ()) -> None:
    """Raise InputError if the file `path`, the value of `flag`, is a folder, one of `inputs`, or there already.

    With `overwrite` it may be there, but none of the inputs.
    """
    if path.is_dir():
        raise InputError(f"{flag} {path}: a folder; name a file such as {os.path.join(path, 'top.parquet')}")
    if not path.exists():
        return
    if any(os.path.exists(source) and os.path.samefile(source, path) for source in inputs):
        raise InputError(f"{flag} {path}: one of the inputs; name another file")
    if not overwrite:
        raise InputError(f"{flag} {path}: exists already; name another file or add --overwrite")


@contextlib.contextmanager
def parts_folder(path: Path) -> Iterator[Path]:
    """An empty folder beside the file `path` for what is needed until it is written; deleted at the end.

    What a killed process left in it is deleted first: its lock went with it.

    Raises:
      InputError: another process is at it.
    """
    folder = path.with_name(f".{path.name}.parts")
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(f"{path}: another process is writing it; wait for it, or name another file") from error
        try:
            for stale in folder.iterdir():
                stale.unlink()
            yield folder
        finally:
            shutil.rmtree(folder)
    finally:
        os.close(descriptor)


def _replace_folder(path: Path, new: Path) -> None:
    """Move `new` to `path`; what was there is deleted after that, or put back if it fails."""
    if not path.exists():
        os.replace(new, path)
        return
    old = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.old."))
    os.replace(path, old / path.name)
    try:
        os.replace(new, path)
    except BaseException:
        os.replace(old / path.name, path)
        raise
    finally:
        shutil.rmtree(old)


def write_json(path: str | Path, value: Any) -> None:
    """Write `value` as indented JSON, atomically."""
    with atomic_file(path) as file:
        json.dump(value, file, indent=2, ensure_ascii=False)
        file.write("\n")


def sha256(path: str | Path) -> str:
    """The file's SHA-256 as hexadecimal digits, read in blocks."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
