"""What a command that is ended leaves behind, and what the next one makes of it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from remi_tf.errors import InputError
from remi_tf.files import (
    add_version,
    atomic_file,
    atomic_folder,
    parts_folder,
    refuse_file,
    version_numbers,
    write_json,
)
from tests.full_disks import no_file_above, small_disk

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
            pytest.raises(InputError, match=rf"top.parquet: process {os.getpid()} on .* is writing it"),
            parts_folder(tmp_path / "top.parquet"),
        ):
            pass
        assert (folder / "0").read_text() == "half"


def test_two_that_write_one_folder_at_once_one_is_refused(tmp_path):
    with atomic_folder(tmp_path / "shop", "marker") as first:
        (first / "marker").write_text("first")
        with (
            pytest.raises(InputError, match=rf"shop: process {os.getpid()} on .* is writing it; wait until it ends"),
            atomic_folder(tmp_path / "shop", "marker", overwrite=True),
        ):
            pass
    assert (tmp_path / "shop" / "marker").read_text() == "first"
    assert [entry.name for entry in tmp_path.iterdir()] == ["shop"]


def test_what_somebody_else_puts_there_meanwhile_is_kept(tmp_path):
    with (
        pytest.raises(InputError, match="holds other files"),
        atomic_folder(tmp_path / "shop", "marker", overwrite=True) as folder,
    ):
        (folder / "marker").touch()
        (tmp_path / "shop").mkdir()
        (tmp_path / "shop" / "thesis.txt").touch()
    assert [entry.name for entry in (tmp_path / "shop").iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("target", ["real", "elsewhere/real", "missing"])
def test_a_folder_that_is_a_link_stays_one(tmp_path, target):
    if target != "missing":
        (tmp_path / target).mkdir(parents=True)
        (tmp_path / target / "marker").write_text("old")
    (tmp_path / "shop").symlink_to(target)
    with atomic_folder(tmp_path / "shop", "marker", overwrite=True) as folder:
        (folder / "marker").write_text("new")
    assert (tmp_path / "shop").is_symlink() and (tmp_path / target / "marker").read_text() == "new"


def test_versions_count_up_over_whatever_else_lies_there(tmp_path):
    for name in ("²", "01", "3", "x", "9" * 200, "٤", "-7", "1.5"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "content").touch()
    (tmp_path / "5").write_text("a file")
    assert sorted(version_numbers(tmp_path)) == [1, 3, 5]
    assert add_version(tmp_path, lambda folder: (folder / "a").touch()) == tmp_path / "6"


def test_versions_that_are_made_at_once_get_different_numbers(tmp_path):
    def write(folder):
        if not (tmp_path / "1").exists():
            add_version(tmp_path, lambda inner: (inner / "content").write_text("second"))
        (folder / "content").write_text("first")

    assert add_version(tmp_path, write) == tmp_path / "2"
    assert {name: (tmp_path / name / "content").read_text() for name in "12"} == {"1": "second", "2": "first"}
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.trains
def test_versions_of_many_processes_are_all_there(tmp_path):
    code = (
        "import sys; from pathlib import Path; from remi_tf.files import add_version\n"
        "for _ in range(20): add_version(Path(sys.argv[1]), lambda folder: (folder / 'content').touch())"
    )
    processes = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert sorted(map(int, os.listdir(tmp_path))) == list(range(1, 61))


def fill(folder):
    (folder / "marker").touch()
    with open(folder / "large", "wb") as file:
        file.write(bytes(50_000))


@pytest.mark.parametrize("there", [False, True])
def test_a_full_disk_leaves_what_was_there_and_names_the_folder(tmp_path, there):
    path = tmp_path / "data" / "shop"
    if there:
        with atomic_folder(path, "marker") as folder:
            (folder / "marker").write_text("old")
    with (
        no_file_above(10_000),
        pytest.raises(OSError, match="File too large; nothing is left of it") as full,
        atomic_folder(path, "marker", overwrite=True) as folder,
    ):
        fill(folder)
    assert full.value.filename == str(path)
    assert [entry.name for entry in tmp_path.rglob("*")] == (["data", "shop", "marker"] if there else [])
    with no_file_above(10_000), pytest.raises(OSError, match="File too large") as full:
        add_version(tmp_path / "export", fill)
    assert full.value.filename == str(tmp_path / "export") and not (tmp_path / "export").exists()


@pytest.mark.trains
def test_a_disk_of_64_kilobytes(tmp_path):
    with small_disk(tmp_path / "disk", 64) as disk:
        with pytest.raises(OSError, match="No space left on device"), atomic_folder(disk / "shop", "marker") as folder:
            fill(folder)
            fill(folder / "..")
        write_json(disk / "old.json", [1])
        with pytest.raises(OSError, match="No space left on device") as full:
            write_json(disk / "old.json", ["x" * 70_000])
        assert full.value.filename == str(disk / "old.json")
        assert json.loads((disk / "old.json").read_text()) == [1]
        assert sorted(os.listdir(disk)) == ["large", "marker", "old.json"]


def test_an_error_of_another_file_keeps_its_name(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere") as missing, atomic_file(tmp_path / "a"):
        (tmp_path / "nowhere").read_text()
    assert missing.value.filename == str(tmp_path / "nowhere") and not list(tmp_path.iterdir())


def test_a_folder_or_a_device_is_never_replaced_by_a_file(tmp_path):
    for path in (tmp_path, Path("/dev/null")):
        with pytest.raises(InputError, match="a folder or a device; name a file"), atomic_file(path):
            pass


def test_a_device_is_refused_as_an_output_also_with_overwrite():
    with pytest.raises(InputError, match="--output /dev/null: not a regular file"):
        refuse_file("--output", Path("/dev/null"), overwrite=True)


def test_the_current_folder_can_be_the_output(tmp_path, monkeypatch):
    (tmp_path / "shop").mkdir()
    monkeypatch.chdir(tmp_path / "shop")
    with atomic_folder(".", "marker") as folder:
        (folder / "marker").touch()
    assert (tmp_path / "shop" / "marker").exists() and os.listdir(tmp_path) == ["shop"]
    with pytest.raises(InputError, match="nothing can be put in its place"), atomic_folder("/", "marker"):
        pass
