"""export.py: the card of an export, and the metrics on it."""

import json

import pytest

from remi_tf.commands.export import main
from remi_tf.serving.export import measured_metrics
from tests.serving_toys import Exported, TinyModel, make_dataset, make_run

pytestmark = pytest.mark.trains


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return make_dataset(tmp_path_factory.mktemp("data") / "tiny")


@pytest.fixture(scope="module")
def model():
    return TinyModel()


@pytest.fixture
def run(dataset, model, tmp_path, monkeypatch):
    run = make_run(tmp_path / "run", model, dataset)
    monkeypatch.setattr("remi_tf.training.run_folder.load_saved_run", lambda path, **_: run)
    return run


def test_the_card_has_the_metrics_of_the_same_step_and_question_only(run, capsys):
    evaluation = {"step": 30, "exclude_history": False, "metrics": {"model": {"recall@20": 0.25}}}
    (run.path / "evaluation_test.json").write_text(json.dumps(evaluation))
    assert main(["--run_dir", str(run.path), "--max_top_n", "9"]) == 0
    assert capsys.readouterr().out.split()[-1] == str(run.path / "export" / "1")
    card = Exported(run.path / "export").card
    assert card["test_metrics"] == evaluation["metrics"]
    assert (card["step"], card["max_top_n"], card["settings"]) == (30, 9, run.settings.to_json())
    assert card["dataset"]["fingerprint"] == run.catalogue.fingerprint
    assert "inner product with" in card["signatures"]["serving_default"]["outputs"]["scores"]
    main(["--run_dir", str(run.path), "--exclude_history"])
    assert Exported(run.path / "export").card["test_metrics"] is None
    excluding = {**evaluation, "exclude_history": True, "metrics": {"model": {"recall@20": 0.2}}}
    (run.path / "evaluation_test_exclude_history.json").write_text(json.dumps(excluding))
    main(["--run_dir", str(run.path), "--exclude_history"])
    assert Exported(run.path / "export").card["test_metrics"] == excluding["metrics"]
    run.step = 40
    main(["--run_dir", str(run.path)])
    assert Exported(run.path / "export").card["test_metrics"] is None


def test_an_evaluation_at_other_cut_offs_is_taken_if_there_is_no_usual_one(run):
    def write(name: str, recall: float) -> dict:
        found = {"step": 30, "exclude_history": False, "metrics": {"model": {"recall": recall}}}
        (run.path / name).write_text(json.dumps(found))
        return found["metrics"]

    other = write("evaluation_test_top_5.json", 0.1)
    write("evaluation_test_exclude_history_top_5.json", 0.4)
    assert measured_metrics(run, False) == (other, None)
    usual = write("evaluation_test.json", 0.2)
    assert measured_metrics(run, False) == (usual, None)


@pytest.mark.parametrize("text", ['{"step": 30, "exclu', "[]", "null", "", '{"step": 30, "exclude_history": false}'])
def test_a_damaged_evaluation_is_noted_and_left_out(run, capsys, text):
    (run.path / "evaluation_test.json").write_text(text)
    assert main(["--run_dir", str(run.path), "--max_top_n", "9"]) == 0
    note, _, done = capsys.readouterr().out.splitlines()
    assert note.startswith("Note: the card has no metrics: ") and "evaluation_test.json" in note
    assert "run python evaluate.py again" in note and done.startswith("exported to")
    assert Exported(run.path / "export").card["test_metrics"] is None
