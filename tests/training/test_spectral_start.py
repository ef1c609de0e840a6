"""--init spectral: what the item table starts from, and that a run computes it once."""

import os
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.data.dataset.folder import load_dataset
from remi_tf.data.dataset.interactions import Interactions
from remi_tf.errors import InputError
from remi_tf.model import MultiInterestModel
from remi_tf.settings.presets import compose
from remi_tf.training import spectral_start
from remi_tf.training.run_folder import load_saved_run
from remi_tf.training.spectral_start import spectral_rows, start_from_log
from remi_tf.training.trainer import Trainer
from tests.small_runs import ROOT, assert_same_run, train
from train import main


def log_of(users: list[list[int]]) -> Interactions:
    lengths = np.array([len(items) for items in users])
    items = np.concatenate(users).astype(np.int32)
    return Interactions(items, np.arange(len(items)), np.concatenate([[0], np.cumsum(lengths)]), lengths)


def random_log(num_users: int, num_items: int, length: int, groups: int = 1) -> Interactions:
    """Each user reads items of one group, with repeats."""
    generator = np.random.default_rng(4)
    size = num_items // groups
    return log_of([1 + user % groups * size + generator.integers(0, size, length) for user in range(num_users)])


def cosines(rows: np.ndarray) -> np.ndarray:
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit @ unit.T


def test_angles_are_those_of_the_exact_singular_vectors_where_the_log_has_clear_groups():
    log, groups = random_log(400, 40, 12, groups=5), 5
    users = np.zeros((400, 40))
    users[np.repeat(np.arange(400), 12), log.items - 1] = 1
    scaled = users / np.sqrt(users.sum(axis=1, keepdims=True)) / np.sqrt(users.sum(axis=0))
    exact = np.linalg.svd(scaled, full_matrices=False)[2][:groups].T
    np.testing.assert_allclose(cosines(spectral_rows(log, 40, groups, 1)), cosines(exact), atol=1e-2)


def test_an_item_counts_once_a_user_for_directions_and_each_time_for_lengths():
    users = [[1, 2, 3], [2, 3, 4], [4, 5], [5, 1, 2]]
    once = spectral_rows(log_of(users), 5, 2, 1)
    again = spectral_rows(log_of([[2, *items, 2] if 2 in items else items for items in users]), 5, 2, 1)
    np.testing.assert_allclose(cosines(again), cosines(once), atol=1e-5)
    before, after = (np.linalg.norm(rows, axis=1) for rows in (once, again))
    assert after[1] / after[0] > before[1] / before[0]


def test_rows_are_as_long_as_random_ones_for_an_item_of_mean_count_and_longer_for_popular_ones():
    lengths = np.linalg.norm(spectral_rows(log_of([[1, 2, 3], [1, 2], [1]]), 3, 4, 1), axis=1)
    assert lengths[0] > lengths[1] > lengths[2]
    random_rows = np.random.default_rng(0).normal(0, (2 / 64) ** 0.5, (1000, 64))  # as MultiInterestModel draws them
    assert lengths[1] == pytest.approx(np.linalg.norm(random_rows, axis=1).mean(), rel=0.02)


def test_items_that_no_training_user_has_point_anywhere_and_are_short():
    log = random_log(30, 20, 6)
    one, other = (spectral_rows(log, 25, 8, seed) for seed in (1, 2))
    lengths = np.linalg.norm(one, axis=1)
    assert (lengths[20:] > 0).all() and lengths[20:].max() < lengths[np.unique(log.items) - 1].min()
    assert np.abs(cosines(one[20:]) - cosines(other[20:])).max() > 0.1


@pytest.mark.parametrize(
    ("num_users", "num_items", "dim"),
    [(1, 30, 8), (5, 30, 8), (40, 6, 8), (40, 1, 8), (1, 1, 1), (40, 30, 1), (40, 30, 30)],
)
def test_small_logs_have_rows_of_full_rank(num_users, num_items, dim):
    rows = spectral_rows(random_log(num_users, num_items, 6), num_items, dim, 1)
    assert rows.shape == (num_items, dim) and rows.dtype == np.float32 and np.isfinite(rows).all()
    assert np.linalg.matrix_rank(rows, tol=1e-3) == min(num_items, dim)


@pytest.mark.parametrize(("piece", "rows"), [(1, 7), (50, 1000)])
def test_how_the_work_is_cut_makes_no_difference(monkeypatch, piece, rows):
    log = random_log(60, 40, 9, groups=4)
    whole = spectral_rows(log, 40, 6, 1)
    monkeypatch.setattr(spectral_start, "PIECE", piece)
    monkeypatch.setattr(spectral_start, "ROWS", rows)
    np.testing.assert_allclose(spectral_rows(log, 40, 6, 1), whole, atol=1e-4)


def test_memory_does_not_grow_with_the_log(monkeypatch):
    monkeypatch.setattr(spectral_start, "PIECE", 1000)
    monkeypatch.setattr(spectral_start, "ROWS", 1000)
    peaks = []
    for num_users in (500, 4000):
        log = random_log(num_users, 20_000, 10)
        tracemalloc.start()
        spectral_rows(log, 20_000, 16, 1)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 50 * 3500  # the users' offsets; their interactions alone are 10 numbers each
    assert peaks[1] < 3 * 20_000 * 16 * 4


