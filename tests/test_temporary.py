"""Whatever moment a process is killed at: the old or the new is there, and the next run removes what is left."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from remi_tf import temporary
from remi_tf.files import atomic_file, atomic_folder, parts_folder
from remi_tf.temporary import clear_up, exchange, put_in_place, temporary_folder

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.trains
@pytest.mark.parametrize("exchange", ["yes", "no"])
@pytest.mark.parametrize("kind", ["new", "replaced", "linked", "file"])
def test_a_kill_at_any_step_leaves_old_or_new_whole(tmp_path, kind, exchange):
    program = [sys.executable, str(ROOT / "tests" / "killed_writers.py"), str(tmp_path / "work"), kind, exchange]
    (tmp_path / "work").mkdir()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(program, capture_output=True, text=True, timeout=120, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stdout) >= 6


def hidden(path):
    return sorted(file.name for file in path.iterdir() if file.name.startswith("."))


def test_what_a_live_owner_has_is_left_alone_and_other_names_too(tmp_path):
    mine = [".shop.backup", ".shop.parts", ".shop2.remi_tf-new-x", ".shop.remi_tf", "shop.remi_tf-new-x"]
    for name in mine:
        (tmp_path / name).mkdir()
    (tmp_path / ".shop.remi_tf-new-dead").mkdir()
    with temporary_folder(tmp_path / "shop") as alive:
        clear_up(tmp_path / "shop")
        assert alive.is_dir() and not (tmp_path / ".shop.remi_tf-new-dead").exists()
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(mine)


@pytest.mark.parametrize("name", [".shop.remi_tf-new-x", ".shop.remi_tf-old-x"])
def test_a_link_with_such_a_name_is_not_followed(tmp_path, name):
    (tmp_path / "mine" / "shop").mkdir(parents=True)
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    (tmp_path / name).symlink_to("mine")
    for path in (tmp_path / "shop", tmp_path / "[s]hop"):
        clear_up(path)
    with atomic_folder(tmp_path / "shop", "marker") as folder:
        (folder / "marker").touch()
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "mine" and (tmp_path / "mine" / "shop").is_dir()
    assert not (tmp_path / "shop").is_symlink()


@pytest.mark.parametrize("name", [".top.parquet.parts", ".top.parquet.remi_tf-new-x", ".top.parquet.lock"])
def test_parts_never_go_into_a_folder_behind_a_link(tmp_path, name):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    target = "mine" if name != ".top.parquet.lock" else "mine/thesis.txt"
    (tmp_path / name).symlink_to(target)
    try:
        with parts_folder(tmp_path / "top.parquet") as folder:
            (folder / "0").touch()
    except ValueError as error:
        assert "a symbolic link where a lock file belongs; remove it" in str(error)
    assert [file.name for file in (tmp_path / "mine").iterdir()] == ["thesis.txt"]
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "mine"


def test_what_was_held_aside_is_put_back_only_where_nothing_stands(tmp_path):
    for aside, content in ((".shop.remi_tf-old-1", "first"), (".shop.remi_tf-old-2", "second")):
        (tmp_path / aside / "shop").mkdir(parents=True)
        (tmp_path / aside / "shop" / "content").write_text(content)
    clear_up(tmp_path / "shop")
    assert (tmp_path / "shop" / "content").read_text() in ("first", "second")
    (tmp_path / ".shop.remi_tf-old-3" / "shop").mkdir(parents=True)
    clear_up(tmp_path / "shop")
    assert (tmp_path / "shop" / "content").read_text() in ("first", "second") and not hidden(tmp_path)


def test_a_name_that_was_taken_for_the_deads_is_made_anew(tmp_path, monkeypatch):
    """Between making a folder and locking it, another process may clear up."""
    lock, removed = fcntl.flock, []

    def late(descriptor, operation):
        if not removed:
            removed.append(next(tmp_path.iterdir()))
            removed[0].rmdir()
        return lock(descriptor, operation)

    monkeypatch.setattr(temporary.fcntl, "flock", late)
    with temporary_folder(tmp_path / "shop") as folder:
        assert folder.is_dir() and folder != removed[0]


def test_exchange_swaps_two_folders_or_says_that_it_cannot(tmp_path, monkeypatch):
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / f"of {name}").touch()
    if not exchange(tmp_path / "a", tmp_path / "b"):
        pytest.skip("neither this system nor this file system exchanges")
    assert (tmp_path / "a" / "of b").exists() and (tmp_path / "b" / "of a").exists()
    assert not exchange(tmp_path / "a", tmp_path / "missing")


@pytest.mark.parametrize("can", [True, False])
def test_a_folder_never_takes_the_place_of_another_unasked(tmp_path, monkeypatch, can):
    if not can:
        monkeypatch.setattr(temporary, "exchange", lambda one, other: False)
    for name in ("new", "shop"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    with pytest.raises(FileExistsError):
        put_in_place(tmp_path / "new", tmp_path / "shop", replace=False)
    assert (tmp_path / "shop" / "shop").exists()
    put_in_place(tmp_path / "new", tmp_path / "shop", replace=True)
    assert (tmp_path / "shop" / "new").exists() and not hidden(tmp_path)


def test_a_rename_that_fails_half_way_puts_the_old_back(tmp_path, monkeypatch):
    monkeypatch.setattr(temporary, "exchange", lambda one, other: False)
    for name in ("new", "shop"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    rename = os.rename

    def fails(old, new):
        if (Path(old).name, Path(new).name) == ("new", "shop") and not (tmp_path / "shop").exists():
            raise OSError(5, "Input/output error")
        return rename(old, new)

    monkeypatch.setattr(temporary.os, "rename", fails)
    with pytest.raises(OSError, match="Input/output"):
        put_in_place(tmp_path / "new", tmp_path / "shop", replace=True)
    assert (tmp_path / "shop" / "shop").exists() and not hidden(tmp_path)


def test_a_file_that_is_a_link_stays_one(tmp_path):
    (tmp_path / "real.json").write_text("old")
    (tmp_path / "link.json").symlink_to("real.json")
    with atomic_file(tmp_path / "link.json") as file:
        file.write("new")
    assert (tmp_path / "link.json").is_symlink() and (tmp_path / "real.json").read_text() == "new"
