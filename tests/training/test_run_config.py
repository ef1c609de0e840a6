"""What is checked when a run is opened: every file that stays, and every value of config.json."""

import contextlib
import json
import os
import shutil

import numpy as np
import pytest

from remi_tf.data.dataset.folder import load_dataset, write_dataset
from remi_tf.errors import InputError
from remi_tf.manifests import SEAL, seal
from remi_tf.settings.settings import Settings
from remi_tf.training import run_config
from remi_tf.training.run_config import read_run_config, rewrite_config, system_name
from remi_tf.training.run_folder import create_run, update_settings


@pytest.fixture(scope="module")
def written(toy_dataset, tmp_path_factory):
    """A run folder of items with titles and categories."""
    base = tmp_path_factory.mktemp("runs")
    old = load_dataset(toy_dataset)
    splits = {name: old.split(name) for name in ("train", "valid", "test")}
    write_dataset(
        base / "data", name="toy", splits=splits, users={name: old.user_ids(name) for name in splits}, made_by={},
        vocabulary=old.vocabulary, titles=[f"Title {row}" for row in range(1, 61)],
        categories=np.arange(61) % 3, category_names=["crime", "poetry"],
    )  # fmt: skip
    create_run(base / "run", Settings(), load_dataset(base / "data"), overwrite=False)
    return base / "run"


@pytest.fixture
def run(written, tmp_path):
    return shutil.copytree(written, tmp_path / "run")


def swap_lines(path):
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[1], lines[0], *lines[2:]]))


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


DAMAGE = {
    "flipped": flip,
    "two lines swapped": swap_lines,
    "shortened": lambda path: path.write_bytes(path.read_bytes()[:-9]),
    "empty": lambda path: path.write_bytes(b""),
    "gone": lambda path: path.unlink(),
    "a line more": lambda path: path.write_bytes(path.read_bytes() + b"one more\n"),
}
FILES = ["items.txt", "titles.txt", "categories.npy", "category_names.txt", "config.json", "run.json"]


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("name", FILES)
def test_every_damaged_file_is_refused_by_name_with_the_remedy(run, name, damage):
    if name == "categories.npy" and damage == "two lines swapped":
        numbers = np.load(run / name)
        np.save(run / name, numbers[::-1])
    elif name == "run.json" and damage == "two lines swapped":
        pytest.skip("JSON of the same content")
    else:
        DAMAGE[damage](run / name)
    with pytest.raises(InputError, match=r"train again") as error:
        read_run_config(run)
    assert "\n" not in str(error.value)
    if name != "run.json" or damage == "gone":  # a checksum with a flipped digit looks like another file's fault
        assert str(error.value).startswith(str(run / name))
    if name not in ("config.json", "run.json"):
        assert f"copy it from {run.parent.parent}" in str(error.value) or "copy it from /" in str(error.value)


def test_what_is_whole_is_read(run):
    config = read_run_config(run)
    assert (config.num_items, config.settings) == (60, Settings())


def test_titles_of_another_log_that_were_put_there_are_refused(run):
    (run / "titles.txt").unlink()
    manifest = json.loads((run / "run.json").read_text())
    del manifest["files"]["titles.txt"], manifest[SEAL]
    (run / "run.json").write_text(json.dumps(seal(manifest)))
    assert read_run_config(run)
    (run / "titles.txt").write_text("x\n" * 60)
    with pytest.raises(InputError, match=r"titles.txt: no file of this run"):
        read_run_config(run)


