"""What a run needs follows from shapes, and agrees with what a real run holds."""

import dataclasses

import numpy as np
import pytest

from remi_tf.data.dataset.folder import load_dataset
from remi_tf.data.dataset.interactions import Interactions
from remi_tf.settings.encoders import needs
from remi_tf.settings.presets import compose
from remi_tf.training.batches import TrainingBatches, targets_ahead
from remi_tf.training.needs_memory import (
    Part,
    When,
    checkpoint_bytes,
    evaluation_bytes,
    log_bytes,
    mapped_bytes,
    needed,
    run_parts,
    score_bytes,
    table_work,
)
from remi_tf.training.trainer import Trainer


def settings_of(model_type: str = "SA", **values):
    settings = compose("toy", "default", False, {"model_type": model_type, **values}, 60, 0.0)
    small = {"num_negatives": 20, "batch_size": 16, "embedding_dim": 8}
    return settings.replace(**{**small, **values})


@pytest.fixture(scope="module")
def dataset(toy_dataset):
    return load_dataset(toy_dataset)


def sizes(parts) -> dict[str, int]:
    return {part.name: part.size for part in parts}


def test_parts_add_up_only_where_they_are_there_at_one_time():
    parts = [
        Part("weights", "CPU:0", 100),
        Part("spectral", "CPU:0", 70, When.START),
        Part("average", "CPU:0", 30, When.RUNNING),
        Part("step", "CPU:0", 20, When.STEP),
        Part("validation", "CPU:0", 25, When.VALIDATION),
        Part("log", "GPU:0", 7),
    ]
    assert needed(parts) == {"CPU:0": 170, "GPU:0": 7}
    assert needed([*parts, Part("boost", "CPU:0", 60, When.END)])["CPU:0"] == 190


def test_slots_average_and_checkpoints_have_the_sizes_of_real_ones(dataset, tmp_path):
    settings = settings_of("DNN", average_steps=10, embedding_dim=64)
    trainer, found = Trainer(tmp_path / "run", settings, dataset), sizes(run_parts(settings, dataset))
    slots = sum(variable.numpy().nbytes for variable in trainer.model.optimizer.variables if variable.shape.rank)
    assert found["optimizer slots (lazy_adam)"] == slots
    assert found["weight average"] == sum(average.numpy().nbytes for average in trainer.average.averages)
    trainer.checkpoints.save(1)
    trainer.best.save(1)
    for folder, expected in zip(("checkpoints", "best"), checkpoint_bytes(settings, dataset), strict=True):
        (written,) = (tmp_path / "run" / folder).glob("*.data-*")
        assert 0 <= written.stat().st_size - expected < 4096  # names and counters


@pytest.mark.parametrize("values", [{}, {"targets": "future"}, {"model_type": "PIMI"}])
def test_the_log_takes_what_the_batches_hold(dataset, values):
    settings = settings_of(**values)
    ahead = targets_ahead(dataset.train.lengths, dataset.valid) if "targets" in values else None
    batches = TrainingBatches(
        dataset.train, batch_size=2, max_history=5, first_target=1, seed=0, needs=needs(settings.encoder), ahead=ahead
    )
    tensors = [batches._user_ahead, batches._starts, batches._lengths, batches._items, batches._days]
    held = sum(tensor.numpy().nbytes for tensor in tensors if tensor is not None) + batches._ahead.nbytes
    assert log_bytes(settings, dataset.train) == held


def test_users_without_a_target_take_no_place_in_the_batches():
    train = Interactions(np.arange(1, 6, dtype=np.int32), np.arange(5), np.array([0, 1, 5]), np.array([1, 4]))
    assert log_bytes(settings_of(), train) == 5 * 4 + 12 + 2 * 8
    assert mapped_bytes(train) == 0


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"readout": "hard"}, 16 * 20),
        ({"readout": "per_candidate"}, 16 * 20 * 4),
        ({"readout": "hard", "multi_interest_weight": 0.1}, 16 * 20 * 4),
        ({"model_type": "MTMI-DNN"}, 16 * 20 * 4),
    ],
)
def test_scores_of_a_step_are_those_of_each_interest_only_where_each_one_scores(values, expected):
    assert score_bytes(settings_of(**values), 20) == 4 * expected


def test_the_whole_catalogue_is_scored_in_pieces():
    assert score_bytes(settings_of(sampler="full"), 10**9) == 64 * 2**20


def test_only_dense_changes_hold_whole_tables():
    assert table_work(settings_of(), 1000) == 0
    assert table_work(settings_of(optimizer="adam"), 1000) == 2000


def test_an_evaluation_batch_is_bounded_where_the_catalogue_is_large(dataset):
    assert evaluation_bytes(settings_of(), dataset) == 4 * 10 * 61 * (4 + 1) + 4 * 8 * 61
    large = dataclasses.replace(dataset, num_items=10**7)
    assert evaluation_bytes(settings_of(), large) == 256 * 2**20 * 5 // 4 + 4 * 8 * (10**7 + 1)


def test_what_a_run_starts_from_decides_what_it_needs(dataset):
    settings = settings_of(init="spectral", boost="counted")
    new, warm, resumed = (sizes(run_parts(settings, dataset, starts)) for starts in ("new", "warm", "resumed"))
    assert set(new) - set(warm) == {"spectral start"}
    assert set(warm) - set(resumed) == {"boost", "best weights, read for the boost"}
    assert not {part.when for part in run_parts(settings.replace(max_steps=0), dataset)} & {When.STEP, When.CHECK}
