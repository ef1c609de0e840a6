"""What a run will do, and what is refused before it costs anything."""

from pathlib import Path

import pytest

from remi_tf.data.dataset.folder import load_dataset
from remi_tf.errors import InputError
from remi_tf.settings.presets import compose
from remi_tf.training.plan import notes, plan_new, plan_resume
from remi_tf.training.run_folder import create_run, load_saved_run
from remi_tf.training.trainer import Trainer
from tests.small_runs import train
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
    assert said(model_type="Pop", max_steps=1) == []
