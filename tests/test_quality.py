"""The quality table: its systems, its figures, and what it does about runs that fail or are there already."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))
import quality

BUDGET = quality.Budget(100, 50, 3)


def result(recall: float, **others) -> dict:
    figures = {"best_step": 50, "steps": 100, "seconds": 9.0, "ms_per_step": 2.0, "parameters": 12_345}
    return dict.fromkeys(quality.METRICS, recall) | figures | others


def test_a_system_is_flags_and_perhaps_seeds_of_its_own():
    assert quality.System.parse("SA --remi", (1, 2)) == quality.System(("SA", "--remi"), (1, 2))
    own = quality.System.parse("Re4 --re4_attend 1 @3,4", (1, 2))
    assert own.seeds == (3, 4) and own.name == "Re4 --re4_attend 1"


def test_the_table_has_mean_and_deviation_over_seeds():
    rows = {"SA": [result(0.1), result(0.2, seconds=11.0)], "Pop": [result(0.05, ms_per_step=None)]}
    head, line, of_two, of_one = quality.markdown(rows).splitlines()
    assert head.startswith("| system | recall@20 |") and head.count("|") == line.count("|") == of_two.count("|")
    assert of_two.startswith("| `SA` | .1500 ± .0707 |") and of_two.endswith("| 2 | 50 | 100 | 10 | 2.0 | 12,345 |")
    assert of_one.startswith("| `Pop` | .0500 |") and of_one.endswith("| 1 | 50 | 100 | 9 | – | 12,345 |")


def test_a_failing_run_does_not_end_the_others(tmp_path, monkeypatch, capsys):
    def run(system, seed, *_):
        if (system.name, seed) == ("SA", 1):
            raise quality.RunFailed("out of memory")
        return result(seed / 10)

    monkeypatch.setattr(quality, "run", run)
    output = ["--dataset", "data/toy", "--output", str(tmp_path / "table"), "--seeds", "1,2"]
    monkeypatch.setattr(sys, "argv", ["quality.py", *output, "--system", "SA", "--system", "DNN"])
    with pytest.raises(SystemExit, match="1 of 4 runs failed; the tables lack them"):
        quality.main()
    assert "SA seed 1: out of memory" in capsys.readouterr().err
    systems = json.loads((tmp_path / "table.json").read_text())["systems"]
    assert {name: list(seeds) for name, seeds in systems.items()} == {"SA": ["2"], "DNN": ["1", "2"]}
    assert "| `SA` | .2000 |" in (tmp_path / "table.md").read_text()


def test_a_finished_run_is_used_again_and_one_of_another_budget_refused(tmp_path, monkeypatch):
    commands = []

    def subprocess_run(command, **_):
        commands.append(Path(command[1]).name)
        path = Path(next(flag for flag in command if flag.startswith("--run_dir=")).removeprefix("--run_dir="))
        path.mkdir(parents=True, exist_ok=True)
        metrics = [{"step": step, "time": 0.01 * step} for step in (50, 100)]
        (path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in metrics))
        evaluation = {"metrics": {"model": dict.fromkeys(quality.METRICS, 0.3)}, "step": 50}
        (path / "evaluation_test.json").write_text(json.dumps(evaluation))
        return quality.subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(quality.subprocess, "run", subprocess_run)
    monkeypatch.setattr(quality, "parameters", lambda path: 7)
    system = quality.System(("SA", "--remi"), (1,))
    first = quality.run(system, 1, "data/toy", BUDGET, tmp_path, 1)
    assert (first["recall@50"], first["steps"], first["parameters"]) == (0.3, 100, 7)
    assert first["ms_per_step"] == pytest.approx(10)
    assert quality.run(system, 1, "data/toy", BUDGET, tmp_path, 1) == first
    assert commands == ["train.py", "evaluate.py"]
    with pytest.raises(quality.RunFailed, match="another budget"):
        quality.run(system, 1, "data/toy", quality.Budget(200, 50, 3), tmp_path, 1)


def test_a_run_that_ends_badly_tells_why(tmp_path, monkeypatch):
    failed = quality.subprocess.CompletedProcess([], 2, "", "error: no dataset here")
    monkeypatch.setattr(quality.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(quality.RunFailed, match=r"train\.py .* failed:\nerror: no dataset here"):
        quality.run(quality.System(("SA",), (1,)), 1, "data/toy", BUDGET, tmp_path, 1)
