"""The training command: it learns, resumes bit for bit, never loses a run, and stops clearly when it diverges."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.commands.prepare import main as prepare
from remi_tf.data.dataset.folder import load_dataset, write_dataset
from remi_tf.data.dataset.interactions import Interactions
from remi_tf.errors import InputError, TrainingDiverged
from remi_tf.evaluation.evaluate import evaluate
from remi_tf.training.run_folder import load_saved_run
from remi_tf.training.trainer import Trainer
from train import main

ROOT = Path(__file__).resolve().parents[2]
SMALL = ["--num_negatives", "20", "--embedding_dim", "8", "--batch_size", "16", "--eval_every", "20"]


def command(*arguments) -> list[str]:
    return [sys.executable, str(ROOT / "train.py"), *map(str, arguments)]


def train(dataset: Path, path: Path, *arguments: str) -> int:
    return main(["--dataset", str(dataset), "--run_dir", str(path), *SMALL, *arguments])


def newest_state(path: Path) -> dict[str, np.ndarray]:
    reader = tf.train.load_checkpoint(str(path / "checkpoints"))
    names = [name for name in reader.get_variable_to_shape_map() if not name.startswith(("_CHECK", "save_counter"))]
    return {name: reader.get_tensor(name) for name in names}


def measurements(path: Path) -> list[dict]:
    lines = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "time"} for line in lines]


def assert_same_run(ours: Path, theirs: Path) -> None:
    left, right = newest_state(ours), newest_state(theirs)
    assert left.keys() == right.keys() and any("velocit" in name or "/_variables" in name for name in left)
    for name in left:
        np.testing.assert_array_equal(left[name], right[name], err_msg=name)
    assert measurements(ours) == measurements(theirs)


def test_training_learns_and_leaves_everything_a_user_needs(toy_dataset, tmp_path, capsys):
    assert train(toy_dataset, tmp_path / "run", "--remi", "--max_steps", "400", "--eval_every", "100") == 0
    losses = [line["loss_softmax"] for line in measurements(tmp_path / "run")]
    assert [line["step"] for line in measurements(tmp_path / "run")] == [100, 200, 300, 400]
    assert losses[-1] < 0.96 * losses[0]
    run = load_saved_run(tmp_path / "run")
    assert run.settings.objective.beta == 1 and run.settings.objective.rr_lambda == 100
    assert run.model.item_table.shape == (61, 8)
    assert list((tmp_path / "run" / "tensorboard").iterdir())
    assert f"python evaluate.py --run_dir {tmp_path / 'run'}" in capsys.readouterr().out


def test_more_negatives_than_items_are_noted(toy_dataset, tmp_path, capsys):
    for name, negatives, noted in (("few", "60", False), ("many", "61", True)):
        flags = ["--remi", "--num_negatives", negatives, "--max_steps", "1"]
        assert train(toy_dataset, tmp_path / name, *flags) == 0
        assert ("draws more than the 60 items" in capsys.readouterr().out) == noted


def test_two_runs_of_one_seed_are_equal_and_of_two_seeds_are_not(toy_dataset, tmp_path):
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        train(toy_dataset, tmp_path / name, "--remi", "--max_steps", "40", "--seed", seed)
    assert_same_run(tmp_path / "a", tmp_path / "b")
    assert measurements(tmp_path / "a") != measurements(tmp_path / "c")


@pytest.mark.parametrize(("seconds", "flags"), [(0.0, []), (0.35, ["--average_steps", "50"]), (0.8, [])])
def test_a_killed_and_resumed_run_equals_one_never_interrupted(toy_dataset, tmp_path, seconds, flags):
    """SIGKILL at an arbitrary moment after the first validation."""
    options = ["--max_steps", "4000", "--patience", "1000", *flags]
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    process = subprocess.Popen(
        command("--dataset", toy_dataset, "--run_dir", killed, *SMALL, *options), stderr=subprocess.DEVNULL
    )
    while not (killed / "metrics.jsonl").exists():
        time.sleep(0.05)
        assert process.poll() is None
    time.sleep(seconds)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    reached = measurements(killed)[-1]["step"]
    # The budget is shortened so that the test is short; the run cannot know it.
    budget = str(reached + 60)
    assert main(["--resume", "--run_dir", str(killed), "--max_steps", budget]) == 0
    assert train(toy_dataset, whole, *options[2:], "--max_steps", budget) == 0
    assert_same_run(killed, whole)


def test_ctrl_c_saves_and_says_how_to_resume(toy_dataset, tmp_path):
    run = tmp_path / "run"
    process = subprocess.Popen(
        command("--dataset", toy_dataset, "--run_dir", run, *SMALL, "--max_steps", "1000000", "--patience", "1000000"),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    while not (run / "metrics.jsonl").exists():
        time.sleep(0.05)
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    stopped = int(re.search(r"Stopped at step ([\d,]+)", output)[1].replace(",", ""))
    assert f"python train.py --resume --run_dir {run}" in output
    budget = str(stopped + 40)
    assert main(["--resume", "--run_dir", str(run), "--max_steps", budget]) == 0
    train(toy_dataset, tmp_path / "whole", "--patience", "1000000", "--max_steps", budget)
    assert_same_run(run, tmp_path / "whole")


def test_training_stops_when_patience_is_exceeded_and_stays_stopped(toy_dataset, tmp_path):
    train(toy_dataset, tmp_path / "run", "--learning_rate", "1e-12", "--patience", "2", "--max_steps", "10000")
    steps = [line["step"] for line in measurements(tmp_path / "run")]
    assert steps == [20, 40, 60, 80]  # the best at once, then three without improvement: more than two
    main(["--resume", "--run_dir", str(tmp_path / "run")])
    assert [line["step"] for line in measurements(tmp_path / "run")] == steps


def test_the_best_weights_are_kept_not_the_last(toy_dataset, tmp_path):
    train(toy_dataset, tmp_path / "run", "--remi", "--max_steps", "300", "--learning_rate", "0.03")
    scores = {line["step"]: line["valid_recall@50"] for line in measurements(tmp_path / "run")}
    best = max(scores.values())
    assert load_saved_run(tmp_path / "run").step == min(step for step, score in scores.items() if score == best)


def test_the_averaged_weights_are_validated_and_saved_and_training_goes_on_from_its_own(toy_dataset, tmp_path):
    for name, flags in (("plain", []), ("averaged", ["--average_steps", "30"])):
        train(toy_dataset, tmp_path / name, "--max_steps", "60", *flags)
    plain, averaged = (measurements(tmp_path / name) for name in ("plain", "averaged"))
    assert [line["loss_softmax"] for line in averaged] == [line["loss_softmax"] for line in plain]
    run, last = load_saved_run(tmp_path / "averaged"), newest_state(tmp_path / "plain")
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


def test_the_part_that_blew_up_first_is_named(toy_dataset, tmp_path):
    with pytest.raises(TrainingDiverged, match="step 1: the loss part 'rr'"):
        train(toy_dataset, tmp_path / "run", "--rr_lambda", "1e41", "--max_steps", "100")


def test_after_a_divergence_the_run_goes_on_from_its_checkpoint_with_a_smaller_learning_rate(toy_dataset, tmp_path):
    run = tmp_path / "run"
    train(toy_dataset, run, "--max_steps", "40")
    with pytest.raises(TrainingDiverged, match="ckpt-40 is untouched: go on from it with --resume"):
        main(["--resume", "--run_dir", str(run), "--max_steps", "100", "--learning_rate", "1e38"])
    assert main(["--resume", "--run_dir", str(run), "--learning_rate", "1e-4"]) == 0
    assert measurements(run)[-1]["step"] == 100
    assert load_saved_run(run).settings.training.learning_rate == 1e-4  # what ran is what the config says


def test_a_longer_budget_given_on_resume_is_remembered(toy_dataset, tmp_path):
    run = tmp_path / "run"
    train(toy_dataset, run, "--max_steps", "20")
    main(["--resume", "--run_dir", str(run), "--max_steps", "40"])
    assert json.loads((run / "config.json").read_text())["settings"]["training"]["max_steps"] == 40


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


def test_settings_that_cannot_be_built_cost_no_earlier_run(toy_dataset, tmp_path):
    run = tmp_path / "run"
    train(toy_dataset, run, "--max_steps", "20")
    with pytest.raises(InputError, match="--first_target"):
        train(toy_dataset, run, "--first_target", "500", "--overwrite")
    assert load_saved_run(run).step == 20


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


def test_resume_keeps_the_runs_settings(toy_dataset, tmp_path):
    train(toy_dataset, tmp_path / "run", "--max_steps", "20")
    with pytest.raises(InputError, match="leave out --beta"):
        main(["--resume", "--run_dir", str(tmp_path / "run"), "--beta", "2"])
    with pytest.raises(InputError, match="needs --run_dir"):
        main(["--resume"])
    with pytest.raises(InputError, match="leave out --recipe"):
        main(["--resume", "--run_dir", str(tmp_path / "run"), "--profile", "released"])


def test_a_finished_run_does_not_take_settings_that_would_train_nothing(toy_dataset, tmp_path):
    run = tmp_path / "run"
    train(toy_dataset, run, "--max_steps", "20")
    config = (run / "config.json").read_bytes()
    for flags in (["--learning_rate", "0.1"], ["--max_steps", "10"], ["--learning_rate", "0.1", "--max_steps", "20"]):
        with pytest.raises(InputError, match=r"over at step 20.*larger --max_steps .*--warm_start"):
            main(["--resume", "--run_dir", str(run), *flags])
    assert main(["--resume", "--run_dir", str(run)]) == 0
    assert (run / "config.json").read_bytes() == config


def test_an_interval_that_is_no_multiple_of_the_steps_per_call_is_kept(toy_dataset, tmp_path):
    train(toy_dataset, tmp_path / "run", "--eval_every", "73", "--max_steps", "150")
    assert [line["step"] for line in measurements(tmp_path / "run")] == [73, 146, 150]


def test_training_uses_the_first_validation_users_when_asked(toy_dataset, tmp_path):
    train(toy_dataset, tmp_path / "run", "--max_steps", "20", "--eval_users", "3")
    run = load_saved_run(tmp_path / "run")
    assert Trainer(tmp_path / "run", run.settings, run.dataset).validation.num_users == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--modle_type", "SA"], "unknown flag --modle_type; did you mean --model_type?"),
        (["--model_type", "SAA"], "--model_type 'SAA': did you mean SA?"),
        (["--dataset", "nowhere"], "python data/prepare.py --output data/nowhere"),
        (["--dataset", str(ROOT / "README.md")], "this is a raw log"),
        (["--batch_size", "0"], "--batch_size 0: must be 1 or more"),
        (["--learning_rate", "nan"], "--learning_rate nan"),
        (["--beta", "1", "--sampler", "log_uniform"], "IHN reweights uniform negatives"),
        (["--num_negatives", "61"], "61 distinct negatives cannot be drawn from 60"),
    ],
)
def test_misuse_ends_with_one_line_and_leaves_no_run_behind(toy_dataset, tmp_path, arguments, message):
    where = ["--run_dir", str(tmp_path / "run")]
    result = subprocess.run(
        command("--dataset", toy_dataset, *where, *arguments),
        capture_output=True,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    assert result.returncode == 2
    assert message in result.stderr.splitlines()[-1] and result.stderr.splitlines()[-1].startswith("error: ")
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "run").exists()
