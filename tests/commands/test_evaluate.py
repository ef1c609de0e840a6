"""evaluate.py: the tables, the JSON and the metrics of each user."""

import json

import numpy as np
import pytest

from remi_tf.commands import evaluate as evaluating
from remi_tf.data.dataset.folder import load_dataset, write_dataset
from remi_tf.data.dataset.vocabulary import Vocabulary
from remi_tf.errors import InputError
from remi_tf.evaluation.evaluate import evaluate
from remi_tf.evaluation.list_metrics import ItemFacts
from remi_tf.settings.settings import Settings
from tests.evaluation_toys import NUM_ITEMS, TinyModel, interactions, random_users
from tests.serving_toys import StandIn


@pytest.fixture(params=[False])
def run(request, tmp_path, monkeypatch):
    """A stand-in for a run over a small dataset, whose items have categories if the test says so."""
    parts = {name: interactions(*random_users(12, seed)) for seed, name in enumerate(("train", "valid", "test"))}
    write_dataset(
        tmp_path / "data",
        name="tiny",
        splits=parts,
        users={name: [f"{name}-{user}" for user in range(12)] for name in parts},
        vocabulary=Vocabulary([f"item {row}" for row in range(1, NUM_ITEMS + 1)]),
        made_by={},
        categories=np.concatenate([[0], 1 + np.arange(NUM_ITEMS) % 3]) if request.param else None,
        category_names=["a", "b", "c"] if request.param else None,
    )
    (tmp_path / "run").mkdir()
    parts = {"model": TinyModel(), "dataset": load_dataset(tmp_path / "data"), "step": 7, "path": tmp_path / "run"}
    run = StandIn(**parts, settings=Settings().replace(exclude_history="no"), repeats=None)
    monkeypatch.setattr("remi_tf.training.run_folder.load_saved_run", lambda path, **_: run)
    return run


def test_the_command_writes_table_json_and_per_user_arrays(run, capsys):
    arguments = ["--run_dir", str(run.path), "--top_n", "5,10", "--per_user", str(run.path / "users.npz")]
    assert evaluating.main(arguments) == 0
    printed = capsys.readouterr().out.splitlines()
    expected = evaluate(run.model, run.dataset.test, (5, 10))
    assert printed[0].split() == list(expected.means)
    assert [float(value) for value in printed[1].split()[1:]] == pytest.approx(list(expected.means.values()), abs=1e-4)
    assert printed[2].startswith("MostPopular") and printed[3].startswith("ItemKNN")
    report = json.loads((run.path / "evaluation_test_top_5_10.json").read_text())
    whole = evaluate(run.model, run.dataset.test, (5, 10), items=ItemFacts.of(run.dataset)).figures
    assert report["metrics"]["model"] == whole and whole.items() > expected.means.items()
    assert printed[4].split() == ["novelty@5", "catalogue_coverage@5", "gini@5"]
    assert sum("the data have no categories" in line for line in printed) == 1
    assert report["dataset"] == {"name": "tiny", "fingerprint": run.dataset.fingerprint}
    assert report["step"] == 7
    assert report["interests"] == expected.interests
    assert any(line.startswith("interests: cosine of two") for line in printed)
    with np.load(run.path / "users.npz", allow_pickle=False) as arrays:
        assert arrays["users"].tolist() == run.dataset.user_ids("test")
        np.testing.assert_array_equal(arrays["model recall@5"], expected.per_user["recall@5"])
        assert arrays["MostPopular ndcg@10"].shape == (12,)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--top_n", "0"], "positive whole numbers"),
        (["--split", "train"], "invalid choice: 'train'"),
        (["--run_dir", "nowhere"], "nowhere: there is no such folder"),
        (["--diversity", "0,-1"], r"'0,-1' is not a list of numbers of 0 or more such as 0,0\.1,0\.5"),
        (["--diversity", "0.1"], r"the data have no categories \(prepare\.py --category_col\); leave it out"),
        (["--compare", "a", "b"], "--compare: not allowed with argument --run_dir"),
    ],
)
def test_a_flag_that_cannot_be_used_is_named(run, flags, message):
    with pytest.raises(InputError, match=message):
        evaluating.main(["--run_dir", str(run.path), *flags])


