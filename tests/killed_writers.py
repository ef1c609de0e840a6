"""A program that kills itself at every step of replacing a folder or file, and looks at what the next run finds.

    python tests/killed_writers.py FOLDER KIND EXCHANGE

KIND: new, replaced, linked or file. EXCHANGE: yes, or no for a system without renameat2. It prints how many kills there
were.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from remi_tf import temporary
from remi_tf.errors import InputError
from remi_tf.files import atomic_file, atomic_folder

STEPS = ("rename", "replace", "mkdir", "rmdir", "unlink", "fsync", "chmod", "ftruncate", "pwrite")


def kill_at(number: int) -> None:
    """Before the `number`-th of the operating system's steps, this process is killed."""
    count = 0

    def tick() -> None:
        nonlocal count
        if count == number:
            os.kill(os.getpid(), signal.SIGKILL)
        count += 1

    def counted(step: Callable) -> Callable:
        def wrapped(*arguments, **options):
            tick()
            return step(*arguments, **options)

        return wrapped

    for name in STEPS:
        setattr(os, name, counted(getattr(os, name)))
    temporary.exchange = counted(temporary.exchange)


def write(path: Path, content: str, kind: str) -> None:
    if kind == "file":
        with atomic_file(path) as file:
            file.write(content)
        return
    with atomic_folder(path, "marker", overwrite=kind != "new") as folder:
        (folder / "marker").write_text(content)
        for name in ("shop", "real"):  # a folder may hold one of its own name
            (folder / name).mkdir()
            (folder / name / "inner").write_text(content)


def read(path: Path, kind: str) -> set[str]:
    """The contents of the files that it must have."""
    files = [path] if kind == "file" else [path / "marker", path / "shop" / "inner", path / "real" / "inner"]
    return {file.read_text() for file in files}


def try_once(path: Path, kind: str, number: int, can_exchange: bool) -> bool:
    """Kill at this step and look; False if there are not so many steps."""
    parent = path.parent
    parent.mkdir()
    shown = path
    if kind == "linked":
        path.symlink_to("real")
        path = parent / "real"
    if kind != "new":
        write(path, "old", kind)
    child = os.fork()
    if child == 0:
        kill_at(number)
        write(shown, "new", kind)
        os._exit(0)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert ended in (0, -signal.SIGKILL), ended
    there = os.path.lexists(path)
    assert there or kind == "new" or not can_exchange, "neither old nor new"
    if there:
        assert read(path, kind) in ({"old"}, {"new"}), "half of something"
    if kind == "file" or (kind == "new" and not there):
        write(path, "next", kind)
    else:
        try:
            write(path, "next", "new")  # is refused, but puts back and clears up
        except InputError as error:
            assert "exists already" in str(error), error
        else:
            raise AssertionError("the old was gone")
    assert len(read(path, kind)) == 1
    left = sorted(name for name in os.listdir(parent))
    assert left == sorted({path.name, shown.name}), left
    assert shown.is_symlink() == (kind == "linked")
    return ended != 0


def main(folder: str, kind: str, exchange: str) -> None:
    if exchange == "no":
        temporary.exchange = lambda one, other: False
    number = 0
    while try_once(Path(folder) / str(number) / "shop", kind, number, exchange == "yes"):
        number += 1
    print(number)


if __name__ == "__main__":
    main(*sys.argv[1:])
