"""evaluate.py --compare: two systems, with one run or several seeds each."""

import json
import types
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from remi_tf.commands import evaluate as evaluating
from remi_tf.data.dataset.folder import load_dataset
from remi_tf.errors import InputError
from remi_tf.evaluation.evaluate import evaluate
from remi_tf.settings.settings import Settings
from tests.evaluation_toys import TinyModel


class SmallModel(TinyModel):
    max_history = 5


@pytest.fixture
def runs(tmp_path, monkeypatch, toy_dataset):
    """Folders of runs by name, and their models: "other" is of another dataset, "apart" leaves the history out."""
    dataset = load_dataset(toy_dataset)
    models = {name: SmallModel(seed) for seed, name in enumerate(("0", "1", "2", "other", "apart"))}
    for name in models:
        (tmp_path / name).mkdir()
    models["old"] = models["2"]
    (tmp_path / "old").mkdir()

    def load(path, **_):
        return types.SimpleNamespace(model=models[path.name], dataset=dataset, step=7, path=path)

    def config(path, check):
        other = path.name == "other"
        return types.SimpleNamespace(
            name="other" if other else "toy",
            fingerprint="f" * 64 if other else dataset.fingerprint,
            settings=Settings().replace(exclude_history="yes" if path.name == "apart" else "no"),
            repeats=None if path.name == "old" else dataset.repeats,
        )

    monkeypatch.setattr("remi_tf.training.run_folder.load_saved_run", load)
    monkeypatch.setattr("remi_tf.training.run_config.read_run_config", config)
    monkeypatch.setattr("remi_tf.training.run_folder.read_config", lambda path: (None, dataset))
    monkeypatch.chdir(tmp_path)
    return types.SimpleNamespace(models=models, dataset=dataset)


def test_seeds_are_averaged_and_every_metric_is_tested_over_users(runs, capsys):
    assert evaluating.main(["--compare", "0,1", "2", "--top_n", "5,10", "--json", "compared.json"]) == 0
    printed = capsys.readouterr().out.splitlines()
    per_user = {name: evaluate(model, runs.dataset.test, (5, 10)).per_user for name, model in runs.models.items()}
    report = json.loads(Path("compared.json").read_text())
    for metric in per_user["2"]:
        a, b = (per_user["0"][metric] + per_user["1"][metric]) / 2, per_user["2"][metric]
        found = report["metrics"][metric]
        assert found["difference"] == pytest.approx(a.mean() - b.mean())
        assert found["users"] == len(a)
        if (a != b).any():
            assert found["p"] == pytest.approx(stats.ttest_rel(a, b).pvalue)
    assert "novelty@10" in report["metrics"] and "diversity@10" not in report["metrics"]  # there are no categories
    assert report["compare"] == {"A": ["0", "1"], "B": ["2"]} and report["steps"] == {"A": [7, 7], "B": [7]}
    assert report["dataset"] == {"name": "toy", "fingerprint": runs.dataset.fingerprint}
    assert printed[:2] == ["A: 0 (step 7), 1 (step 7)", "B: 2 (step 7)"]
    line = next(line.split() for line in printed if line.startswith("recall@10"))
    assert line[1:3] == [f"{report['metrics']['recall@10'][side]:.4f}" for side in ("mean_a", "mean_b")]


def test_the_share_of_repeats_that_an_older_run_has_not_is_measured(runs, capsys):
    assert evaluating.main(["--compare", "0", "old", "--exclude_history", "auto"]) == 0
    assert f"{runs.dataset.repeats:.1%} of targets repeat" in capsys.readouterr().out


def test_both_sides_are_evaluated_with_the_same_flags(runs, capsys):
    flags = ["--compare", "0", "1", "--top_n", "10", "--exclude_history", "--split", "valid", "--json", "compared.json"]
    assert evaluating.main(flags) == 0
    printed = capsys.readouterr().out
    assert "history left out of the lists" in printed and "users of valid" in printed
    found = json.loads(Path("compared.json").read_text())["metrics"]["recall@10"]
    expected = [evaluate(runs.models[name], runs.dataset.valid, (10,), True).means["recall@10"] for name in "01"]
    assert [found["mean_a"], found["mean_b"]] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            ["--compare", "0", "other"],
            r"0 was trained on toy \(fingerprint .*only runs on the same data can be compared",
        ),
        (
            ["--compare", "0", "apart"],
            r"the runs differ in exclude_history \(0 no, apart yes\); give --exclude_history",
        ),
        (["--compare", "0", "nowhere"], "--compare nowhere: there is no such folder"),
        (["--compare", "0,", "1"], "'0,': give a run folder, or several separated by commas"),
        (["--compare", "0,1", "./0"], "0: given twice; give each run once"),
        (["--compare", "0"], "--compare: expected 2 arguments"),
        (["--compare", "0", "1", "--segments"], "--segments is about one run; leave it out with --compare"),
        (["--compare", "0", "1", "--per_user", "x.npz"], "--per_user is about one run"),
        (["--compare", "0", "1", "--diversity", "0.1"], "--diversity is about one run"),
        ([], "one of the arguments --run_dir --compare is required"),
    ],
)
def test_what_cannot_be_compared_is_refused(runs, flags, message):
    with pytest.raises(InputError, match=message):
        evaluating.main(flags)


def test_a_json_of_another_comparison_is_kept(runs):
    flags = ["--top_n", "5", "--json", "compared.json"]
    assert evaluating.main(["--compare", "0", "1", *flags]) == 0
    with pytest.raises(InputError, match=r"compared\.json: holds an evaluation with compare"):
        evaluating.main(["--compare", "0", "2", *flags])
    assert evaluating.main(["--compare", "0", "2", *flags, "--overwrite"]) == 0
    assert np.isfinite(json.loads(Path("compared.json").read_text())["metrics"]["recall@5"]["p"])