def test_without_the_check_damage_that_shows_is_still_found(run):
    swap_lines(run / "items.txt")
    assert read_run_config(run, check=False).num_items == 60
    (run / "items.txt").write_bytes((run / "items.txt").read_bytes()[:-8])
    with pytest.raises(InputError, match=r"items.txt: 59 items, and config.json has num_items 60"):
        read_run_config(run, check=False)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda config: config.pop("dataset"), "nothing about the dataset"),
        (lambda config: config.pop("settings"), "settings: no 'settings'"),
        (lambda config: config.update(settings=[]), "settings: "),
        (lambda config: config["settings"].update(encoder=7), "settings: "),
        (lambda config: config["settings"]["encoder"].update(embedding_dim="8"), "--embedding_dim '8': must be"),
        (lambda config: config["settings"]["training"].update(speed=1), "unknown setting 'speed'"),
        (lambda config: config["dataset"].pop("fingerprint"), "fingerprint None is no str"),
        (lambda config: config["dataset"].update(num_items="60"), "num_items '60' is no int"),
        (lambda config: config["dataset"].update(num_items=True), "num_items True is no int"),
        (lambda config: config["dataset"].update(num_items=59), "60 items, and config.json has num_items 59"),
        (lambda config: config["dataset"].update(profile_columns=[{"name": 1}]), "profile_columns cannot be read"),
        (lambda config: config["dataset"].update(profile_columns=7), "profile_columns cannot be read"),
        (lambda config: config.update(format_version=2), "format version 2, this remi_tf reads 1"),
    ],
)
@pytest.mark.parametrize("old", [False, True])
def test_each_value_of_the_config_is_checked_also_in_an_old_run(run, change, message, old):
    config = json.loads((run / "config.json").read_text())
    if old:  # version 0.1.0 wrote neither
        del config["format_version"]
        (run / "run.json").unlink()
    change(config)
    (run / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match=message) as error:
        read_run_config(run, check=old and "format_version" not in config)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", ["[]", "7", "null", '"run"', "{", "\x00"])
def test_a_config_that_is_something_else_is_one_line(run, content):
    (run / "config.json").write_text(content)
    for check in (True, False):
        with pytest.raises(InputError, match=r"config.json"):
            read_run_config(run, check=check)


def test_an_old_run_is_read_with_a_note_and_its_items_are_counted(run, monkeypatch):
    said = []
    monkeypatch.setattr("absl.logging.info", lambda text, *values: said.append(text % values))
    config = json.loads((run / "config.json").read_text())
    del config["format_version"]
    (run / "config.json").write_text(json.dumps(config))
    (run / "run.json").unlink()
    assert read_run_config(run).num_items == 60 and "not verified" in said[0]
    rewrite_config(run, {**config, "settings": Settings().replace(seed=1).to_json()})
    assert read_run_config(run).settings.training.seed == 1 and not (run / "run.json").exists()
    for name, content in (("titles.txt", b"x\n"), ("items.txt", b"\xff\n" * 60)):
        (run / name).write_bytes(content)
        with pytest.raises(InputError, match=rf"{name}: .*copy it from the dataset"):
            read_run_config(run)


def test_a_config_that_changes_agrees_with_the_manifest_whenever_the_process_is_killed(run, monkeypatch):
    for stop_at in range(8):
        replaced = []

        def replace(*arguments, stop_at=stop_at, replaced=replaced, real=os.replace, **options):
            replaced.append(arguments)
            if len(replaced) > stop_at:
                raise KeyboardInterrupt
            return real(*arguments, **options)

        before = read_run_config(run).settings
        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", replace)
            with contextlib.suppress(KeyboardInterrupt):
                update_settings(run, before.replace(max_steps=100 + stop_at))
        assert read_run_config(run).settings in (before, before.replace(max_steps=100 + stop_at))
    assert read_run_config(run).settings.training.max_steps == 107
    assert run_config.NEXT_CONFIG not in json.loads((run / "run.json").read_text())


def test_a_system_is_called_by_what_was_typed_and_in_older_runs_by_its_model():
    asked = {"model_type": "ComiRec-SA", "remi": False, "recipe": "comirec"}
    assert system_name({"asked": asked}, Settings()) == "ComiRec-SA --recipe comirec"
    remi = {"model_type": "SA", "remi": True, "recipe": "default"}
    assert system_name({"asked": remi}, Settings()) == "SA --remi"
    assert system_name({}, Settings()) == "SA"
