"""The main job by the documented commands: raw file → dataset → training → test metrics → recommendation."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.trains

ROOT = Path(__file__).resolve().parents[1]
LOGS = ["ml-100k", "ml-1m", "amazon-books-sample", "retailrocket-sessions", "gowalla-sample", "yelp-2019", "globo-news"]


def run(work: Path, *command: str) -> str:
    """Run one of the project's scripts in an empty folder, as `python SCRIPT …`."""
    script, *arguments = command
    result = subprocess.run([sys.executable, str(ROOT / script), *arguments], cwd=work, capture_output=True, text=True)
    assert result.returncode == 0, f"{' '.join(command)}\n{result.stdout}\n{result.stderr}"
    return result.stdout


def documented_prepare(log: str, raw: Path) -> list[str]:
    """The command that data/README.md gives for a log, with RAW and $C filled in."""
    text = (ROOT / "data" / "README.md").read_text(encoding="utf-8").replace("\\\n", " ")
    columns = re.search(r'^ +C="(.*)"$', text, re.M)[1]
    line = re.search(rf"^ +python (data/prepare.py .*RAW/{log}/.*)$", text, re.M)[1]
    return shlex.split(line.replace("RAW", str(raw)).replace("$C", columns))


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize("log", LOGS)
def test_a_real_log_goes_from_its_raw_file_to_test_metrics_by_the_documented_commands(shared_dir, tmp_path, log):
    run(tmp_path, *documented_prepare(log, shared_dir / "data"))
    options = ["--max_steps", "2000", "--eval_every", "1000", "--run_dir", "runs/it"]
    run(tmp_path, "train.py", "--dataset", log, "--model_type", "SA", "--remi", *options)
    run(tmp_path, "evaluate.py", "--run_dir", "runs/it", "--top_n", "20,50")
    metrics = json.loads((tmp_path / "runs" / "it" / "evaluation_test.json").read_text())["metrics"]
    print(log, metrics)
    assert metrics["model"]["recall@50"] > 1.2 * metrics["MostPopular"]["recall@50"]
    first = (tmp_path / "data" / log / "items.txt").read_text(encoding="utf-8").splitlines()[5]
    assert "rank" in run(tmp_path, "recommend.py", "--run_dir", "runs/it", "--history", first, "--top_n", "5")


@pytest.mark.slow
def test_the_synthetic_log_is_learnt_and_a_history_of_two_interests_gets_items_of_both(tmp_path):
    """The demo, smaller: planted clusters 1 and 4, item names c<cluster>i<number>."""
    run(tmp_path, "data/prepare.py", "--source", "synthetic")
    options = ["--max_steps", "1000", "--run_dir", "runs/it"]
    run(tmp_path, "train.py", "--dataset", "synthetic", "--remi", *options)
    run(tmp_path, "evaluate.py", "--run_dir", "runs/it")
    metrics = json.loads((tmp_path / "runs" / "it" / "evaluation_test.json").read_text())["metrics"]
    assert metrics["model"]["recall@50"] > 1.5 * metrics["MostPopular"]["recall@50"]
    history = ["--history", "c1i3,c1i5,c4i2,c1i9,c4i7"]
    output = run(tmp_path, "recommend.py", "--run_dir", "runs/it", *history, "--top_n", "20")
    clusters = re.findall(r"^ +\d+  c(\d+)i\d+", output, re.M)
    assert len(clusters) == 20 and min(clusters.count("1"), clusters.count("4")) >= 3
    assert clusters.count("1") + clusters.count("4") >= 16


def test_every_entry_point_explains_itself():
    environment = {**os.environ, "COLUMNS": "100"}
    scripts = ("train", "tune", "evaluate", "report", "export", "index", "recommend", "vectors")
    for script in ("data/prepare.py", *(f"{name}.py" for name in scripts)):
        command = [sys.executable, str(ROOT / script), "--help"]
        result = subprocess.run(command, capture_output=True, text=True, env=environment)
        assert result.returncode == 0 and "usage:" in result.stdout and result.stderr == "", script