@pytest.mark.parametrize("run", [True], indirect=True)
def test_segments_and_the_curve_are_printed_and_written_to_a_json_of_their_own(run, capsys):
    flags = ["--run_dir", str(run.path), "--top_n", "5,10", "--segments", "--diversity", "1,0"]
    assert evaluating.main(flags) == 0
    printed = capsys.readouterr().out.splitlines()
    report = json.loads((run.path / "evaluation_test_segments_diversity_top_5_10.json").read_text())
    assert (report["segments"], report["diversity"]) == (True, ["0", "1"])
    assert list(report["by_segment"]) == ["history", "category_spread", "target_popularity"]
    for kind, parts in report["by_segment"].items():
        assert sum(part["users"] for part in parts) == 12
        for part in parts:
            assert set(part["metrics"]) == {"model", "MostPopular", "ItemKNN"}
            line = next(line for line in printed if line.startswith(f"{kind}: {part['segment']} "))
            assert str(part["users"]) in line and f"{part['metrics']['model']['recall@10']:.4f}" in line
    assert report["diversity_curve"]["0"] == report["metrics"]["model"]
    assert [line.split()[:3] for line in printed[-2:]] == [["λ", "=", "0"], ["λ", "=", "1"]]
    assert f"{report['diversity_curve']['1']['diversity@10']:.4f}" in printed[-1]
    assert not any("no categories" in line for line in printed)
    with pytest.raises(InputError, match=r"with diversity \['0', '1'\], asked for is \['0', '2'\]"):
        evaluating.main([*flags[:-1], "0,2"])


def test_an_answer_to_another_question_is_replaced_only_when_asked_for(run):
    path = run.path / "evaluation_test_top_5.json"
    flags = ["--run_dir", str(run.path), "--top_n", "5"]
    for _ in range(2):  # the same question may be asked again
        assert evaluating.main(flags) == 0
    first = path.read_bytes()
    for other, message in (
        (["--json", str(path), "--top_n", "5,10"], r"an evaluation with top_n \[5\], asked for is \[5, 10\]"),
        (["--json", str(path), "--published_ndcg"], "an evaluation with published_ndcg False, asked for is True"),
        (["--json", str(path), "--split", "valid"], "an evaluation with split test, asked for is valid"),
        (["--json", str(path), "--exclude_history"], "an evaluation with exclude_history False, asked for is True"),
        (["--json", str(run.path)], "a folder or a device; name a file"),
        (["--json", "/dev/null", "--overwrite"], "a folder or a device; name a file"),
    ):
        with pytest.raises(InputError, match=f"{message}"):
            evaluating.main([*flags, *other])
    run.step = 8
    with pytest.raises(InputError, match=r"with step 7, asked for is 8; take another --json, or add --overwrite"):
        evaluating.main(flags)
    assert path.read_bytes() == first
    assert evaluating.main([*flags, "--overwrite"]) == 0 and json.loads(path.read_text())["step"] == 8
    assert not [entry for entry in run.path.iterdir() if entry.name.startswith(".")]


def test_other_cut_offs_and_other_metrics_have_files_of_their_own(run):
    for flags in ([], ["--top_n", "7"], ["--published_ndcg"], []):
        assert evaluating.main(["--run_dir", str(run.path), *flags]) == 0
    names = sorted(path.name for path in run.path.glob("evaluation_*.json"))
    assert names == ["evaluation_test.json", "evaluation_test_published_ndcg.json", "evaluation_test_top_7.json"]


@pytest.mark.parametrize("text", ["my notes", "[]", "{}", '{"step": 7, "spl'])
def test_a_file_that_is_no_evaluation_is_kept(run, text):
    path = run.path / "notes.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"notes\.json: .*take another --json, or add --overwrite"):
        evaluating.main(["--run_dir", str(run.path), "--json", str(path)])
    assert path.read_text() == text


def test_what_another_process_has_written_meanwhile_is_kept(run, monkeypatch):
    path = run.path / "evaluation_test.json"

    def meanwhile(*arguments, **options):
        path.write_text(json.dumps({**evaluating.question(run, Flags), "step": 6, "metrics": {}}))
        return evaluate(*arguments, **options)

    monkeypatch.setattr("remi_tf.evaluation.evaluate.evaluate", meanwhile)
    with pytest.raises(InputError, match="with step 6, asked for is 7"):
        evaluating.main(["--run_dir", str(run.path)])
    assert json.loads(path.read_text())["step"] == 6


class Flags:
    split, top_n, exclude_history, published_ndcg, segments, diversity = "test", (20, 50), False, False, False, ()


def test_unread_checksums_are_said(run, capsys):
    assert evaluating.main(["--run_dir", str(run.path), "--no_verify"]) == 0
    assert capsys.readouterr().out.startswith("Note: not verified (--no_verify)")
