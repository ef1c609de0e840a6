"""train.py as a user runs it: what it prints, what it leaves behind, and what ends it."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from remi_tf.commands.evaluate import main as evaluate
from remi_tf.commands.export import main as export
from remi_tf.commands.recommend import main as recommend
from remi_tf.errors import InputError
from remi_tf.settings.names import known_settings
from remi_tf.training.run_folder import load_saved_run
from tests.small_runs import ROOT, SMALL, assert_same_run, command, measurements, train
from train import main

pytestmark = pytest.mark.trains


def test_training_learns_and_leaves_everything_a_user_needs(toy_dataset, tmp_path, capsys):
    flags = ["--remi", "--init", "random", "--max_steps", "400", "--eval_every", "100", "--learning_rate", "0.003"]
    assert train(toy_dataset, tmp_path / "run", *flags) == 0
    losses = [line["loss_softmax"] for line in measurements(tmp_path / "run")]
    assert [line["step"] for line in measurements(tmp_path / "run")] == [100, 200, 300, 400]
    assert losses[-1] < 0.96 * losses[0]
    run = load_saved_run(tmp_path / "run")
    assert run.settings.objective.beta == 1 and run.settings.objective.rr_lambda > 0
    assert run.model.item_table.shape == (61, 8)
    assert list((tmp_path / "run" / "tensorboard").iterdir())
    assert f"python evaluate.py --run_dir {tmp_path / 'run'}" in capsys.readouterr().out


def test_more_negatives_than_items_are_noted(toy_dataset, tmp_path, capsys):
    for name, negatives, noted in (("few", "60", False), ("many", "61", True)):
        flags = ["--remi", "--boost", "none", "--num_negatives", negatives, "--max_steps", "1"]
        assert train(toy_dataset, tmp_path / name, *flags) == 0
        assert ("draws more than the 60 items" in capsys.readouterr().out) == noted


@pytest.mark.parametrize(
    ("seconds", "flags"),
    [
        (0.35, ["--average_steps", "50"]),
        *(pytest.param(seconds, [], marks=pytest.mark.slow) for seconds in (0.0, 0.8)),
    ],
)
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


STRANGE = "layers=[1,2] *? {a} \\\\b"


@pytest.mark.slow
def test_a_run_folder_with_brackets_and_backslashes_works_in_every_command(toy_dataset, tmp_path, capsys):
    run = tmp_path / STRANGE / "sa[1]"
    assert train(toy_dataset, run, "--max_steps", "60") == 0
    assert len(list((run / "checkpoints").glob("*.index"))) == 2  # old ones are deleted
    assert evaluate(["--run_dir", str(run)]) == 0
    assert recommend(["--run_dir", str(run), "--history", "item-3"]) == 0
    assert export(["--run_dir", str(run), "--export_dir", str(tmp_path / STRANGE / "export")]) == 0
    assert main(["--resume", "--run_dir", str(run), "--max_steps", "80"]) == 0
    said = capsys.readouterr().out
    assert "Resuming" in said and "Nothing is left to train" not in said
    assert main(["--resume", "--run_dir", str(run)]) == 0
    assert "Nothing is left to train; a larger --max_steps" in capsys.readouterr().out
    train(toy_dataset, tmp_path / "plain", "--max_steps", "80")
    (tmp_path / "link").symlink_to(run)
    assert_same_run(tmp_path / "link", tmp_path / "plain")
    warm = ["--warm_start", str(run), "--dataset", str(toy_dataset), "--run_dir", str(tmp_path / "a[b]")]
    assert main([*warm, "--max_steps", "20"]) == 0


def test_no_verify_is_said_and_opens_what_the_check_refuses(toy_dataset, tmp_path, capsys):
    run = tmp_path / "run"
    train(toy_dataset, run, "--max_steps", "20")
    (run / "items.txt").write_text((run / "items.txt").read_text().replace("item-1\n", "item-x\n"))
    commands = [(evaluate, []), (recommend, ["--history", "item-3"]), (export, []), (main, ["--resume"])]
    for run_command, flags in commands:
        with pytest.raises(InputError, match=r"items.txt: .*copy it from .*toy, or train again"):
            run_command(["--run_dir", str(run), *flags])
    assert "not verified" not in capsys.readouterr().out
    for run_command, flags in commands:
        assert run_command(["--run_dir", str(run), *flags, "--no_verify"]) == 0
        assert capsys.readouterr().out.count("not verified (--no_verify)") == 1


def test_two_that_resume_one_run_do_not_mix(toy_dataset, tmp_path):
    run = tmp_path / "run"
    train(toy_dataset, run, "--max_steps", "40")
    line = command("--resume", "--run_dir", run, "--max_steps", "400", "--patience", "1000")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(line, **quiet) for _ in range(2)]
    ends = [(process.communicate()[1], process.returncode) for process in processes]
    assert sorted(code for _, code in ends) == [0, 2]
    (refused,) = [stderr.splitlines()[-1] for stderr, code in ends if code == 2]
    assert re.search(r"error: .*: process \d+ on .* is training this run", refused)
    steps = [line["step"] for line in measurements(run)]
    assert steps == list(range(20, 401, 20))


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
