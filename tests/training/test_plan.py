"""What a run will do, and what is refused before it costs anything."""

import json
import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from remi_tf.data.dataset.folder import load_dataset
from remi_tf.errors import InputError
from remi_tf.settings.presets import compose
from remi_tf.training.counter import Counter
from remi_tf.training.plan import notes, opened, plan_new, plan_resume
from remi_tf.training.run_folder import create_run, load_saved_run, lock, update_settings
from remi_tf.training.trainer import Trainer
from tests.small_runs import ROOT, train
from train import main


@pytest.mark.trains
def test_settings_that_cannot_be_built_cost_no_earlier_run(toy_dataset, tmp_path):
    run = tmp_path / "run"
    train(toy_dataset, run, "--max_steps", "20")
    with pytest.raises(InputError, match="--first_target"):
        train(toy_dataset, run, "--first_target", "500", "--overwrite")
    assert load_saved_run(run).step == 20


@pytest.mark.trains
def test_a_finished_run_does_not_take_settings_that_would_train_nothing(toy_dataset, tmp_path):
    run = tmp_path / "run"
    train(toy_dataset, run, "--max_steps", "20")
    config = (run / "config.json").read_bytes()
    for flags in (["--learning_rate", "0.1"], ["--max_steps", "10"], ["--learning_rate", "0.1", "--max_steps", "20"]):
        with pytest.raises(InputError, match=r"over at step 20.*larger --max_steps .*--warm_start"):
            main(["--resume", "--run_dir", str(run), *flags])
    assert main(["--resume", "--run_dir", str(run)]) == 0
    assert (run / "config.json").read_bytes() == config


