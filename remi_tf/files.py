"""Files and folders that are either whole or absent: written under a temporary name next to the target, then renamed.

What is renamed is on the disk before, and the rename itself after: a power cut leaves the old or the new, never a name
without content. A folder that is replaced is exchanged in one step where the system can do that.
"""

import contextlib
import ctypes
import errno
import fcntl
import glob
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from remi_tf.errors import InputError

_OURS = "remi_tf-"  # begins what follows the target's name in temporary folders: no others are ever removed
_NO_REPLACE, _EXCHANGE, _HERE = 1, 2, -100  # renameat2's flags, and "paths are relative to the current folder"


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
        sync(path.parent)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


@contextlib.contextmanager
def atomic_folder(path: str | Path, marker: str, overwrite: bool = False) -> Iterator[Path]:
    """Yield an empty folder that takes the place of `path` only if the block ends without an error.

    A link to a folder stays a link: what it points to is replaced. What killed processes left there is removed.

    Args:
      marker: a file that every folder of this kind holds; a folder without it is never replaced.

    Raises:
      InputError: `path` holds something that may not be replaced (see `refuse_existing`).
      FileExistsError: another process has made `path` in the meantime.
    """
    path = Path(path)
    path = path.resolve() if path.is_symlink() else path
    path.parent.mkdir(parents=True, exist_ok=True)
    _clear_up(path)
    refuse_existing(path, marker, overwrite)
    temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.{_OURS}"))
    with _owned(temporary):
        try:
            yield temporary
            os.chmod(temporary, 0o777 & ~_umask())
            sync_folder(temporary)
            _put_in_place(temporary, path, replace=overwrite)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)  # what is left of it: nothing, the old, or the unfinished new


def sync(path: Path) -> None:
    """Have a file's content, or a folder's names, on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EBADF, errno.EACCES):  # file systems that sync no folders
            raise
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """`sync` of every file and folder below, and of the folder itself."""
    for parent, _, names in os.walk(folder, topdown=False):
        for name in names:
            sync(Path(parent, name))
        sync(Path(parent))


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
    if any(os.path.exists(source) and os.path.samefile(source, path) for source in inputs):
        raise InputError(f"{flag} {path}: one of the inputs; name another file")
    if not overwrite:
        raise InputError(f"{flag} {path}: exists already; name another file or add --overwrite")


@contextlib.contextmanager
def parts_folder(path: Path) -> Iterator[Path]:
    """An empty folder next to the file `path` for what is needed until it is written; deleted at the end.

    What a killed process left in it is deleted first: the lock of that process is gone.

    Raises:
      InputError: another process is writing `path`.
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


@contextlib.contextmanager
def _owned(folder: Path) -> Iterator[None]:
    """Hold a lock on a temporary folder, by which others see that its owner lives."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _clear_up(path: Path) -> None:
    """Remove temporary folders of `path` whose owner is dead; put an old folder back that one of them held aside."""
    for folder in path.parent.glob(f".{glob.escape(path.name)}.{_OURS}*"):
        if folder.is_symlink() or not folder.is_dir():
            continue
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if (folder / path.name).is_dir() and not path.exists():
                os.rename(folder / path.name, path)
                sync(path.parent)
            shutil.rmtree(folder, ignore_errors=True)
        except OSError:  # its owner lives, or cannot be asked
            continue
        finally:
            os.close(descriptor)


def _put_in_place(new: Path, path: Path, replace: bool) -> None:
    """Give `new` the name `path`; what has it now goes to `new`'s name, or aside where folders cannot be exchanged."""
    if not _rename(new, path, _NO_REPLACE):
        if path.exists() and any(path.iterdir()):
            _replace(new, path, replace)
        else:
            os.rename(new, path)
    sync(path.parent)


def _replace(new: Path, path: Path, replace: bool) -> None:
    if not replace:
        raise FileExistsError(errno.EEXIST, "exists already", str(path))
    if _rename(new, path, _EXCHANGE):
        return
    aside = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.{_OURS}"))
    with _owned(aside):
        os.rename(path, aside / path.name)  # `_clear_up` of the next run puts it back if this one dies here
        try:
            os.rename(new, path)
        except BaseException:
            os.rename(aside / path.name, path)
            raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def _rename(old: Path, new: Path, flags: int) -> bool:
    """Linux's renameat2; False where it cannot be done (another system or file system, or the target is there)."""
    function = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if function is None:
        return False
    return function(_HERE, os.fsencode(old), _HERE, os.fsencode(new), flags) == 0


def write_json(path: str | Path, value: Any) -> None:
    """Write `value` as indented JSON, atomically."""
    with atomic_file(path) as file:
        json.dump(value, file, indent=2, ensure_ascii=False)
        file.write("\n")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