THREADS = """
import sys
import numpy as np
from remi_tf.data.dataset.interactions import Interactions
from remi_tf.training.spectral_start import spectral_rows
items = np.random.default_rng(3).integers(1, 701, 60_000).astype(np.int32)
log = Interactions(items, items, np.arange(0, 60_001, 20), np.full(3000, 20))
sys.stdout.buffer.write(spectral_rows(log, 700, 200, 1).tobytes())
"""


@pytest.mark.slow
def test_neither_another_run_nor_the_number_of_threads_changes_a_bit():
    answers = [
        subprocess.run(
            [sys.executable, "-c", THREADS],
            env={**os.environ, "OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads},
            cwd=ROOT,
            capture_output=True,
            check=True,
        ).stdout
        for threads in ("1", "2")
    ]
    assert answers[0] == answers[1] and len(answers[0]) == 700 * 200 * 4


def test_the_row_of_padding_stays(monkeypatch):
    monkeypatch.setattr(spectral_start, "ROWS", 2)
    table, log = tf.Variable(tf.ones([6, 3])), log_of([[1, 2], [2, 3, 4], [4, 5], [1, 5]])
    start_from_log(table, log, 1)
    np.testing.assert_array_equal(table[0], np.ones(3))
    np.testing.assert_array_equal(table[1:], spectral_rows(log, 5, 3, 1))


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_a_16_bit_policy_does_not_change_the_table_it_puts_the_rows_in(policy):
    log = log_of([[1, 2], [2, 3, 4], [4, 5], [1, 5]])
    settings = compose("toy", "default", True, {"model_type": "SA", "embedding_dim": 8, "num_negatives": 3})
    tf.keras.mixed_precision.set_global_policy(policy)
    try:
        table = MultiInterestModel(settings, 5).item_table
        start_from_log(table, log, 1)
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")
    np.testing.assert_array_equal(table.numpy()[1:], spectral_rows(log, 5, 8, 1))


MIRRORED = """
import numpy as np, tensorflow as tf
two_cpus = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], two_cpus)
from remi_tf.data.dataset.interactions import Interactions
from remi_tf.training.spectral_start import spectral_rows, start_from_log
from remi_tf.training.weight_average import WeightAverage
items = np.array([1, 2, 2, 3, 4, 4, 5, 1, 5], np.int32)
log = Interactions(items, items, np.array([0, 2, 5, 7, 9]), np.array([2, 3, 2, 2]))
with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
    table = tf.Variable(tf.ones([6, 3]))
    average = WeightAverage([table], 10)
    start_from_log(table, log, 1)
    average.begin()
copies = [*table.values, *average.averages[0].values]
assert len(copies) == 4
for copy in copies:
    np.testing.assert_array_equal(copy.numpy(), np.concatenate([np.ones([1, 3]), spectral_rows(log, 5, 3, 1)]))
"""


def test_every_device_has_the_same_table():
    result = subprocess.run([sys.executable, "-c", MIRRORED], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr[-2000:]


@pytest.mark.trains
def test_a_new_run_trains_from_it_and_its_averaged_weights_too(toy_dataset, tmp_path):
    flags = ["--init", "spectral", "--learning_rate", "1e-12", "--max_steps", "20"]
    train(toy_dataset, tmp_path / "run", *flags, "--average_steps", "1000")
    data = load_dataset(toy_dataset)
    table = load_saved_run(tmp_path / "run").model.item_table.numpy()
    np.testing.assert_allclose(table[1:], spectral_rows(data.train, data.num_items, 8, 2021), rtol=1e-5)


@pytest.mark.trains
def test_a_run_killed_before_its_first_checkpoint_begins_again_and_a_later_one_does_not(
    toy_dataset, tmp_path, monkeypatch
):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    flags = ["--init", "spectral", "--average_steps", "10"]
    train(toy_dataset, whole, *flags, "--max_steps", "40")
    monkeypatch.setattr(Trainer, "_fit", lambda *arguments: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        train(toy_dataset, killed, *flags, "--max_steps", "20")
    monkeypatch.undo()
    assert main(["--resume", "--run_dir", str(killed)]) == 0
    monkeypatch.setattr(spectral_start, "spectral_rows", lambda *arguments: 1 / 0)
    assert main(["--resume", "--run_dir", str(killed), "--max_steps", "40"]) == 0
    assert_same_run(killed, whole)


@pytest.mark.trains
def test_a_warm_start_takes_over_the_table_and_does_not_compute_it(toy_dataset, tmp_path, monkeypatch):
    train(toy_dataset, tmp_path / "old", "--init", "spectral", "--max_steps", "20")
    monkeypatch.setattr(spectral_start, "spectral_rows", lambda *arguments: 1 / 0)
    warm = ["--warm_start", str(tmp_path / "old"), "--dataset", str(toy_dataset), "--run_dir", str(tmp_path / "warm")]
    with pytest.raises(
        InputError, match=r"--init spectral: --warm_start .*old takes over its item table; leave it out"
    ):
        main([*warm, "--init", "spectral"])
    assert main([*warm, "--max_steps", "0"]) == 0
    old, new = (load_saved_run(tmp_path / name).model.item_table.numpy() for name in ("old", "warm"))
    np.testing.assert_array_equal(new, old)
