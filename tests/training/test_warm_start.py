"""--warm_start: nothing learnt is lost, new items begin among their neighbours, and what cannot go on is refused."""

import json
import shutil
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.data.dataset.folder import load_dataset, write_dataset
from remi_tf.data.dataset.interactions import Interactions
from remi_tf.data.dataset.vocabulary import Vocabulary
from remi_tf.errors import InputError
from remi_tf.recommending.recommender import Recommender
from remi_tf.training.plan import plan_warm_start
from remi_tf.training.run_folder import load_saved_run
from remi_tf.training.trainer import Trainer
from remi_tf.training.warm_start import among_neighbours, fair_length, load_for_warm_start, rows_in_run, take_over
from tests.profile_toys import with_parity
from tests.small_runs import ROOT, SMALL, assert_same_run, measurements
from train import main

RENAMED = {51: "new-51", 52: "new-52"}


@pytest.fixture(scope="module")
def old_run(toy_dataset, tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "old"
    assert main(["--dataset", str(toy_dataset), "--run_dir", str(path), *SMALL, "--remi", "--max_steps", "40"]) == 0
    return path


@pytest.fixture(scope="module")
def fresh(toy_dataset, tmp_path_factory):
    """The toy log with its rows in the reverse order, two items renamed, and one that nobody has read."""
    old = load_dataset(toy_dataset)
    splits = {}
    for split in ("train", "valid", "test"):
        data = old.split(split)
        items = (61 - np.asarray(data.items)).astype(np.int32)
        splits[split] = Interactions(items, data.timestamps, data.offsets, data.cuts)
    raw_ids = [RENAMED.get(row, f"item-{row}") for row in range(60, 0, -1)] + ["unread"]
    path = tmp_path_factory.mktemp("data") / "fresh"
    users = {split: old.user_ids(split) for split in splits}
    write_dataset(path, name="fresh", splits=splits, users=users, vocabulary=Vocabulary(raw_ids), made_by={})
    return path


def warm(old_run, fresh, path, *flags):
    return main(["--warm_start", str(old_run), "--dataset", str(fresh), "--run_dir", str(path), *flags])


@pytest.mark.trains
def test_known_items_and_the_encoder_are_equal_bit_by_bit(old_run, fresh, tmp_path, capsys):
    assert warm(old_run, fresh, tmp_path / "warm", "--max_steps", "0") == 0
    before, after = load_saved_run(old_run), load_saved_run(tmp_path / "warm")
    assert after.step == 0 and after.settings.objective == before.settings.objective
    for old, new in zip(before.model.encoder.weights, after.model.encoder.weights, strict=True):
        np.testing.assert_array_equal(old, new)
    known = [f"item-{row}" for row in range(1, 61) if row not in RENAMED]
    old_table, new_table = before.model.item_table.numpy(), after.model.item_table.numpy()
    np.testing.assert_array_equal(
        new_table[after.catalogue.vocabulary.rows(known)], old_table[before.catalogue.vocabulary.rows(known)]
    )
    np.testing.assert_array_equal(new_table[0], old_table[0])
    output = capsys.readouterr().out
    assert "58 items as they were, 2 new ones amid the known items around them, 1 as usual" in output
    assert "No longer recommended: 2 items that the data do not hold ('item-51', 'item-52')" in output
    config = json.loads((tmp_path / "warm" / "config.json").read_text())
    assert config["warm_start"]["items"] == {"known": 58, "averaged": 2, "drawn": 1, "gone": 2}


@pytest.mark.trains
def test_new_items_are_near_what_they_are_read_with_and_never_padding(old_run, fresh):
    run, settings = load_for_warm_start(old_run, {})
    dataset = load_dataset(fresh)
    model = Trainer(fresh, settings, dataset, run).model
    cold = Trainer(fresh, settings, dataset).model.item_table.numpy()
    table = model.item_table.numpy()
    new, unread = dataset.vocabulary.rows([*RENAMED.values()]), dataset.vocabulary.rows(["unread"])[0]
    np.testing.assert_array_equal(table[unread], cold[unread])
    for row in new:
        assert not np.array_equal(table[row], cold[row])
    assert not (table[1:] == table[0]).all(axis=1).any()


def test_a_new_item_points_to_the_mean_of_known_neighbours_within_the_window_of_the_same_user():
    #            user 0              user 1
    items = np.array([1, 3, 2, 2, 4, 3, 1], np.int32)
    train = Interactions(items, np.zeros(7, np.int64), np.array([0, 5, 7]), np.array([5, 2]))
    old_table = np.array([[9, 9], [1, 0], [0, 3]], np.float32)
    old_rows = np.array([0, 1, 2, 0, 0])  # 3 and 4 are new
    rows, began, kept = among_neighbours(train, old_rows, old_table, window=2)
    assert rows.tolist() == [3, 4]
    # 3: 1, 2, 2 of user 0, and 1 of user 1; 4: 2, 2 of user 0
    mean, lengths = np.array([[2 / 4, 6 / 4], [0, 3]]), np.array([(1 + 3 + 3 + 1) / 4, 3])
    np.testing.assert_allclose(_unit(began), _unit(mean), rtol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(began, axis=1), lengths, rtol=1e-6)
    np.testing.assert_allclose(kept, np.linalg.norm(mean, axis=1) / lengths, rtol=1e-6)
    rows, began, _ = among_neighbours(train, np.array([0, 0, 0, 0, 0]), old_table, window=2)
    assert not len(rows) and began.shape == (0, 2)


def test_new_items_get_the_share_of_the_lists_that_they_have_of_the_log():
    rng = np.random.default_rng(0)
    known, new = rng.standard_normal((400, 8)).astype(np.float32), 3 * rng.standard_normal((100, 8)).astype(np.float32)
    interests = rng.standard_normal((200, 2, 8)).astype(np.float32)
    for share in (0.05, 0.2):
        table = np.concatenate([known, new * fair_length(interests, known, new, share, 0.01)])
        scores = np.einsum("bkd,nd->bkn", interests, table).max(axis=1)
        lists = np.argsort(-scores, axis=1)[:, :50]
        assert np.mean(lists >= 400) == pytest.approx(share, abs=0.01)
    assert fair_length(interests, known, 0.01 * new, 0.2, 0.01) == 1  # never longer than the neighbours


@pytest.mark.trains
def test_new_items_keep_the_length_of_the_mean_where_even_a_score_of_0_is_more_than_their_share(old_run, fresh):
    interests, known = np.ones([3, 1, 2]), np.full([10, 2], -1.0)  # every known item scores below 0
    assert fair_length(interests, known, np.ones([10, 2]), 0.1, 0.25) == 0.25
    run, settings = load_for_warm_start(old_run, {})
    dataset = load_dataset(fresh)
    new = dataset.vocabulary.rows([*RENAMED.values()])
    lengths = np.linalg.norm(Trainer(fresh, settings, dataset, run).model.item_table.numpy(), axis=1)
    assert lengths[new].mean() > 0.1 * lengths[1:].mean()


def _unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.trains
def test_a_new_item_is_recommended_to_those_who_read_its_neighbours_without_any_training(old_run, fresh, tmp_path):
    warm(old_run, fresh, tmp_path / "warm", "--max_steps", "0")
    run = load_saved_run(tmp_path / "warm")
    similar = Recommender(run).similar_items("new-51", 60)
    place = {item: rank for rank, item in enumerate(similar["item"])}
    same = np.mean([place[f"item-{row}"] for row in range(53, 61)])  # the cluster of items 51 to 60
    assert same < np.mean([place[f"item-{row}"] for row in range(1, 51)])


@pytest.mark.trains
def test_it_starts_where_the_old_run_ended_and_trains_on(old_run, toy_dataset, tmp_path):
    warm(old_run, toy_dataset, tmp_path / "warm", "--max_steps", "40", "--eval_every", "20")
    lines = measurements(tmp_path / "warm")
    assert [line["step"] for line in lines] == [0, 20, 40]
    best = max(line["valid_recall@50"] for line in measurements(old_run))
    assert lines[0]["valid_recall@50"] == best


@pytest.mark.slow
def test_a_run_killed_at_any_moment_resumes_as_one_never_stopped(old_run, fresh, tmp_path, monkeypatch):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    warm(old_run, fresh, whole, "--max_steps", "40")
    command = ["--warm_start", old_run, "--dataset", fresh, "--run_dir", killed, "--max_steps", "40"]
    # Killed after the folder is made and before anything is measured.
    code = (
        "import os, sys, train; from remi_tf.training.trainer import Trainer;"
        "Trainer.train = lambda self, report: os._exit(9); train.main(sys.argv[1:])"
    )
    assert subprocess.run([sys.executable, "-c", code, *map(str, command)], cwd=ROOT).returncode == 9
    old = old_run.rename(tmp_path / "moved")  # the old run is not needed any more
    try:
        monkeypatch.setattr(Trainer, "_fit", lambda *arguments: 1 / 0)
        with pytest.raises(ZeroDivisionError):  # and again after the first validation
            main(["--resume", "--run_dir", str(killed)])
        monkeypatch.undo()
        assert main(["--resume", "--run_dir", str(killed)]) == 0
    finally:
        old.rename(old_run)
    assert_same_run(killed, whole)


@pytest.mark.trains
@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--embedding_dim", "16"], "--embedding_dim 16: .* takes over the weights of a run with embedding_dim 8"),
        (["--model_type", "MIND"], "--model_type MIND: .* a run with model_type SA; leave it out"),
        (["--num_interests", "2"], "--num_interests 2: .* num_interests 4"),
        (["--loss", "idw"], "--loss idw: .* trained with softmax"),
        (["--profile", "released"], "--recipe: --warm_start takes the run's own settings"),
        (["--remi"], "--remi: --warm_start takes the run's own settings"),
        (["--label_power", "3"], "--label_power 3.0: read only with --readout label_aware"),
    ],
)
def test_what_the_old_weights_do_not_allow_is_refused_with_the_reason(old_run, fresh, tmp_path, flags, message):
    with pytest.raises(InputError, match=message):
        warm(old_run, fresh, tmp_path / "warm", *flags)
    assert not (tmp_path / "warm").exists()


