"""Hidden files and folders that take the place of something when they are whole.

They lie next to it as .NAME.remi_tf-new-xxxx, and a lock says that their owner lives. What a killed process left is
removed by the next that writes the same thing. Names that do not look like this are never touched, and no link is
followed.
"""

import contextlib
import ctypes
import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from remi_tf.locks import lock_beside

_OURS, _NEW, _OLD = "remi_tf-", "remi_tf-new-", "remi_tf-old-"
_EXCHANGE, _HERE = 2, -100  # renameat2's flag, and "paths are relative to the current folder"


@contextlib.contextmanager
def temporary_folder(path: Path, kind: str = _NEW) -> Iterator[Path]:
    """An empty folder next to `path`, removed at the end if it still has its name."""
    while True:
        folder = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.{kind}"))
        with contextlib.suppress(FileNotFoundError):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            if _own(descriptor, folder):
                break
            os.close(descriptor)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


@contextlib.contextmanager
def temporary_file(path: Path) -> Iterator[tuple[int, Path]]:
    """An empty file next to `path` (its descriptor, which the caller closes, and its name), removed if it is left."""
    while True:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.{_NEW}")
        if _own(descriptor, Path(name)):
            break
        os.close(descriptor)
    try:
        yield descriptor, Path(name)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)


def is_temporary(name: str, path: Path) -> bool:
    """Whether a file's name is that of a hidden file or folder of `path`, or lies in it, or is its lock."""
    return name.startswith(str(path.with_name(f".{path.name}.{_OURS}"))) or name == str(lock_beside(path))


def clear_up(path: Path) -> None:
    """Remove hidden files and folders of `path` whose owner is dead; put an old folder back that was held aside."""
    with contextlib.suppress(OSError):
        for name in os.listdir(path.parent):
            if name.startswith(f".{path.name}.{_OURS}"):
                _clear(path.with_name(name), path)


def _clear(left: Path, path: Path) -> None:
    try:
        descriptor = os.open(left, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:  # a link, or gone
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not left.is_dir():
            left.unlink()
            return
        kept = left / path.name
        if f".{_OLD}" in left.name and kept.is_dir() and _is_free(path):
            os.rename(kept, path)
            sync(path.parent)
        shutil.rmtree(left, ignore_errors=True)
    except OSError:  # its owner lives, or cannot be asked
        return
    finally:
        os.close(descriptor)


def put_in_place(new: Path, path: Path, replace: bool) -> None:
    """Give the folder `new` the name `path`, in one step.

    Raises:
      FileExistsError: `path` holds something, and `replace` is false.
    """
    try:
        os.rename(new, path)  # in place of nothing, or of an empty folder
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        if not replace:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from error
        if not exchange(new, path):
            _replace(new, path)
    sync(path.parent)


def _replace(new: Path, path: Path) -> None:
    """Without exchange: the old is held aside until the new stands; `clear_up` puts it back after a kill."""
    aside = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.{_OLD}"))
    kept = aside / path.name
    try:
        os.rename(path, kept)
        os.rename(new, path)
    finally:
        if kept.is_dir() and _is_free(path):
            os.rename(kept, path)
        sync(path.parent)
        shutil.rmtree(aside, ignore_errors=True)


def exchange(one: Path, other: Path) -> bool:
    """Swap two names in one step (Linux's renameat2); False where the system or the file system cannot."""
    function = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    return function is not None and function(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0


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


def _own(descriptor: int, path: Path) -> bool:
    """Lock what this process has just made. False if another one took it for the dead's and removed it."""
    with contextlib.suppress(OSError):  # a file system without locks
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    except FileNotFoundError:
        return False


def _is_free(path: Path) -> bool:
    """Whether nothing has this name, or only an empty folder."""
    return not os.path.lexists(path) or (path.is_dir() and not path.is_symlink() and not any(path.iterdir()))
