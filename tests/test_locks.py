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
from remi_tf.locks import LOCK, locked

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
