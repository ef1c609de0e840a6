"""The table of results: its figures, how it grows, and what it refuses."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
import quality_table

from remi_tf.errors import InputError

ABOUT = {"dataset": "toy", "fingerprint": "aaaa", "split": "test", "max_steps": 100, "eval_every": 50, "patience": 3}
ABOUT |= {"exclude_history": False, "top_n": [20, 50]}


def result(recall: float, **others) -> dict:
    figures = {"best_step": 50, "steps": 100, "seconds": 9.0, "ms_per_step": 2.0, "parameters": 12_345}
    return dict.fromkeys(quality_table.metrics_at((20, 50)), recall) | figures | others


def test_the_table_has_mean_and_deviation_over_seeds():
    rows = {"`SA`": [result(0.1), result(0.2, seconds=11.0)], "`Pop`": [result(0.05, ms_per_step=None)]}
    head, line, of_two, of_one = quality_table.markdown(rows).splitlines()
    assert head.startswith("| system | recall@20 |") and head.count("|") == line.count("|") == of_two.count("|")
    assert of_two.startswith("| `SA` | .1500 ± .0707 |") and of_two.endswith("| 2 | 50 | 100 | 10 | 2.0 | 12,345 |")
    assert of_one.startswith("| `Pop` | .0500 |") and of_one.endswith("| 1 | 50 | 100 | 9 | – | 12,345 |")


def test_a_table_grows_by_system_and_seed_and_never_mixes_budgets_or_data(tmp_path):
    for system, seed, recall in (("SA", 2, 0.2), ("DNN", 1, 0.3), ("SA", 1, 0.1), ("DNN", 1, 0.4)):
        quality_table.Table(tmp_path / "t", ABOUT).add(system, seed, result(recall))
    systems = json.loads((tmp_path / "t.json").read_text())["systems"]
    recalls = {name: {seed: run["recall@50"] for seed, run in seeds.items()} for name, seeds in systems.items()}
    assert recalls == {"SA": {"1": 0.1, "2": 0.2}, "DNN": {"1": 0.4}}
    assert "| `SA` | .1500 ± .0707 |" in (tmp_path / "t.md").read_text()
    tables = [quality_table.Table(tmp_path / "t", ABOUT) for _ in range(2)]  # two commands at a time
    for seed, table in enumerate(tables):
        table.add("Pop", seed, result(0.5))
    assert list(json.loads((tmp_path / "t.json").read_text())["systems"]["Pop"]) == ["0", "1"]
    with pytest.raises(InputError, match="results with max_steps 100, this command has 200; take another --output"):
        quality_table.Table(tmp_path / "t", ABOUT | {"max_steps": 200})
    with pytest.raises(InputError, match="fingerprint aaaa, this command has bbbb"):
        quality_table.Table(tmp_path / "t", ABOUT | {"fingerprint": "bbbb"})
    of_an_older_version = json.loads((tmp_path / "t.json").read_text())
    del of_an_older_version["exclude_history"], of_an_older_version["top_n"]
    (tmp_path / "t.json").write_text(json.dumps(of_an_older_version))
    quality_table.Table(tmp_path / "t", ABOUT)
    with pytest.raises(InputError, match="with exclude_history False, this command has True; take another --output"):
        quality_table.Table(tmp_path / "t", ABOUT | {"exclude_history": True})


def test_a_table_has_the_cut_offs_that_are_asked_for(tmp_path):
    about = ABOUT | {"top_n": [5]}
    figures = result(0.1) | {"recall@5": 0.03, "hit_rate@5": 0.04, "ndcg@5": 0.02}
    quality_table.Table(tmp_path / "t", about).add("SA", 1, figures)
    head, _, row, *_ = (tmp_path / "t.md").read_text().splitlines()
    assert head.startswith("| system | recall@5 | hit_rate@5 | ndcg@5 | seeds |")
    assert row.startswith("| `SA` | .0300 | .0400 | .0200 | 1 |")
    with pytest.raises(InputError, match=r"results with top_n \[5\], this command has \[20, 50\]"):
        quality_table.Table(tmp_path / "t", ABOUT)


def test_two_processes_that_grow_one_table_lose_no_row(tmp_path):
    code = (
        "import sys; sys.path.insert(0, 'benchmarks')\n"
        "import quality_table; from pathlib import Path\n"
        f"table = quality_table.Table(Path(sys.argv[1]), {ABOUT!r})\n"
        f"for seed in range(15): table.add(sys.argv[2], seed, {result(0.1)!r})"
    )
    root = Path(__file__).resolve().parents[2]
    both = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "t"), name], cwd=root) for name in "AB"]
    assert [process.wait(120) for process in both] == [0, 0]
    systems = json.loads((tmp_path / "t.json").read_text())["systems"]
    assert {name: len(seeds) for name, seeds in systems.items()} == {"A": 15, "B": 15}
    assert sorted(file.name for file in tmp_path.iterdir()) == ["t.json", "t.md"]


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"systems": 3}'])
def test_a_damaged_table_is_refused_in_one_line(tmp_path, text):
    (tmp_path / "t.json").write_text(text)
    with pytest.raises(InputError, match=r"t\.json: .*take another --output, or remove it"):
        quality_table.Table(tmp_path / "t", ABOUT)