@pytest.mark.trains
def test_what_makes_no_sense_is_refused(old_run, fresh, toy_dataset, tmp_path):
    with pytest.raises(InputError, match="--warm_start needs --run_dir"):
        main(["--warm_start", str(old_run), "--dataset", str(fresh)])
    with pytest.raises(InputError, match=r"--warm_start .*nope: no run here"):
        warm(tmp_path / "nope", fresh, tmp_path / "warm")
    with pytest.raises(InputError, match=r"^/.*nope: no run here"):  # no flag in Python
        Recommender.from_run(tmp_path / "nope")
    with pytest.raises(InputError, match="--dataset is missing"):
        main(["--warm_start", str(old_run), "--run_dir", str(tmp_path / "warm")])
    with pytest.raises(InputError, match="leave out --warm_start"):
        main(["--resume", "--run_dir", str(old_run), "--warm_start", str(old_run)])
    with pytest.raises(InputError, match="--max_steps 0: nothing would be learnt"):
        main(["--dataset", str(toy_dataset), "--run_dir", str(tmp_path / "cold"), "--max_steps", "0"])
    with pytest.raises(InputError, match="--max_steps 0: nothing would be learnt"):
        main(["--resume", "--run_dir", str(old_run), "--max_steps", "0"])
    pop = tmp_path / "pop"
    assert main(["--dataset", str(toy_dataset), "--run_dir", str(pop), "--model_type", "Pop"]) == 0
    with pytest.raises(InputError, match="Pop is counted, not trained"):
        warm(pop, fresh, tmp_path / "warm")


