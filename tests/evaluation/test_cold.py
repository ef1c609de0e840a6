"""What becomes of cold items, against plain Python."""

import dataclasses
import json

import numpy as np
import pytest

from remi_tf.commands.evaluate import main as evaluate_command
from remi_tf.commands.result_tables import cold_table
from remi_tf.data.dataset.folder import load_dataset
from remi_tf.data.dataset.views import histories
from remi_tf.evaluation import cold
from remi_tf.evaluation.cold import evaluate_cold
from remi_tf.systems import recommend
from tests.featured_runs import prepared, trained

pytestmark = pytest.mark.trains


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cold")
    return trained(folder, prepared(folder, cold_share=0.2))


def wanted(dataset) -> list[np.ndarray]:
    """The test users' targets."""
    data = dataset.test
    return [data.items[a + cut : b] for a, b, cut in zip(data.offsets, data.offsets[1:], data.cuts, strict=False)]


def recall(lists, targets, counted) -> float:
    shares = []
    for found, of_user in zip(lists, targets, strict=True):
        of_user = {item for item in of_user.tolist() if counted(item)}
        if of_user:
            shares.append(len(of_user & set(found.tolist())) / len(of_user))
    return float(np.mean(shares))


def test_recall_is_told_for_warm_and_cold_targets_and_among_cold_items(run, monkeypatch):
    monkeypatch.setattr(cold, "LENGTH", 6)
    dataset = run.dataset
    first = dataset.num_items - dataset.num_cold + 1
    found = evaluate_cold(run.model, dataset, "test", exclude_history=True).figures
    history = histories(dataset.test, np.arange(dataset.test.num_users), run.model.max_history)
    ids, _ = recommend(run.model, history, dataset.num_items, exclude_history=True)
    lists, targets = ids.numpy(), wanted(dataset)
    assert found["warm"] == pytest.approx(recall(lists[:, :6], targets, lambda item: item < first))
    assert found["cold"] == pytest.approx(recall(lists[:, :6], targets, lambda item: item >= first))
    assert found["share_of_lists"] == pytest.approx(np.mean(lists[:, :6] >= first))
    assert found["share_of_targets"] == pytest.approx(np.mean(np.concatenate(targets) >= first))
    among = [row[row >= first][: found["length"]] for row in lists]
    assert found["among"]["model"] == pytest.approx(recall(among, targets, lambda item: item >= first))


def test_content_knn_finds_what_has_the_features_of_the_history(run, monkeypatch):
    monkeypatch.setattr(cold, "LENGTH", 3)
    among = evaluate_cold(run.model, run.dataset, "test", exclude_history=False).figures["among"]
    assert set(among) == {"model", "ContentKNN", "popularity of features", "chance"}
    assert among["ContentKNN"] > among["chance"]


def test_where_no_target_is_cold_nothing_is_said_and_the_json_is_one(run, capsys, tmp_path):
    found = evaluate_cold(run.model, run.dataset, "test", exclude_history=True)
    nobody = dataclasses.replace(found, cold=np.full(3, np.nan), among={"model": np.full(3, np.nan)})
    figures = nobody.figures
    assert figures["cold"] is None and figures["among"] == {"model": None} and figures["users"] == 0
    assert "NaN" not in json.dumps(figures) and "–" in cold_table(figures)


def test_evaluate_prints_it_and_writes_it(run, capsys, tmp_path):
    assert evaluate_command(["--run_dir", str(run.path), "--json", str(tmp_path / "found.json")]) == 0
    text = capsys.readouterr().out
    assert "Cold items: " in text and "ranked among cold items only" in text and "ContentKNN" in text
    assert '"among"' in (tmp_path / "found.json").read_text()


def test_training_never_sees_a_cold_item(run):
    dataset = load_dataset(run.dataset.path)
    first = dataset.num_items - dataset.num_cold + 1
    assert dataset.num_cold == 8 and dataset.train.items.max() < first <= dataset.test.items.max()
    occurrences = run.model.items.occurrences.numpy()
    assert not occurrences[first:].any() and occurrences[1:first].all()
