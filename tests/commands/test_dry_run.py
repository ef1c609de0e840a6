"""train.py --dry_run: what it prints, and that it writes nothing."""

import pytest

from remi_tf.commands.dry_run import duration, memory_lines
from remi_tf.errors import InputError
from remi_tf.training import memory_check
from remi_tf.training.needs_memory import Part, When
from tests.small_runs import SMALL
from train import main


def dry_run(dataset, path, *flags: str) -> int:
    return main(["--dataset", str(dataset), "--run_dir", str(path), "--dry_run", *SMALL, *flags])


@pytest.mark.trains
def test_it_says_what_is_needed_and_how_long_it_takes_and_writes_nothing(toy_dataset, tmp_path, capsys):
    assert dry_run(toy_dataset, tmp_path / "run", "--remi", "--max_steps", "1000") == 0
    said = capsys.readouterr().out
    for words in (
        "Memory on CPU:0", "item table, all the time", "optimizer slots (lazy_adam)", "spectral start", "boost",
        "needed at one time", ": it fits", "steps per second; 1,000 steps", "all 50 of them",
        "Not measured: saving checkpoints, --init spectral",
    ):  # fmt: skip
        assert words in said
    assert not list(tmp_path.iterdir())


def test_what_does_not_fit_is_shown_and_then_refused(toy_dataset, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(memory_check, "available_memory", lambda: 10_000)
    with pytest.raises(InputError, match=r"training on 60 items needs about .* --embedding_dim"):
        dry_run(toy_dataset, tmp_path / "run", "--embedding_dim", "64")
    assert "too little" in capsys.readouterr().out and not list(tmp_path.iterdir())


def test_of_a_counted_model_there_is_a_table_and_no_speed(toy_dataset, tmp_path, capsys):
    flags = ["--dataset", str(toy_dataset), "--run_dir", str(tmp_path / "run"), "--dry_run"]
    assert main([*flags, "--model_type", "EASE"]) == 0
    said = capsys.readouterr().out
    assert "EASE is counted" in said and "0.1 MiB of memory" in said and "steps per second" not in said
    assert not list(tmp_path.iterdir())


def test_a_run_that_goes_on_is_not_measured(tmp_path):
    with pytest.raises(InputError, match=r"--dry_run: .*--resume"):
        main(["--resume", "--dry_run", "--run_dir", str(tmp_path)])


def test_each_device_has_its_sum_and_its_verdict():
    parts = [
        Part("weights", "GPU:0", 3 << 30),
        Part("log", "CPU:0", 5 << 20),
        Part("start", "CPU:0", 7 << 20, When.START),
    ]
    most = {"GPU:0": 3 << 30, "CPU:0": 12 << 20}
    lines = memory_lines(parts, most, {"GPU:0": 2 << 30, "CPU:0": None})
    assert lines[0] == "Memory on GPU:0, from shapes:" and lines[1].split()[:3] == ["3.0", "GiB", "weights,"]
    assert lines[2].endswith("available: 2.0 GiB: too little")
    for there, words in ((6 << 30, ": it fits"), (5 << 30, ": it may not fit")):
        assert words in memory_lines(parts, most, {"GPU:0": there, "CPU:0": None})[2]
    assert lines[-1].split()[:2] == ["12.0", "MiB"] and lines[-1].endswith("available: not known")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.25, "0.25 s"), (59, "59.0 s"), (90, "2 min"), (3600, "1 h 0 min"), (7500, "2 h 5 min"), (90_000, "1 d 1 h")],
)
def test_times_are_said_in_two_units_at_most(seconds, words):
    assert duration(seconds) == words
