"""Checkpoints: whole or absent, found by their files, and never taken when damaged."""

import contextlib
import os
import re
import shutil

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.errors import InputError
from remi_tf.training import checkpoints
from remi_tf.training.checkpoints import CheckpointKeeper, plain

STRANGE = ["layers=[1,2]", "old\\new", "what?", "all*", "{a,b}", "é # % & ' \" x"]


class State:
    """Two numbers that are saved, as a model's weights are."""

    def __init__(self, folder, **options):
        self.numbers = tf.Variable([0.0] * 50)
        self.keeper = CheckpointKeeper(tf.train.Checkpoint(numbers=self.numbers), folder, **options)

    def save(self, *steps):
        for step in steps:
            self.numbers.assign([float(step)] * 50)
            self.keeper.save(step)

    def restored(self):
        """The step that is taken, if the numbers are those of that step."""
        step = self.keeper.restore()
        assert step is None or (self.numbers.numpy() == step).all()
        return step


@pytest.fixture
def told(monkeypatch):
    said = []
    monkeypatch.setattr("absl.logging.warning", lambda text, *values: said.append(text % values))
    return said


def flip(path, place):
    data = bytearray(path.read_bytes())
    data[place % len(data)] ^= 0x10
    path.write_bytes(bytes(data))


DAMAGE = {
    "the first byte flipped": lambda path: flip(path, 0),
    "a middle byte flipped": lambda path: flip(path, path.stat().st_size // 2),
    "the last byte flipped": lambda path: flip(path, -1),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-7]),
    "empty": lambda path: path.write_bytes(b""),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"\0"),
    "not text": lambda path: path.write_bytes(b"\xff\xfe\x00 not what it was"),
    "gone": lambda path: path.unlink(),
}


def test_the_newest_two_stay_and_other_programs_find_the_newest(tmp_path):
    State(tmp_path / "states").save(10, 20, 30, 40)
    assert State(tmp_path / "states").keeper.steps() == [40, 30]
    assert tf.train.latest_checkpoint(tmp_path / "states") == str(tmp_path / "states" / "ckpt-40")
    manager = tf.train.CheckpointManager(tf.train.Checkpoint(), str(tmp_path / "states"), max_to_keep=2)
    assert [os.path.basename(path) for path in manager.checkpoints] == ["ckpt-30", "ckpt-40"]


def test_what_tensorflow_saved_by_itself_is_restored_and_the_other_way_round(tmp_path):
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    numbers = tf.Variable([7.0] * 50)
    tf.train.CheckpointManager(tf.train.Checkpoint(numbers=numbers), str(theirs), 2).save(checkpoint_number=7)
    assert State(theirs).restored() == 7
    State(ours).save(3)
    tf.train.Checkpoint(numbers=numbers).restore(tf.train.latest_checkpoint(ours)).assert_consumed()
    assert numbers.numpy().tolist() == [3.0] * 50


def test_nothing_saved_is_nothing_restored(tmp_path):
    assert State(tmp_path / "none").restored() is None and State(tmp_path).restored() is None


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("ending", ["index", "data-00000-of-00001", "json"])
def test_a_damaged_newest_one_is_left_out_and_the_one_before_is_taken(tmp_path, told, ending, damage):
    State(tmp_path).save(10, 20)
    DAMAGE[damage](tmp_path / f"ckpt-20.{ending}")
    if (ending, damage) == ("json", "gone"):  # as version 0.1.0 left them: TensorFlow's own checksums tell
        assert State(tmp_path).restored() == 20
        DAMAGE["a middle byte flipped"](tmp_path / "ckpt-20.data-00000-of-00001")
    found = State(tmp_path).restored()
    if (ending, damage, found) != ("json", "longer", 20):  # JSON may end in white space, NUL is none
        assert found == 10
        assert len(told) == 1 and "ckpt-20" in told[0] and told[0].endswith("step 20 is left out, and step 10 is used")


@pytest.mark.parametrize("damage", ["a middle byte flipped", "cut", "empty", "gone"])
@pytest.mark.parametrize("ending", ["index", "data-00000-of-00001"])
def test_so_is_one_without_a_manifest(tmp_path, told, ending, damage):
    State(tmp_path).save(10, 20)
    (tmp_path / "ckpt-20.json").unlink()
    DAMAGE[damage](tmp_path / f"ckpt-20.{ending}")
    assert State(tmp_path).restored() == 10 and "ckpt-20" in told[0]


@pytest.mark.parametrize("damage", DAMAGE)
def test_the_state_file_is_not_trusted(tmp_path, told, damage):
    State(tmp_path).save(10, 20)
    DAMAGE[damage](tmp_path / "checkpoint")
    assert State(tmp_path).restored() == 20 and not told


def test_files_of_two_steps_that_changed_places_are_found(tmp_path, told):
    State(tmp_path).save(10, 20)
    for ending in ("index", "data-00000-of-00001"):
        ten, twenty = (tmp_path / f"ckpt-{step}.{ending}" for step in (10, 20))
        ten.rename(tmp_path / "aside")
        twenty.rename(ten)
        (tmp_path / "aside").rename(twenty)
    with pytest.raises(InputError, match=r"ckpt-20.*no other good checkpoint"):
        State(tmp_path).restored()
    shutil.copy(tmp_path / "ckpt-10.json", tmp_path / "ckpt-20.json")
    with pytest.raises(InputError, match=r"ckpt-20.json: the manifest of another checkpoint"):
        State(tmp_path).restored()


