"""One writer of a folder at a time, named in the refusal, and nothing held by the dead."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from remi_tf import locks
from remi_tf.errors import InputError
from remi_tf.locks import LOCK, locked, locked_beside

HOLD = (
    "import sys, time, pathlib; from remi_tf.locks import locked\nwith locked(pathlib.Path(sys.argv[1]), 'training'):"
)
HOLD += " print('held', flush=True); time.sleep(60)"


@pytest.fixture
def held(tmp_path):
    """A folder that another process holds."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield tmp_path, process
    process.kill()
    process.wait()


def test_the_second_is_refused_with_the_owners_pid_and_host(held):
    folder, process = held
    message = f"process {process.pid} on {socket.gethostname()} is training this run"
    with pytest.raises(InputError, match=message), locked(folder, "training this run"):
        pass


def test_a_dead_owner_holds_nothing(held):
    folder, process = held
    process.send_signal(signal.SIGKILL)
    process.wait()
    with locked(folder, "training this run"):
        assert json.loads((folder / LOCK).read_text())["pid"] == os.getpid()


def test_one_after_the_other_and_also_in_one_process_only_one_at_a_time(tmp_path):
    for _ in range(2):
        with (
            locked(tmp_path, "it"),
            pytest.raises(InputError, match=f"process {os.getpid()} on"),
            locked(tmp_path, "it"),
        ):
            pass
    assert (tmp_path / LOCK).read_text() == ""


def test_where_the_file_system_has_no_locks_the_named_process_decides(tmp_path, monkeypatch):
    def no_locks(descriptor, operation):
        raise OSError(95, "not supported")

    monkeypatch.setattr(locks.fcntl, "flock", no_locks)
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    for pid, host, refused in (
        (os.getpid(), socket.gethostname(), True),
        (dead.pid, socket.gethostname(), False),
        (dead.pid, "elsewhere", True),
    ):
        (tmp_path / LOCK).write_text(json.dumps({"pid": pid, "host": host}))
        if refused:
            with pytest.raises(InputError, match=f"process {pid} on {host}"), locked(tmp_path, "it"):
                pass
        else:
            with locked(tmp_path, "it"):
                time.sleep(0)


@pytest.mark.trains
def test_a_lock_next_to_a_file_is_refused_or_waited_for_and_leaves_nothing(tmp_path):
    path = tmp_path / "table.json"
    code = HOLD.replace("locked", "locked_beside").replace("sleep(60)", "sleep(0.5)")
    process = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    with pytest.raises(InputError, match=f"table.json: process {process.pid} on"), locked_beside(path, "writing it"):
        pass
    with locked_beside(path, "writing it", wait=True):
        assert process.wait(10) == 0
    with locked_beside(path, "writing it"):
        assert [entry.name for entry in tmp_path.iterdir()] == [".table.json.lock"]
    assert not list(tmp_path.iterdir())


@pytest.mark.trains
def test_processes_that_wait_for_each_other_lose_no_step(tmp_path):
    (tmp_path / "count").write_text("0")
    code = (
        "import sys; from pathlib import Path; from remi_tf.locks import locked_beside\n"
        "path = Path(sys.argv[1])\n"
        "for _ in range(100):\n"
        "    with locked_beside(path, 'counting', wait=True): path.write_text(str(int(path.read_text()) + 1))"
    )
    processes = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "count")]) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert (tmp_path / "count").read_text() == "300"


def test_a_lock_file_that_is_a_link_is_refused_and_what_it_points_to_kept(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / LOCK).symlink_to("mine.txt")
    (tmp_path / ".a.lock").symlink_to("mine.txt")
    for lock in (locked(tmp_path, "it"), locked_beside(tmp_path / "a", "it")):
        with pytest.raises(InputError, match="a symbolic link where a lock file belongs; remove it"), lock:
            pass
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_an_error_inside_releases_the_lock_and_its_name(tmp_path):
    with pytest.raises(ZeroDivisionError), locked(tmp_path, "it"):
        raise ZeroDivisionError
    assert (tmp_path / LOCK).read_text() == ""
