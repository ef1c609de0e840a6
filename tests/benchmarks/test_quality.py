"""The quality table: its systems, its figures, and what it does about runs that fail or are there already."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
import quality
import quality_table

from remi_tf.errors import InputError
from remi_tf.settings.presets import REMI

BUDGET = quality.Budget(100, 50, 3)
DATA = quality.Data(Path("data/toy"), "toy", "aaaa", 60, 0.3, False)


def result(recall: float, **others) -> dict:
    figures = {"best_step": 50, "steps": 100, "seconds": 9.0, "ms_per_step": 2.0, "parameters": 12_345}
    return dict.fromkeys(quality_table.metrics_at((20, 50)), recall) | figures | others


def test_a_system_is_flags_and_perhaps_seeds_of_its_own():
    assert quality.System.parse("SA --remi", (1, 2)) == quality.System(("SA", "--remi"), (1, 2))
    own = quality.System.parse("Re4 --re4_attend 1 @3,4", (1, 2))
    assert own.seeds == (3, 4) and own.name == "Re4 --re4_attend 1"
    value = quality.System.parse("SA --select recall@10", (1, 2))  # only a word that begins with @ is seeds
    assert value == quality.System(("SA", "--select", "recall@10"), (1, 2))


@pytest.mark.parametrize("system", ["SA --seed=3", "SA --max_steps 9", "SA --resume", "--remi", "", "SA @x"])
def test_a_system_that_is_none_or_sets_what_is_the_same_for_all_is_refused(system):
    with pytest.raises(InputError, match="--system"):
        quality.System.parse(system, (1,))


def test_a_failing_run_does_not_end_the_others(tmp_path, monkeypatch, capsys):
    def run(system, seed, *_):
        if (system.name, seed) == ("SA", 1):
            raise quality.RunFailed("out of memory")
        return result(seed / 10)

    monkeypatch.setattr(quality, "run", run)
    monkeypatch.setattr(quality, "find_data", lambda *_: DATA)
    output = ["--dataset", "data/toy", "--output", str(tmp_path / "v1.5"), "--seeds", "1,2"]
    assert quality.main([*output, "--system", "SA", "--system", "DNN"]) == 1
    printed = capsys.readouterr().err
    assert "SA seed 1: out of memory" in printed and "1 of 4 runs failed" in printed
    systems = json.loads((tmp_path / "v1.5.json").read_text())["systems"]
    assert {name: list(seeds) for name, seeds in systems.items()} == {"SA": ["2"], "DNN": ["1", "2"]}
    text = (tmp_path / "v1.5.md").read_text()
    assert "| `SA` | .2000 |" in text and text.endswith("\nHistory left in the lists.\n")


def test_no_jobs_are_refused(tmp_path):
    with pytest.raises(InputError, match="--jobs: '0': give a number of at least 1"):
        quality.main(["--dataset", "toy", "--output", str(tmp_path / "table"), "--system", "SA", "--jobs", "0"])


def test_a_finished_run_is_used_again_and_one_of_other_data_or_budget_refused(tmp_path, monkeypatch):
    commands = []

    def subprocess_run(command, **_):
        commands.append(Path(command[1]).name)
        flags = dict(flag.split("=", 1) for flag in command if "=" in flag)
        path = Path(flags["--run_dir"])
        path.mkdir(parents=True, exist_ok=True)
        if commands[-1] == "evaluate.py":
            recall = {"yes": 0.4, "no": 0.3}[flags["--exclude_history"]]
            evaluation = {"metrics": {"model": dict.fromkeys(quality_table.metrics_at((20, 50)), recall)}, "step": 50}
            Path(flags["--json"]).write_text(json.dumps(evaluation))
            Path(flags["--per_user"]).touch()
            return quality.subprocess.CompletedProcess(command, 0, "", "")
        metrics = [{"step": step, "time": 0.01 * step, "valid_recall@50": step / 1000} for step in (50, 100)]
        (path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in metrics))
        settings = quality.trained_with(system, 1, DATA, BUDGET).to_json()
        (path / "config.json").write_text(json.dumps({"dataset": {"fingerprint": "aaaa"}, "settings": settings}))
        return quality.subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(quality.subprocess, "run", subprocess_run)
    monkeypatch.setattr(quality, "parameters", lambda path: 7)
    system = quality.System(("SA", "--remi"), (1,))
    first = quality.run(system, 1, DATA, BUDGET, tmp_path, 1)
    assert (first["recall@50"], first["steps"], first["parameters"]) == (0.3, 100, 7)
    assert first["valid_recall@50"] == 0.1
    assert first["ms_per_step"] == pytest.approx(10)
    assert quality.run(system, 1, DATA, BUDGET, tmp_path, 1) == first
    assert commands == ["train.py", "evaluate.py"]
    without = quality.run(system, 1, replace(DATA, exclude_history=True), BUDGET, tmp_path, 1)
    assert without["recall@50"] == 0.4 and commands == ["train.py", "evaluate.py", "evaluate.py"]
    assert quality.run(system, 1, DATA, BUDGET, tmp_path, 1) == first
    at_ten = replace(DATA, top_n=(10,))
    assert quality.results(tmp_path, at_ten)[0].name == "quality_test_with_history_at_10.json"
    quality.results(quality.run_path(system, 1, DATA, tmp_path), DATA)[1].unlink()
    quality.run(system, 1, DATA, BUDGET, tmp_path, 1)
    assert commands == ["train.py", *["evaluate.py"] * 3]
    with pytest.raises(quality.RunFailed, match="trained with --max_steps 100 instead of 200; take another --runs"):
        quality.run(system, 1, DATA, quality.Budget(200, 50, 3), tmp_path, 1)
    with monkeypatch.context() as later:
        later.setitem(REMI, "beta", 2.0)  # the same flags mean something else now
        with pytest.raises(quality.RunFailed, match=r"trained with --beta 1\.0 instead of 2\.0"):
            quality.run(system, 1, DATA, BUDGET, tmp_path, 1)
    with pytest.raises(quality.RunFailed, match=r"other data \(fingerprint aaaa\) .* \(bbbb\); take another --runs"):
        quality.run(system, 1, replace(DATA, fingerprint="bbbb"), BUDGET, tmp_path, 1)


def test_a_run_that_ends_badly_tells_why(tmp_path, monkeypatch):
    failed = quality.subprocess.CompletedProcess([], 2, "", "error: no dataset here")
    monkeypatch.setattr(quality.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(quality.RunFailed, match=r"train\.py .* failed:\nerror: no dataset here"):
        quality.run(quality.System(("SA",), (1,)), 1, DATA, BUDGET, tmp_path, 1)