def test_all_damaged_is_one_line(tmp_path):
    State(tmp_path).save(10, 20)
    for path in tmp_path.glob("*.index"):
        path.write_bytes(b"")
    with pytest.raises(InputError, match=r"ckpt-20.index: 0 bytes, .* no other good checkpoint$") as error:
        State(tmp_path).restored()
    assert "\n" not in str(error.value)


def test_another_models_checkpoint_is_not_taken(tmp_path, told):
    State(tmp_path).save(10)
    other = tf.train.Checkpoint(numbers=tf.Variable([0.0] * 3))
    CheckpointKeeper(other, tmp_path / "other").save(20)
    for path in (tmp_path / "other").glob("ckpt*"):
        path.rename(tmp_path / path.name)
    assert State(tmp_path).restored() == 10
    assert "ckpt-20: damaged, or not this run's" in told[0]


@pytest.mark.parametrize("name", STRANGE)
def test_paths_that_tensorflow_takes_for_patterns_work(tmp_path, name):
    folder = tmp_path / name / "states"
    State(folder).save(10, 20, 30)
    assert State(folder).keeper.steps() == [30, 20] and State(folder).restored() == 30
    (folder / "ckpt-30.json").unlink()
    assert State(folder).restored() == 30


def test_the_plain_name_leads_to_the_folder_and_leaves_nothing(tmp_path, monkeypatch):
    folder, temporary = tmp_path / "a[b]", tmp_path / "tmp"
    folder.mkdir()
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    with plain(folder) as there:
        (there / "x").write_text("1")
        assert not re.search(r"[][*?\\{}]", str(there))
    assert (folder / "x").read_text() == "1" and not list(temporary.iterdir())
    with plain(tmp_path) as there:
        assert there == tmp_path


def test_a_save_that_fails_or_is_killed_leaves_what_was_there(tmp_path, monkeypatch):
    State(tmp_path).save(10)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    for name in ("describe", "sync"):
        with monkeypatch.context() as patch:
            patch.setattr(checkpoints, name, full)
            with pytest.raises(InputError, match=r"step 20 cannot be saved \(No space left on device\).*--resume"):
                State(tmp_path).save(20)
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    (tmp_path / ".saving-dead").mkdir()
    (tmp_path / "ckpt-20_temp").mkdir()
    state = State(tmp_path)
    state.restored()
    state.save(20)
    assert not (tmp_path / ".saving-dead").exists() and not (tmp_path / "ckpt-20_temp").exists()


def test_a_save_stopped_at_any_of_its_renames_leaves_one_that_can_be_restored(tmp_path, monkeypatch):
    """The same step again, with other numbers: as after two kills and another learning rate."""
    for stop_at in range(12):
        folder = tmp_path / str(stop_at)
        state = State(folder)
        state.save(10, 20)
        changes = []

        def counted(function, stop_at=stop_at, changes=changes):
            def change(*arguments, **options):
                changes.append(function)
                if len(changes) > stop_at:
                    raise KeyboardInterrupt
                return function(*arguments, **options)

            return change

        with monkeypatch.context() as patch:
            for name in ("rename", "replace", "unlink"):
                patch.setattr(os, name, counted(getattr(os, name)))
            state.numbers.assign([-20.0] * 50)
            with contextlib.suppress(KeyboardInterrupt):
                state.keeper.save(20)
        found = State(folder)
        step, numbers = found.keeper.restore(), found.numbers.numpy()
        assert (step, *np.unique(numbers)) in ((10, 10), (20, 20), (20, -20))


def test_the_order_on_the_disk_is_numbers_manifest_state_file_and_older_ones_last(tmp_path, monkeypatch):
    state = State(tmp_path)
    state.save(10, 20)
    order = []

    def noted(module, name, what):
        function = getattr(module, name)

        def call(*arguments, **options):
            order.append(what)
            return function(*arguments, **options)

        monkeypatch.setattr(module, name, call)

    noted(checkpoints, "sync", "sync")
    noted(checkpoints.os, "rename", "rename")
    noted(checkpoints, "write_manifest", "manifest")
    noted(checkpoints, "atomic_file", "state file")
    noted(CheckpointKeeper, "remove", "remove")
    state.save(30)
    assert order == ["sync", "sync", "remove", "rename", "rename", "sync", "manifest", "state file", "remove"]


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path):
    (tmp_path / "best").write_text("not a folder")
    for use in (State(tmp_path / "best").restored, lambda: State(tmp_path / "best").save(1)):
        with pytest.raises(InputError, match=r"best: a file, where a folder of checkpoints belongs; move it away"):
            use()


def test_unchecked_means_that_checksums_are_not_read(tmp_path):
    State(tmp_path).save(10)
    (tmp_path / "ckpt-10.json").write_text("{}")
    assert State(tmp_path, check=False).restored() == 10
