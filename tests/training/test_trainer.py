"""Training: it learns the same from the same seed, keeps the best, and stops clearly when it diverges."""

import re
import shutil
from contextlib import nullcontext

import numpy as np
import pytest

from remi_tf.commands.prepare import main as prepare
from remi_tf.data.dataset.folder import load_dataset, write_dataset
from remi_tf.data.dataset.interactions import Interactions
from remi_tf.errors import InputError, TrainingDiverged
from remi_tf.evaluation.evaluate import evaluate
from remi_tf.training.run_folder import load_saved_run
from remi_tf.training.trainer import Trainer
from tests.small_runs import assert_same_run, measurements, newest_state, train
from train import main

pytestmark = pytest.mark.trains


@pytest.fixture(scope="module")
def plain_run(toy_dataset, tmp_path_factory):
    """A run of 60 steps that nothing is wrong with, and the warnings that were given. Who changes it takes a copy."""
    path, said = tmp_path_factory.mktemp("plain") / "run", []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("absl.logging.warning", lambda text, *values: said.append(text % values))
        train(toy_dataset, path, "--max_steps", "60")
    return path, said


def test_two_runs_of_one_seed_are_equal_and_of_two_seeds_are_not(toy_dataset, tmp_path):
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        train(toy_dataset, tmp_path / name, "--remi", "--max_steps", "40", "--seed", seed)
    assert_same_run(tmp_path / "a", tmp_path / "b")
    assert measurements(tmp_path / "a") != measurements(tmp_path / "c")


def test_training_stops_when_patience_is_exceeded_and_stays_stopped(toy_dataset, tmp_path):
    train(toy_dataset, tmp_path / "run", "--learning_rate", "1e-12", "--patience", "2", "--max_steps", "10000")
    steps = [line["step"] for line in measurements(tmp_path / "run")]
    assert steps == [20, 40, 60, 80]  # the best at once, then three without improvement: more than two
    main(["--resume", "--run_dir", str(tmp_path / "run")])
    assert [line["step"] for line in measurements(tmp_path / "run")] == steps


@pytest.mark.slow
def test_the_best_weights_are_kept_not_the_last(toy_dataset, tmp_path):
    train(toy_dataset, tmp_path / "run", "--remi", "--max_steps", "300", "--learning_rate", "0.03")
    scores = {line["step"]: line["valid_recall@50"] for line in measurements(tmp_path / "run")}
    best = max(scores.values())
    assert load_saved_run(tmp_path / "run").step == min(step for step, score in scores.items() if score == best)


def test_another_metric_chooses_the_weights_and_is_measured_at_its_cut_off(toy_dataset, tmp_path, capsys):
    flags = ["--select", "ndcg@3", "--max_steps", "200", "--patience", "1"]
    train(toy_dataset, tmp_path / "run", *flags)
    lines = measurements(tmp_path / "run")
    scores = {line["step"]: line["valid_ndcg@3"] for line in lines}
    by_default = {line["step"]: line["valid_recall@50"] for line in lines}
    run = load_saved_run(tmp_path / "run")
    assert run.step == max(scores, key=lambda step: scores[step]) != max(by_default, key=lambda step: by_default[step])
    assert f"best validation ndcg@3 {max(scores.values()):.4f} at step {run.step}" in capsys.readouterr().out
    assert evaluate(run.model, run.dataset.valid, (3,)).means["ndcg@3"] == scores[run.step]


def test_averaged_weights_are_validated_and_saved_and_training_goes_on_from_its_own(plain_run, toy_dataset, tmp_path):
    train(toy_dataset, tmp_path / "averaged", "--max_steps", "60", "--average_steps", "30")
    plain, averaged = measurements(plain_run[0]), measurements(tmp_path / "averaged")
    assert [line["loss_softmax"] for line in averaged] == [line["loss_softmax"] for line in plain]
    run, last = load_saved_run(tmp_path / "averaged"), newest_state(plain_run[0])
    trained = last["model/item_table/.ATTRIBUTES/VARIABLE_VALUE"]
    assert np.abs(run.model.item_table.numpy() - trained).max() > 1e-4
    mean = evaluate(run.model, run.dataset.valid).means["recall@50"]
    assert mean == next(line["valid_recall@50"] for line in averaged if line["step"] == run.step)


