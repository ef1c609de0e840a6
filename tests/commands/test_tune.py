"""tune as a user runs it: what it prints and leaves, and what it refuses before anything trains."""

import importlib.util
import json
import re
import shlex

import pytest

from remi_tf.commands import tune
from remi_tf.commands.tune import main, trial_line, trial_table
from remi_tf.errors import InputError
from remi_tf.tuning.records import Record
from tests.small_runs import SMALL
from train import main as train

GRID = {"learning_rate": [0.02, 0.0005]}


@pytest.fixture
def flags(toy_dataset, tmp_path):
    """A function from a space and more flags to a command line."""

    def made(space, *more):
        path = tmp_path / "space.json"
        path.write_text(json.dumps(space))
        return ["--dataset", str(toy_dataset), "--space", str(path), "--study_dir", str(tmp_path / "study"), *more]

    return made


@pytest.mark.trains
def test_a_search_prints_its_trials_and_a_command_that_trains_the_best_one_again(flags, tmp_path, capsys):
    line = flags(GRID, *SMALL, "--max_steps", "40")
    assert main(line) == 0
    printed = capsys.readouterr().out
    assert "Search (grid, 2 trials)" in printed and "learning_rate: 0.02, 0.0005" in printed
    assert len(re.findall(r"^trial [01]  learning_rate \S+  complete  0\.\d{4} at step \d+", printed, re.M)) == 2
    written = json.loads((tmp_path / "study" / "trials.json").read_text())
    best = written["trials"][written["best"]]
    assert f"Best: trial {best['number']}, validation recall@50 {best['score']:.4f}" in printed
    assert [path.name for path in (tmp_path / "study" / "trials").iterdir()] == [f"{best['number']:04d}"]
    again = shlex.split(printed.splitlines()[-1])
    assert again[:2] == ["python", "train.py"] and train(again[2:]) == 0
    assert f"best validation recall@50 {best['score']:.4f} at step {best['best_step']}" in capsys.readouterr().out
    assert main(line) == 0  # nothing is left to do
    assert f"Best: trial {best['number']}" in capsys.readouterr().out
    with pytest.raises(InputError, match=r"study with --search grid, and now it is tpe"):
        main([*line, "--search", "tpe"])
    with pytest.raises(InputError, match=r"study with --max_steps 40, and now it is 60"):
        main([*line[:-1], "60"])


REFUSED = [
    (["--learning_rate", "0.1"], r"--learning_rate: .*space.json searches it too; leave out the flag"),
    (["--trials", "0"], r"--trials 0: must be 1 or more"),
    (["--model_type", "SAA"], r"^--model_type 'SAA': did you mean SA\?"),
    (["--trails", "3"], r"unknown flag --trails; did you mean --trials\?"),
    (["--space", "beta"], r"^--space beta: beta 0\.1: .*--sampler uniform"),
    (["--space", "nothing"], r"--space nothing: no such file, and no name of a space"),
    (
        ["--space", "default", "--search", "grid"],
        r"--search grid: --space default has a range for learning_rate; give a",
    ),
    (["--model_type", "ItemKNN"], r"space.json: learning_rate 0\.02: --learning_rate 0\.02: ItemKNN is counted"),
]


@pytest.mark.parametrize(("more", "message"), REFUSED)
def test_misuse_is_refused_and_leaves_nothing(flags, tmp_path, more, message):
    with pytest.raises(InputError, match=message):
        main(flags(GRID, *more))
    assert not (tmp_path / "study").exists()


def test_without_optuna_one_line_says_how_to_install_it(flags, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r'^the search needs Optuna.*: pip install "remi_tf\[tune\]"$'):
        main(flags(GRID))


@pytest.mark.parametrize(
    ("space", "more", "expected"),
    [
        (GRID, [], ("grid", 2)),
        (GRID, ["--trials", "9"], ("grid", 2)),
        (GRID, ["--trials", "1"], ("tpe", 1)),
        (GRID, ["--trials", "1", "--search", "grid"], ("grid", 1)),
        (GRID, ["--search", "random"], ("random", 30)),
        ({"learning_rate": {"low": 0.1, "high": 0.2}}, [], ("tpe", 30)),
    ],
)
def test_a_grid_is_the_default_where_all_of_it_can_be_tried(flags, space, more, expected):
    settings = vars(tune._parser().parse_args(flags(space, *more)))
    given = tune.argparse.Namespace(**{name: settings.pop(name) for name in tune.NOT_SETTINGS})
    request, _, trials = tune._read(given, settings)
    assert (request.search, trials) == expected


def test_the_train_command_has_every_flag_in_full(toy_dataset, flags):
    settings = ["--remi", "--recipe", "paper", "--no-mask_accidental_hits", "--model_type", "REMI"]
    parsed = vars(tune._parser().parse_args(flags({"beta": [1 / 3]}, *settings)))
    given = tune.argparse.Namespace(**{name: parsed.pop(name) for name in tune.NOT_SETTINGS})
    request, path, _ = tune._read(given, parsed)
    words = shlex.split(request.train_command({"beta": 1 / 3}, path))
    assert words[2:] == [
        *("--dataset", str(toy_dataset), "--remi", "--recipe", "paper", "--model_type", "REMI"),
        *("--no-mask_accidental_hits", "--beta", "0.3333333333333333", "--run_dir", str(path)),
    ]


def test_trials_are_shown_best_first_with_what_became_of_them():
    trials = [
        Record(0, "complete", {"beta": 1 / 3, "num_interests": 2}, 0.25, 2000, {}),
        Record(1, "failed", {"beta": 4.0, "num_interests": 4}, None, None, {}, reason="step 7: not finite"),
        Record(2, "complete", {"beta": 2.0, "num_interests": 4}, 0.5, 1000, {}),
        Record(3, "pruned", {"beta": 1.0, "num_interests": 4}, 0.125, 1000, {}),
        Record(4, "complete", {"beta": 2.0, "num_interests": 4}, 0.5, 1000, {}, same_as=2),
    ]
    rows = [line.split() for line in trial_table(trials, "recall@50").splitlines()]
    assert [row[1] for row in rows[1:]] == ["2", "4", "0", "3", "1"]
    assert rows[3] == ["trial", "0", "0.3333", "2", "0.2500", "2,000", "complete"]
    assert trial_line(trials[0], True) == "trial 0  beta 0.3333  num_interests 2  complete  0.2500 at step 2,000 *"
    assert trial_line(trials[1], False).endswith("failed: step 7: not finite")
    assert trial_line(trials[4], False).endswith("complete  0.5000 at step 1,000 (the settings of trial 2)")
