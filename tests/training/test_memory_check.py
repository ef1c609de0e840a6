"""A run that cannot fit is refused before it begins, with what would help; one that fits never is."""

import dataclasses
import re

import pytest

from remi_tf.data.dataset.folder import load_dataset
from remi_tf.errors import InputError
from remi_tf.settings.presets import compose
from remi_tf.training import memory_check
from remi_tf.training.memory_check import available, helpful, refuse_too_large
from remi_tf.training.needs_memory import needed, run_parts
from remi_tf.training.plan import make_trainer, plan_new

GIB = 2**30


@pytest.fixture(scope="module")
def dataset(toy_dataset):
    """As of a catalogue of two million items, of which nothing is made."""
    return dataclasses.replace(load_dataset(toy_dataset), num_items=2_000_000)


def settings_of(remi: bool = True, **values):
    return compose("toy", "default", remi, {"model_type": "SA", **values}, 2_000_000, 0.0)


def size(settings, dataset, starts: str = "new") -> int:
    return needed(run_parts(settings, dataset, starts))["CPU:0"]


def test_the_line_between_fitting_and_not_is_the_size_itself(dataset, monkeypatch):
    settings = settings_of()
    most = size(settings, dataset)
    assert most > 5 * GIB
    monkeypatch.setattr(memory_check, "available_memory", lambda: most)
    refuse_too_large(settings, dataset)
    monkeypatch.setattr(memory_check, "available_memory", lambda: None)
    refuse_too_large(settings, dataset)
    monkeypatch.setattr(memory_check, "available_memory", lambda: most - 1)
    with pytest.raises(InputError, match=r"--model_type SA: training on 2,000,000 items needs about \d\.\d GiB of mem"):
        refuse_too_large(settings, dataset)


def test_a_run_that_is_refused_makes_nothing(dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(memory_check, "available_memory", lambda: GIB)
    monkeypatch.setattr("remi_tf.training.plan.Trainer", None)
    plan = plan_new(dataset, {"model_type": "SA"}, remi=True, path=tmp_path / "run")
    with pytest.raises(InputError, match=r"1\.0 GiB are available; .*--embedding_dim"):
        make_trainer(plan)
    assert not list(tmp_path.iterdir())


def test_what_is_advised_fits_and_saves_what_is_said(dataset, monkeypatch):
    settings = settings_of()
    there = int(2.5 * GIB)
    changes = helpful(settings, dataset, "new", "CPU:0", size(settings, dataset) - there)
    assert len({change.name for change in changes}) == len(changes) > 1
    changed = settings.replace(**{change.name: change.value for change in changes})
    assert size(changed, dataset) == size(settings, dataset) - sum(change.saves for change in changes) <= there
    monkeypatch.setattr(memory_check, "available_memory", lambda: there)
    with pytest.raises(InputError) as refused:
        refuse_too_large(settings, dataset)
    for change in changes:
        assert f"--{change.name} {change.value} (saves " in str(refused.value)
    refuse_too_large(changed, dataset)


def test_the_part_that_is_much_too_large_is_named_first(dataset):
    settings = settings_of(boost_neighbours=1000, embedding_dim=16)
    assert helpful(settings, dataset, "new", "CPU:0", 10 * GIB)[0][:2] == ("boost", "none")
    plain = settings_of(remi=False, optimizer="adam", average_steps=10)
    names = {change.name for change in helpful(plain, dataset, "new", "CPU:0", size(plain, dataset) // 2)}
    assert names <= {"embedding_dim", "optimizer", "average_steps"} and "embedding_dim" in names


def test_settings_that_a_run_keeps_are_not_advised(dataset, monkeypatch):
    monkeypatch.setattr(memory_check, "available_memory", lambda: 1000)
    with pytest.raises(InputError) as refused:
        refuse_too_large(settings_of(), dataset, "warm")
    assert not re.search("--(embedding_dim|init|item_tower) ", str(refused.value))
    assert "it would not fit" in str(refused.value) and "--boost none" in str(refused.value)
    with pytest.raises(InputError, match="are available; prepare the log with a larger --min_count"):
        refuse_too_large(settings_of(), dataset, "resumed")


def test_memory_of_a_device_that_is_not_there_is_not_known():
    assert available("GPU:7") is None
    assert available("CPU:0") is None or available("CPU:0") > 2**20