@pytest.mark.trains
def test_no_steps_are_not_inherited(old_run, fresh, tmp_path):
    warm(old_run, fresh, tmp_path / "as it was", "--max_steps", "0")
    with pytest.raises(InputError, match="taken over as it was, with --max_steps 0; say how many"):
        warm(tmp_path / "as it was", fresh, tmp_path / "next")
    assert warm(tmp_path / "as it was", fresh, tmp_path / "next", "--max_steps", "20") == 0


@pytest.mark.trains
def test_objective_and_training_may_change(old_run):
    settings = load_for_warm_start(old_run, {"beta": 0.0, "learning_rate": 0.01, "readout": "logsumexp"})[1]
    assert (settings.objective.beta, settings.objective.readout) == (0.0, "logsumexp")
    assert settings.training.learning_rate == 0.01


def respelled(fresh, path, spell):
    """The fresh log with other raw ids."""
    old = load_dataset(fresh)
    splits = {split: old.split(split) for split in ("train", "valid", "test")}
    users = {split: old.user_ids(split) for split in splits}
    raw_ids = [spell(raw_id) for raw_id in old.vocabulary.raw_ids(range(1, old.num_items + 1))]
    write_dataset(path, name="other", splits=splits, users=users, vocabulary=Vocabulary(raw_ids), made_by={})
    return path


