"""train.py as a user runs it: what it prints, what it leaves behind, and what ends it."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from remi_tf.errors import InputError
from remi_tf.settings.names import known_settings
from remi_tf.training.run_folder import load_saved_run
from tests.small_runs import ROOT, SMALL, assert_same_run, command, measurements, train
from train import main

pytestmark = pytest.mark.trains


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


def test_resume_keeps_the_runs_settings(toy_dataset, tmp_path):
    train(toy_dataset, tmp_path / "run", "--max_steps", "20")
    with pytest.raises(InputError, match="leave out --beta"):
        main(["--resume", "--run_dir", str(tmp_path / "run"), "--beta", "2"])
    with pytest.raises(InputError, match="needs --run_dir"):
        main(["--resume"])
    with pytest.raises(InputError, match="leave out --recipe"):
        main(["--resume", "--run_dir", str(tmp_path / "run"), "--profile", "released"])


MISTAKES = [
    (["--modle_type", "SA"], "unknown flag --modle_type; did you mean --model_type?"),
    (["--model_type", "SAA"], "--model_type 'SAA': did you mean SA?"),
    (["--dataset", "nowhere"], "python data/prepare.py --output data/nowhere"),
    (["--dataset", str(ROOT / "README.md")], "this is a raw log"),
    (["--batch_size", "0"], "--batch_size 0: must be 1 or more"),
    (["--learning_rate", "nan"], "--learning_rate nan"),
    (["--beta", "1", "--sampler", "log_uniform"], "IHN reweights uniform negatives"),
    (["--num_negatives", "61"], "61 distinct negatives cannot be drawn from 60"),
]
EACH_ENDED = """
import contextlib, io, json, sys
from remi_tf.commands.cli import run_main
from train import main

ended = []
for arguments in json.load(sys.stdin):
    sys.argv, stderr = ["train.py", *arguments], io.StringIO()
    with contextlib.redirect_stderr(stderr):
        try:
            run_main(main)
        except SystemExit as end:
            ended.append((end.code, stderr.getvalue()))
json.dump(ended, sys.stdout)
"""


@pytest.fixture(scope="module")
def mistakes(toy_dataset, tmp_path_factory):
    """Message → exit code, stderr and run folder of the command line with this mistake; one process makes them all."""
    work = tmp_path_factory.mktemp("mistakes")
    folders = [work / f"run {number}" for number in range(len(MISTAKES))]
    lines = [
        ["--dataset", str(toy_dataset), "--run_dir", str(folder), *arguments]
        for folder, (arguments, _) in zip(folders, MISTAKES, strict=True)
    ]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", EACH_ENDED]
    result = subprocess.run(
        command, input=json.dumps(lines), stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment, check=True
    )
    ended = json.loads(result.stdout)
    return {message: (*end, folder) for end, folder, (_, message) in zip(ended, folders, MISTAKES, strict=True)}


@pytest.mark.parametrize("message", [message for _, message in MISTAKES])
def test_misuse_ends_with_one_line_and_leaves_no_run_behind(mistakes, message):
    code, stderr, folder = mistakes[message]
    assert code == 2
    assert message in stderr.splitlines()[-1] and stderr.splitlines()[-1].startswith("error: ")
    assert "Traceback" not in stderr
    assert not folder.exists()


def test_a_mistake_at_the_command_line_exits_with_2_and_one_line(toy_dataset, tmp_path):
    flags = ["--num_negatives", "61"]
    result = subprocess.run(
        command("--dataset", toy_dataset, "--run_dir", tmp_path / "run", *flags),
        capture_output=True,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    assert result.returncode == 2
    assert result.stderr.splitlines()[-1].startswith("error: --num_negatives 61")
    assert "Traceback" not in result.stderr and not (tmp_path / "run").exists()


def test_refusals_come_before_tensorflow_is_loaded_and_any_dataset_is_read():
    code = (
        "import sys; sys.argv = ['train.py']; import train\n"
        "try: train.main(['--dataset', 'nowhere', '--model_type', 'DNN', '--remi'])\n"
        "except Exception as error: print(type(error).__name__, error, 'tensorflow' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert result.stdout.startswith("InputError --remi:") and result.stdout.rstrip().endswith("False")


def test_help_states_every_default():
    text = subprocess.run([sys.executable, str(ROOT / "train.py"), "--help"], capture_output=True, text=True).stdout
    for name in known_settings():
        assert f"--{name}" in text
    assert text.count("(default:") >= len(known_settings())