def test_a_diverging_loss_stops_with_step_part_and_remedy(toy_dataset, tmp_path):
    with pytest.raises(TrainingDiverged) as error:
        train(toy_dataset, tmp_path / "run", "--learning_rate", "1e38", "--max_steps", "100")
    assert re.search(r"step \d: the loss part 'softmax' is no longer finite", str(error.value))
    assert "There is no checkpoint yet" in str(error.value)
    assert "--learning_rate (now 1e+38)" in str(error.value)
    assert not (tmp_path / "run" / "metrics.jsonl").exists()


@pytest.mark.filterwarnings("ignore:overflow encountered in cast:RuntimeWarning")  # 1e41 is past float32
def test_the_part_that_blew_up_first_is_named(toy_dataset, tmp_path):
    with pytest.raises(TrainingDiverged, match="step 1: the loss part 'rr'"):
        train(toy_dataset, tmp_path / "run", "--rr_lambda", "1e41", "--max_steps", "100")


def test_after_a_divergence_the_run_goes_on_from_its_checkpoint_with_a_smaller_learning_rate(plain_run, tmp_path):
    run = shutil.copytree(plain_run[0], tmp_path / "run")
    with pytest.raises(TrainingDiverged, match="ckpt-60 is untouched: go on from it with --resume"):
        main(["--resume", "--run_dir", str(run), "--max_steps", "100", "--learning_rate", "1e38"])
    assert main(["--resume", "--run_dir", str(run), "--learning_rate", "1e-4"]) == 0
    assert measurements(run)[-1]["step"] == 100
    assert load_saved_run(run).settings.training.learning_rate == 1e-4  # what ran is what the config says


def test_a_log_without_validation_users_is_refused_before_training(toy_dataset, tmp_path):
    dataset = load_dataset(toy_dataset)
    nobody = Interactions(dataset.valid.items[:0], dataset.valid.timestamps[:0], np.array([0]), np.array([], np.int64))
    splits = {"train": dataset.train, "valid": nobody, "test": dataset.test}
    users = {"train": dataset.user_ids("train"), "valid": [], "test": dataset.user_ids("test")}
    path = tmp_path / "data"
    write_dataset(path, name="d", splits=splits, users=users, vocabulary=dataset.vocabulary, made_by={})
    with pytest.raises(InputError, match=r"no validation user has a target.*leave_one_out"):
        train(path, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_model_that_reads_days_is_refused_a_log_without_times(tmp_path):
    rows = "".join(f"u{user},i{(user + place) % 30},{place}\n" for user in range(40) for place in range(8))
    (tmp_path / "log.csv").write_text("user,item,time\n" + rows)
    options = ["--max_steps", "1", "--eval_every", "1", "--max_history", "4", "--num_interests", "2"]
    for name, flags, refused in (
        ("order", [], True),
        ("none", ["--time_col", "time", "--time_unit", "none"], True),
        ("days", ["--time_col", "time", "--time_unit", "s"], False),
    ):
        columns = ["--input", str(tmp_path / "log.csv"), "--user_col", "user", "--item_col", "item", *flags]
        assert prepare([*columns, "--output", str(tmp_path / name)]) == 0
        with pytest.raises(InputError, match=r"PIMI: it reads the days.*--time_col") if refused else nullcontext():
            train(tmp_path / name, tmp_path / f"{name}-run", "--model_type", "PIMI", *options)
        assert (tmp_path / f"{name}-run").exists() is not refused


def test_an_interval_that_is_no_multiple_of_the_steps_per_call_is_kept(toy_dataset, tmp_path):
    train(toy_dataset, tmp_path / "run", "--eval_every", "73", "--max_steps", "150")
    assert [line["step"] for line in measurements(tmp_path / "run")] == [73, 146, 150]


def test_training_uses_the_first_validation_users_when_asked(toy_dataset, tmp_path):
    train(toy_dataset, tmp_path / "run", "--max_steps", "20", "--eval_users", "3")
    run = load_saved_run(tmp_path / "run")
    assert Trainer(tmp_path / "run", run.settings, run.dataset).validation.num_users == 3


def test_training_that_only_gets_worse_says_so_once(plain_run, toy_dataset, tmp_path, monkeypatch):
    assert not plain_run[1]
    said = []
    monkeypatch.setattr("absl.logging.warning", lambda text, *values: said.append(text % values))
    train(toy_dataset, tmp_path / "run", "--learning_rate", "1e6", "--max_steps", "80")
    assert len(said) == 1 and "step 20: the mean loss" in said[0] and "--learning_rate (now 1000000.0)" in said[0]
    said.clear()
    train(toy_dataset, tmp_path / "still", "--learning_rate", "1e-12", "--patience", "1", "--max_steps", "200")
    assert ["no validation was better than the first one, of step 20" in line for line in said] == [True]
