"""What a command that is ended leaves behind, and what the next one makes of it."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from remi_tf.errors import InputError
from remi_tf.files import parts_folder

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = """
import os, signal, sys, time
from pathlib import Path
from remi_tf.commands.cli import run_main
from remi_tf.files import atomic_file, parts_folder

signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job of a shell starts without

def main(argv):
    with parts_folder(Path(argv[0])) as folder, atomic_file(folder / "whole") as file:
        (folder / "0").write_text("half")
        os.kill(os.getpid(), int(argv[1]))
        time.sleep(60)

run_main(main)
"""


def end(output, number):
    return subprocess.run([sys.executable, "-c", PROGRAM, output, str(int(number))], cwd=ROOT, timeout=60).returncode


@pytest.mark.trains
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_command_that_is_ended_cleans_up(tmp_path, number, code):
    assert end(tmp_path / "top.parquet", number) == code
    assert not list(tmp_path.iterdir())


@pytest.mark.trains
def test_what_a_killed_command_left_is_deleted_by_the_next(tmp_path):
    assert end(tmp_path / "top.parquet", signal.SIGKILL) == -signal.SIGKILL
    assert list(tmp_path.iterdir())
    with parts_folder(tmp_path / "top.parquet") as folder:
        assert not list(folder.iterdir())
    assert not list(tmp_path.iterdir())


def test_parts_that_another_command_needs_are_left_alone(tmp_path):
    with parts_folder(tmp_path / "top.parquet") as folder:
        (folder / "0").write_text("half")
        with (
            pytest.raises(InputError, match=r"top.parquet: another process is writing it"),
            parts_folder(tmp_path / "top.parquet"),
        ):
            pass
        assert (folder / "0").read_text() == "half"
