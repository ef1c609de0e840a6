"""The run folder: never lost, and open without its data."""

import json
import shutil

import pytest

from remi_tf.data.dataset.folder import load_dataset
from remi_tf.errors import InputError
from remi_tf.settings.settings import Settings
from remi_tf.training import run_folder
from remi_tf.training.run_folder import load_saved_run
from tests.small_runs import measurements, train
from train import main


@pytest.mark.trains
def test_a_longer_budget_given_on_resume_is_remembered(toy_dataset, tmp_path):
    run = tmp_path / "run"
    train(toy_dataset, run, "--max_steps", "20")
    main(["--resume", "--run_dir", str(run), "--max_steps", "40"])
    assert json.loads((run / "config.json").read_text())["settings"]["training"]["max_steps"] == 40


@pytest.mark.trains
def test_a_run_is_never_overwritten_unless_told_to(toy_dataset, tmp_path):
    train(toy_dataset, tmp_path / "run", "--max_steps", "20")
    before = (tmp_path / "run" / "metrics.jsonl").read_bytes()
    with pytest.raises(InputError, match=r"--resume.*--overwrite"):
        train(toy_dataset, tmp_path / "run", "--max_steps", "20")
    assert (tmp_path / "run" / "metrics.jsonl").read_bytes() == before
    assert train(toy_dataset, tmp_path / "run", "--max_steps", "40", "--overwrite") == 0
    assert [line["step"] for line in measurements(tmp_path / "run")] == [20, 40]


def test_overwrite_does_not_delete_a_folder_that_is_no_run(toy_dataset, tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match="never replaced"):
        train(toy_dataset, tmp_path, "--overwrite")
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


@pytest.mark.trains
def test_a_run_opens_without_its_data_but_says_where_they_were_when_they_are_needed(toy_dataset, tmp_path):
    copy = tmp_path / "toy"
    shutil.copytree(toy_dataset, copy)
    train(copy, tmp_path / "run", "--max_steps", "20")
    (copy / "train_items.npy").write_bytes((copy / "train_items.npy").read_bytes()[:-4] + b"\1\0\0\0")
    run = load_saved_run(tmp_path / "run")
    assert run.catalogue.vocabulary.raw_ids([1]) == ["item-1"]
    with pytest.raises(InputError, match=r"train_items.npy.*prepare the dataset again"):
        _ = run.dataset
    shutil.rmtree(copy)
    with pytest.raises(InputError, match=f"trained on {copy}, which is not there"):
        _ = load_saved_run(tmp_path / "run").dataset


def test_a_new_folder_says_what_will_run_and_on_which_items(toy_dataset, tmp_path):
    dataset, settings = load_dataset(toy_dataset), Settings().replace(num_negatives=20, seed=5)
    run_folder.create_run(tmp_path / "run", settings, dataset, overwrite=False)
    assert run_folder.read_settings(tmp_path / "run") == settings
    assert run_folder.read_config(tmp_path / "run")[1].fingerprint == dataset.fingerprint
    assert (tmp_path / "run" / "items.txt").read_bytes() == (toy_dataset / "items.txt").read_bytes()
    run_folder.update_settings(tmp_path / "run", settings.replace(max_steps=7))
    assert run_folder.read_settings(tmp_path / "run").training.max_steps == 7
    with pytest.raises(InputError, match=r"no best weights yet; .*--resume --run_dir"):
        load_saved_run(tmp_path / "run")


def test_other_data_in_the_place_of_the_runs_are_refused(toy_dataset, tmp_path):
    dataset = load_dataset(toy_dataset)
    run_folder.create_run(tmp_path / "run", Settings(), dataset, overwrite=False)
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    config["dataset"]["fingerprint"] = "0" * 64
    (tmp_path / "run" / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match=r"not the data that .* was trained on"):
        run_folder.read_config(tmp_path / "run", verify=False)


def test_a_folder_without_a_run_and_a_broken_config_are_named(tmp_path):
    with pytest.raises(InputError, match="no run here"):
        run_folder.read_settings(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(InputError, match=r"config\.json: not JSON"):
        run_folder.read_settings(tmp_path)
