"""Counting in a run folder: killed, resumed, damaged, given settings."""

import json

import numpy as np
import pytest

from remi_tf.api import load_run, train
from remi_tf.data.dataset.folder import load_dataset
from remi_tf.errors import InputError
from remi_tf.training.counter import Counter
from remi_tf.training.plan import carry_out, opened, plan_new, plan_resume

pytestmark = pytest.mark.trains


@pytest.fixture(scope="module")
def dataset(toy_dataset):
    return load_dataset(toy_dataset)


def test_settings_that_are_given_are_kept_and_the_run_has_them(dataset, tmp_path):
    run = train(dataset, "ItemKNN", run_dir=tmp_path / "run", decay=0.35, shrink=3.0, neighbours=4)
    assert (run.settings.encoder.decay, run.settings.encoder.shrink) == (0.35, 3.0)
    assert run.model.ids.shape == (61, 4)
    assert "choice" not in json.loads((tmp_path / "run" / "config.json").read_text())


def test_a_run_that_was_killed_before_it_counted_goes_on_with_what_was_chosen(dataset, tmp_path):
    path = tmp_path / "run"
    with opened(plan_new(dataset, {"model_type": "SequentialRules"}, path=path)) as counter:
        assert isinstance(counter, Counter) and counter.choice is not None
    with pytest.raises(InputError, match="no best weights yet"):
        load_run(path)
    resumed = carry_out(plan_resume(path, {}))
    assert resumed.choice is None and resumed.settings == counter.settings
    whole = train(dataset, "SequentialRules", run_dir=tmp_path / "whole")
    np.testing.assert_array_equal(load_run(path).model.values, whole.model.values)


def test_settings_are_chosen_by_the_metric_that_is_asked_for(dataset, tmp_path):
    run = train(dataset, "ItemKNN", run_dir=tmp_path / "run", select="ndcg@5")
    choice = json.loads((tmp_path / "run" / "config.json").read_text())["choice"]
    assert choice["metric"] == "ndcg@5"
    assert max(each["ndcg@5"] for each in choice["tried"]) == run.evaluate("valid", 5).means["ndcg@5"]


def test_what_is_damaged_is_counted_again(dataset, tmp_path):
    path = tmp_path / "run"
    before = train(dataset, "ItemKNN", run_dir=path, decay=0.5, shrink=3.0).model.values.numpy()
    (data,) = (path / "best").glob("*.data-*")
    data.write_bytes(b"x" * data.stat().st_size)
    carry_out(plan_resume(path, {}))
    np.testing.assert_array_equal(load_run(path).model.values, before)
    assert len((path / "metrics.jsonl").read_text().splitlines()) == 1


def test_a_folder_that_is_taken_is_refused_before_anything_is_chosen(dataset, tmp_path, monkeypatch):
    train(dataset, "Pop", run_dir=tmp_path / "run")
    monkeypatch.setattr("remi_tf.training.counter.choose", lambda *_, **__: pytest.fail("chosen"))
    with pytest.raises(InputError, match="holds a run already"):
        train(dataset, "ItemKNN", run_dir=tmp_path / "run")
