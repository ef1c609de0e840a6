"""One writer at a time: locks that their owner's death releases, and that name their owner.

`locked` is for a folder that stays open to one process for long, such as a run that is trained. `locked_beside` is for
a file or folder that is replaced as a whole.
"""

import contextlib
import errno
import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from remi_tf.errors import InputError

LOCK = ".lock"
_HELD = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)  # what flock says where another process has the lock


@contextlib.contextmanager
def locked(folder: Path, doing: str) -> Iterator[None]:
    """Hold the lock of `folder`, which must exist, within the block.

    The lock is one of the operating system on the file .lock in the folder: it ends with its process, also by SIGKILL,
    and holds between machines where the folder lies on a network file system. Where the file system has no locks, the
    process named in the file decides: one of this machine that is gone holds nothing.

    Args:
      doing: what the owner does, for the message: "training this run".

    Raises:
      InputError: another process holds it; the message has its pid and host.
    """
    descriptor = _open(folder / LOCK)
    try:
        _take(descriptor, folder, doing, wait=False)
        with _named(descriptor):
            yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def locked_beside(path: Path, doing: str, wait: bool = False) -> Iterator[None]:
    """Hold the lock of the file or folder `path`, which may be missing: the file .NAME.lock next to it.

    It works as `locked` does, and the lock file is removed at the end.

    Args:
      wait: until the other process has finished, instead of being refused.

    Raises:
      InputError: another process holds it, and `wait` is false.
    """
    lock = lock_beside(path)
    while True:
        descriptor = _open(lock)
        try:
            _take(descriptor, path, doing, wait)
            if not _is_at(descriptor, lock):  # its owner has removed it while this process waited
                continue
            with _named(descriptor):
                try:
                    yield
                finally:
                    lock.unlink(missing_ok=True)
            return
        finally:
            os.close(descriptor)


def lock_beside(path: Path) -> Path:
    """The lock file that `locked_beside` uses."""
    return path.with_name(f".{path.name}{LOCK}")


def _open(lock: Path) -> int:
    """A lock file, made if it is missing. A link is never followed: what it points to would be emptied."""
    try:
        return os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise InputError(f"{lock}: a symbolic link where a lock file belongs; remove it") from error


def _take(descriptor: int, what: Path, doing: str, wait: bool) -> None:
    """Get the lock.

    Raises:
      InputError: another process has it, and `wait` is false.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError as error:
        if error.errno in _HELD:
            raise _refusal(what, doing, _read_owner(descriptor)) from error
        while (owner := _read_owner(descriptor)) and not _is_gone(owner):  # a file system without locks
            if not wait:
                raise _refusal(what, doing, owner) from error
            time.sleep(0.1)


@contextlib.contextmanager
def _named(descriptor: int) -> Iterator[None]:
    """This process is named in the lock file within the block."""
    with contextlib.suppress(OSError):  # a full disk: the lock holds without a name
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode(), 0)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, 0)


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether the open file is the one that has this name now."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    except FileNotFoundError:
        return False


def _refusal(what: Path, doing: str, owner: dict[str, object]) -> InputError:
    who = f"process {owner['pid']} on {owner['host']}" if owner else "another process"
    return InputError(f"{what}: {who} is {doing}; wait until it ends, stop it, or take another name")


def _read_owner(descriptor: int) -> dict[str, object]:
    """pid and host in a lock file; empty where it says nothing."""
    with contextlib.suppress(ValueError):
        owner = json.loads(os.pread(descriptor, 1000, 0))
        if isinstance(owner, dict) and {"pid", "host"} <= set(owner):
            return owner
    return {}


def _is_gone(owner: dict[str, object]) -> bool:
    """Whether the owner is a process of this machine that no longer runs."""
    if owner["host"] != socket.gethostname():
        return False
    try:
        os.kill(int(str(owner["pid"])), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, ValueError, OverflowError):
        return False
    return False