@pytest.mark.trains
def test_a_warm_start_that_knows_no_item_is_refused_unless_told_to_go_on(old_run, fresh, tmp_path, capsys):
    other = respelled(fresh, tmp_path / "other", lambda raw_id: raw_id.upper())
    with pytest.raises(InputError, match=r"knows none of the 61 items") as error:
        warm(old_run, other, tmp_path / "warm")
    for words in ("'ITEM-60', 'NEW-52'", "in the run 'item-1', 'item-2', 'item-3', …", "--allow_no_match"):
        assert words.replace("'ITEM-60', 'NEW-52'", "'ITEM-60', 'ITEM-59'") in str(error.value)
    assert not (tmp_path / "warm").exists()
    assert warm(old_run, other, tmp_path / "warm", "--allow_no_match", "--max_steps", "20") == 0
    output = capsys.readouterr().out
    assert "0 items as they were" in output
    assert "Warning: only 0 of 61 items are known to the run (0.0%)" in output and "'ITEM-60'" in output


@pytest.mark.trains
def test_a_warm_start_that_takes_over_little_says_so_with_examples(old_run, fresh, tmp_path):
    known = {"item-1", "item-2", "item-3"}
    other = respelled(fresh, tmp_path / "o", lambda raw_id: raw_id if raw_id in known else f"x{raw_id}")
    plan = plan_warm_start(load_dataset(other), old_run, {}, path=tmp_path / "warm")
    lines = Trainer(plan.path, plan.settings, plan.dataset, plan.before).warm_start.lines()
    assert "only 3 of 61 items are known to the run (4.9%)" in lines[1] and "'xitem-60', 'xitem-59'" in lines[1]


def items(*raw_ids):
    return SimpleNamespace(vocabulary=Vocabulary(raw_ids))


def test_whole_numbers_with_and_without_point_zero_are_one_item():
    plain, pointed = ["7", "8", "9"], ["7.0", "8.0", "9.0"]
    for theirs, ours in ((plain, pointed), (pointed, plain), (plain, plain), (pointed, pointed)):
        run = SimpleNamespace(catalogue=items(*theirs))
        assert rows_in_run(run, items(*reversed(ours), "60")).tolist() == [3, 2, 1, 0]
    versions = SimpleNamespace(catalogue=items("1.0", "1.5"))  # not a column of whole numbers
    assert rows_in_run(versions, items("1", "1.5")).tolist() == [0, 2]


def test_allow_no_match_without_a_warm_start_is_refused(toy_dataset, tmp_path):
    with pytest.raises(InputError, match="--allow_no_match: it goes with --warm_start"):
        main(["--dataset", str(toy_dataset), "--run_dir", str(tmp_path / "run"), "--allow_no_match"])


@pytest.mark.trains
def test_other_profile_columns_are_refused(old_run, fresh):
    run, settings = load_for_warm_start(old_run, {})
    model = Trainer(fresh, settings, load_dataset(fresh)).model
    model.needs = ("profile",)
    other = shutil.copytree(fresh, fresh.parent / "profiled")
    dataset = load_dataset(other)
    object.__setattr__(dataset, "profile_columns", ("gender",))
    with pytest.raises(InputError, match="its profile columns and their values are not those of"):
        take_over(model, run, dataset)
    assert tf.reduce_all(tf.math.is_finite(model.item_table))


@pytest.mark.trains
def test_what_is_learnt_of_profiles_is_taken_over_by_value(toy_dataset, tmp_path):
    data = with_parity(toy_dataset, tmp_path / "data")
    flags = ["--read_profile", "concat", "--max_steps", "20"]
    assert main(["--dataset", str(data), "--run_dir", str(tmp_path / "old"), *SMALL, *flags]) == 0
    with pytest.raises(InputError, match=r"--read_profile none: --warm_start .* with read_profile concat"):
        warm(tmp_path / "old", data, tmp_path / "other", "--read_profile", "none")
    assert warm(tmp_path / "old", data, tmp_path / "new", "--max_steps", "0") == 0
    before, after = (load_saved_run(tmp_path / name).model.encoder for name in ("old", "new"))
    np.testing.assert_array_equal(before.profile.table, after.profile.table)
    np.testing.assert_array_equal(before.join, after.join)
