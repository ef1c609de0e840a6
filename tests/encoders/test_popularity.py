"""Pop: counts of the training users' items, through the commands of every model."""

import json

import numpy as np
import pytest

from recommend import main as recommend
from remi_tf.commands import evaluate as evaluating
from remi_tf.data.dataset.folder import load_dataset
from remi_tf.encoders import make_encoder
from remi_tf.encoders.popularity import EXACT
from remi_tf.errors import InputError
from remi_tf.evaluation import evaluate as evaluation
from remi_tf.serving import export as serving
from remi_tf.settings.encoders import encoder_settings
from remi_tf.training.run_folder import load_saved_run
from tests.serving_toys import Exported
from train import main


@pytest.mark.trains
def test_the_commands_train_evaluate_resume_export_and_recommend(toy_dataset, tmp_path, capsys):
    path, dataset = tmp_path / "run", load_dataset(toy_dataset)
    assert main(["--dataset", str(toy_dataset), "--model_type", "Pop", "--run_dir", str(path)]) == 0
    assert main(["--resume", "--run_dir", str(path)]) == 0
    lines = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1] and "valid_recall@50" in lines[0]
    assert not any(name.startswith("loss") for name in lines[0])  # nothing was fitted

    counts = np.bincount(dataset.train.items, minlength=61)
    run = load_saved_run(path)
    np.testing.assert_array_equal(run.model.item_table.numpy()[:, 0], counts)
    assert evaluating.main(["--run_dir", str(path), "--top_n", "5,20,50"]) == 0
    metrics = json.loads((path / "evaluation_test.json").read_text())["metrics"]
    assert metrics["model"] == metrics["MostPopular"] and metrics["model"]["recall@20"] > 0

    export = Exported(serving.export_run(run, tmp_path / "export").parent)
    items, scores, _ = export.recommend(["item-7", "item-9"], 60)
    ranked = np.argsort(-counts[1:], kind="stable") + 1  # ties by the lower id
    assert items == [f"item-{item}" for item in ranked] and scores == counts[ranked].tolist()
    capsys.readouterr()
    assert recommend(["--run_dir", str(path), "--history", "item-7", "--top_n", "3"]) == 0
    assert f"   1  item-{ranked[0]}" in capsys.readouterr().out


@pytest.mark.trains
def test_excluding_the_history_equals_most_popular_too(toy_dataset, tmp_path):
    main(["--dataset", str(toy_dataset), "--model_type", "MostPopular", "--run_dir", str(tmp_path / "run")])
    model, dataset = load_saved_run(tmp_path / "run").model, load_dataset(toy_dataset)
    ours = evaluation.evaluate(model, dataset.test, (10,), exclude_history=True)
    expected = evaluation.most_popular(dataset.train, dataset.test, (10,), exclude_history=True)
    np.testing.assert_array_equal(ours.per_user["ndcg@10"], expected.per_user["ndcg@10"])


def table_of(items: np.ndarray) -> np.ndarray:
    encoder = make_encoder(encoder_settings(model_type="Pop", num_interests=1, embedding_dim=2), seed=0)
    return encoder.counted_table(items, num_items=5)


def test_padding_is_not_counted_and_an_item_nobody_read_has_none():
    assert table_of(np.array([2, 2, 1, 0, 0, 0])).tolist() == [[0, 0], [1, 0], [2, 0], [0, 0], [0, 0], [0, 0]]


def test_counts_that_float32_would_round_keep_their_order():
    items = np.repeat(np.array([1, 2, 3, 4], np.int32), [EXACT, EXACT + 1, 7, 7])  # the first two round to one number
    scores = table_of(items)[:, 0]
    assert scores[2] > scores[1] > scores[3] == scores[4] > scores[5] == 0


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        (["--remi"], "routing matrix.*Pop has no|Pop has no routing matrix"),
        (["--readout", "sampled"], "--readout sampled: Pop (gives one vector|is counted, not trained)"),
        (["--num_interests", "4"], "--num_interests 4: Pop gives one vector a user"),
        (["--loss", "idw", "--sampler", "uniform"], "--loss idw: .*Pop"),
    ],
)
def test_what_popularity_cannot_do_is_refused(toy_dataset, tmp_path, flag, message):
    with pytest.raises(InputError, match=message):
        main(["--dataset", str(toy_dataset), "--model_type", "Pop", "--run_dir", str(tmp_path / "run"), *flag])
    assert not (tmp_path / "run").exists()
