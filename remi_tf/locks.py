"""One writer at a time: a lock on a folder that its owner's death releases, and that names its owner."""

import contextlib
import errno
import fcntl
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from remi_tf.errors import InputError

LOCK = ".lock"


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
    path = folder / LOCK
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES):
                raise _refusal(folder, doing, _read_owner(descriptor)) from error
            owner = _read_owner(descriptor)  # a file system without locks
            if owner and not _is_gone(owner):
                raise _refusal(folder, doing, owner) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "host": socket.gethostname()}).encode(), 0)
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _refusal(folder: Path, doing: str, owner: dict[str, object]) -> InputError:
    who = f"process {owner['pid']} on {owner['host']}" if owner else "another process"
    return InputError(f"{folder}: {who} is {doing}; wait until it ends, stop it, or name another folder")


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
    except (PermissionError, ValueError):
        return False
    return False
