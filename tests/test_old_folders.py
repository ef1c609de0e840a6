"""Dataset and run folders that version 0.1.0 wrote still load, answer the same, and their runs go on.

tests/old_folders was made by the commit before the code moved: a log of 60 users, four runs of 40 steps, and in
expected.json what that commit's evaluate.py, recommend.py and `train.py --resume --max_steps 80` then gave. The losses
are compared to float tolerance, as other processors round otherwise.
"""

import json
import shutil
from pathlib import Path

import pytest

from remi_tf.api import load_run, resume
from remi_tf.commands.recommend import main as recommend
from remi_tf.data.dataset.folder import load_dataset
from remi_tf.training.run_folder import read_settings

pytestmark = pytest.mark.trains

OLD = Path(__file__).parent / "old_folders"
EXPECTED = json.loads((OLD / "expected.json").read_text(encoding="utf-8"))
TRAINED = [name for name in EXPECTED if name != "Pop"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder to work in that holds data/shop and the runs; the runs' own path to the data is gone."""
    shutil.copytree(OLD / "shop", tmp_path / "data" / "shop")
    shutil.copytree(OLD / "runs", tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_dataset_loads_with_categories_titles_and_profiles(here):
    dataset = load_dataset("data/shop")
    assert (dataset.num_items, dataset.train.num_users) == (40, 48)
    assert [column.name for column in dataset.profile_columns] == ["gender", "age"]
    first = dataset.vocabulary.raw_ids([1])[0]
    assert dataset.titles[0] == f"Title {first[1]} {first[3]}"
    assert dataset.category_names[dataset.categories[1] - 1] == f"kind {first[1]}"
    assert "repeats" not in dataset.manifest and 0 < dataset.repeats < 1


@pytest.mark.parametrize("name", EXPECTED)
def test_a_run_evaluates_and_recommends_as_it_did(here, name, capsys):
    run = load_run(f"runs/{name}")
    means, expected = run.evaluate(top_n=(5, 20)).means, EXPECTED[name]["evaluate"]["model"]
    assert {metric: means[metric] for metric in expected} == pytest.approx(expected) and not run.excludes_history()
    assert recommend(["--run_dir", f"runs/{name}", "--history", "c1i3,c2i4,c1i5", "--top_n", "5"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [row[1] for row in rows if row[0].isdecimal()] == EXPECTED[name]["recommend"]


def test_options_of_other_encoders_that_the_old_config_lists_are_left_out(here):
    written = json.loads(Path("runs/GRU4REC-released/config.json").read_text())["settings"]["encoder"]
    settings = read_settings(Path("runs/GRU4REC-released"))
    assert "routing_iterations" in written and "routing_iterations" not in settings.flat()
    kept = settings.to_json()["encoder"]
    assert kept["dropout"] == 0.2 and kept["read_profile"] == "none"  # what was not there yet
    assert {name: written.get(name, kept[name]) for name in kept} == kept


@pytest.mark.parametrize("name", TRAINED)
def test_a_run_goes_on_as_if_the_code_had_not_moved(here, name):
    resume(f"runs/{name}", max_steps=80)
    lines = [json.loads(line) for line in Path(f"runs/{name}/metrics.jsonl").read_text().splitlines()]
    after = [{key: value for key, value in line.items() if key != "time"} for line in lines if line["step"] > 40]
    assert [line["step"] for line in after] == [60, 80]
    for ours, theirs in zip(after, EXPECTED[name]["resumed"], strict=True):
        assert ours == pytest.approx(theirs, rel=1e-4, abs=1e-6)