def test_a_new_run_is_named_after_what_was_asked_for_and_makes_nothing_yet(toy_dataset, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    dataset = load_dataset(toy_dataset)
    plan = plan_new(dataset, {"model_type": "SA", "readout": "hard"}, remi=True, recipe="paper")
    assert plan.path == Path("runs/toy-SA-hard-remi-paper") and not plan.resumes and plan.before is None
    assert plan.settings == compose("toy", "paper", True, {"model_type": "SA", "readout": "hard"}, dataset.num_items)
    assert plan_new(dataset, {"model_type": "SA"}, path=tmp_path / "mine").path == tmp_path / "mine"
    assert plan.asked == {"model_type": "SA", "remi": True, "recipe": "paper"}
    assert not list(tmp_path.iterdir())


def test_going_on_takes_the_runs_settings_and_data(toy_dataset, tmp_path):
    dataset = load_dataset(toy_dataset)
    settings = compose("toy", "default", True, {"model_type": "SA"}, dataset.num_items)
    create_run(tmp_path / "run", settings, dataset, overwrite=False)
    plan = plan_resume(tmp_path / "run", {"max_steps": 7})
    assert plan.resumes and plan.dataset.fingerprint == dataset.fingerprint
    assert plan.settings == settings.replace(max_steps=7)
    with pytest.raises(InputError, match="leave out --beta"):
        plan_resume(tmp_path / "run", {"beta": 2.0})


def test_settings_that_see_only_a_part_of_what_they_set_are_noted(toy_dataset, tmp_path):
    def said(**settings) -> list[str]:
        plan = plan_new(load_dataset(toy_dataset), {"model_type": "SA", **settings}, path=tmp_path)
        return notes(Trainer(plan.path, plan.settings, plan.dataset))

    srns = {"sampler": "srns", "num_negatives": 5, "variance_warmup": 500}
    assert said(**srns, max_steps=500) == []
    (note,) = said(**srns, max_steps=499)
    assert "--variance_warmup 500 steps, but training ends at --max_steps 499" in note


def test_a_run_that_is_counted_has_nothing_to_change(toy_dataset, tmp_path):
    dataset = load_dataset(toy_dataset)
    settings = compose("toy", "default", False, {"model_type": "ItemKNN"}, dataset.num_items)
    create_run(tmp_path / "run", settings, dataset, overwrite=False)
    assert plan_resume(tmp_path / "run", {}).settings == settings
    with pytest.raises(InputError, match=r"--resume: .* a run of ItemKNN, which is counted.* leave out --max_steps"):
        plan_resume(tmp_path / "run", {"max_steps": 9})


def test_what_a_counted_model_has_chosen_is_noted(toy_dataset, tmp_path):
    plan = plan_new(load_dataset(toy_dataset), {"model_type": "ItemKNN", "decay": 0.5}, path=tmp_path)
    (note,) = notes(Counter(plan.path, plan.settings, plan.dataset, plan.given))
    assert "4 settings: shrink" in note
    assert notes(Counter(plan.path, plan.settings, plan.dataset, None)) == []


HOLD = (
    "import sys, pathlib, contextlib; from remi_tf.training.run_folder import lock\n"
    "with contextlib.ExitStack() as held: lock(pathlib.Path(sys.argv[1]), held); print('held', flush=True); input()"
)


@pytest.fixture
def plan(toy_dataset, tmp_path):
    dataset = load_dataset(toy_dataset)
    return plan_new(dataset, {"model_type": "DNN", "num_negatives": 20}, path=tmp_path / "run")


@pytest.mark.trains
def test_a_run_in_which_another_process_trains_is_refused_with_its_pid_and_host_and_stays(plan, toy_dataset):
    create_run(plan.path, plan.settings, plan.dataset, overwrite=False)
    before = {path.name: path.read_bytes() for path in plan.path.iterdir()}
    command = [sys.executable, "-c", HOLD, str(plan.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as other:
        assert other.stdout.readline() == "held\n"
        owner = f"process {other.pid} on {socket.gethostname()} is training this run"
        with pytest.raises(InputError, match=owner):
            main(["--resume", "--run_dir", str(plan.path)])
        with pytest.raises(InputError, match=owner):
            train(toy_dataset, plan.path, "--overwrite")
        other.communicate("\n")
    assert {path.name: path.read_bytes() for path in plan.path.iterdir() if path.name != ".lock"} == before
    assert main(["--resume", "--run_dir", str(plan.path), "--max_steps", "1"]) == 0  # free again


def test_a_new_run_is_locked_from_its_first_moment_to_the_end(plan):
    resumed = None
    with opened(plan):
        resumed = plan_resume(plan.path, {})
        for another in (resumed, plan_new(plan.dataset, {"model_type": "DNN"}, path=plan.path, overwrite=True)):
            with pytest.raises(InputError, match=f"process {os.getpid()} on"), opened(another):
                pass
        with pytest.raises(InputError, match="holds a run already"), opened(plan):
            pass
    with opened(resumed):
        pass


def test_a_run_that_replaces_another_holds_both_until_its_end(plan, tmp_path):
    create_run(plan.path, plan.settings, plan.dataset, overwrite=False)
    os.link(plan.path / "config.json", tmp_path / "config.json")
    with ExitStack() as before:
        lock(plan.path, before)
    os.link(plan.path / ".lock", tmp_path / ".lock")  # what a process has open that came a moment before
    again = plan_new(plan.dataset, {"model_type": "DNN", "num_negatives": 20}, path=plan.path, overwrite=True)
    with opened(again):
        for folder in (plan.path, tmp_path):
            with pytest.raises(InputError, match=f"process {os.getpid()} on"), ExitStack() as held:
                lock(folder, held)


def test_of_two_that_make_one_run_the_later_is_refused(plan, monkeypatch):
    """Both see no folder, also with --overwrite: the one that is there first stays."""
    for overwrite in (False, True):
        path = plan.path.with_name(f"run-{overwrite}")
        mine = plan_new(plan.dataset, {"model_type": "DNN", "num_negatives": 20}, path=path, overwrite=overwrite)
        first = {"made": False}

        def trainer(*arguments, path=path, first=first):
            if not first["made"]:
                first["made"] = True
                create_run(path, plan.settings, plan.dataset, overwrite=False)
            return Trainer(*arguments)

        monkeypatch.setattr("remi_tf.training.plan.Trainer", trainer)
        with pytest.raises(InputError, match="run"), opened(mine):
            pass
        assert json.loads((path / "config.json").read_text())["settings"] == plan.settings.to_json()


def test_a_run_that_changed_between_the_plan_and_the_lock_is_not_gone_on_with(plan):
    create_run(plan.path, plan.settings, plan.dataset, overwrite=False)
    resumed = plan_resume(plan.path, {})
    update_settings(plan.path, plan.settings.replace(max_steps=7))
    with pytest.raises(InputError, match="another process has changed this run meanwhile"), opened(resumed):
        pass


def test_a_link_to_a_run_folder_stays_a_link(plan, tmp_path):
    create_run(tmp_path / "real", plan.settings, plan.dataset, overwrite=False)
    plan.path.symlink_to(tmp_path / "real")
    again = plan_new(
        plan.dataset, {"model_type": "DNN", "num_negatives": 20, "seed": 7}, path=plan.path, overwrite=True
    )
    with opened(again):
        assert plan.path.is_symlink() and (tmp_path / "real" / "config.json").is_file()
        assert json.loads((tmp_path / "real" / "config.json").read_text())["settings"]["training"]["seed"] == 7


def test_a_folder_that_cannot_be_written_is_one_line(plan, monkeypatch, tmp_path):
    create_run(plan.path, plan.settings, plan.dataset, overwrite=False)

    def read_only(*arguments, **options):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("remi_tf.training.run_folder.locked", read_only)
    with (
        pytest.raises(InputError, match=r"run: cannot be written \(Read-only file system\)"),
        opened(plan_resume(plan.path, {})),
    ):
        pass
    monkeypatch.setattr("remi_tf.training.run_folder.shutil.copyfile", read_only)
    with pytest.raises(InputError, match=r"new: cannot be written"):
        create_run(tmp_path / "new", plan.settings, plan.dataset, overwrite=False)
    assert not (tmp_path / "new").exists()
