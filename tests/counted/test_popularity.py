"""Pop: counts of the training users' items, through the commands of every model."""

import json

import numpy as np
import pytest
import tensorflow as tf

from recommend import main as recommend
from remi_tf.commands import evaluate as evaluating
from remi_tf.counted.popularity import EXACT, Popularity
from remi_tf.data.dataset.folder import load_dataset
from remi_tf.data.dataset.interactions import Interactions
from remi_tf.errors import InputError
from remi_tf.evaluation.evaluate import evaluate
from remi_tf.serving import export as serving
from remi_tf.settings.encoders import encoder_settings
from remi_tf.training.run_folder import load_saved_run
from tests.evaluation_toys import interactions
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
    metrics = json.loads((path / "evaluation_test_top_5_20_50.json").read_text())["metrics"]
    assert metrics["model"] == metrics["MostPopular"] and metrics["model"]["recall@20"] > 0

    export = Exported(serving.export_run(run, tmp_path / "export").parent)
    items, scores, _ = export.recommend(["item-7", "item-9"], 60)
    ranked = np.argsort(-counts[1:], kind="stable") + 1  # ties by the lower id
    assert items == [f"item-{item}" for item in ranked] and scores == counts[ranked].tolist()
    capsys.readouterr()
    assert recommend(["--run_dir", str(path), "--history", "item-7", "--top_n", "3"]) == 0
    assert f"   1  item-{ranked[0]}" in capsys.readouterr().out


def model_of(items, num_items=5, **options) -> Popularity:
    model = Popularity(encoder_settings("Pop", **{"embedding_dim": 1, **options}), num_items)
    model.count(interactions((list(items), [])))
    return model


def scores_of(model: Popularity) -> list[float]:
    return model.scores(tf.constant([[1, 2, 0]]))[0].numpy().tolist()


def test_it_ranks_by_count_in_training_with_ties_by_lower_id():
    model = model_of([5, 5, 5, 2, 2, 9, 9, 4], num_items=9, max_history=3)
    data = interactions(([1], [5]), ([1], [2]), ([1], [9]), ([1], [4, 8]))
    for n, found in ((1, [1, 0, 0, 0]), (2, [1, 1, 0, 0]), (4, [1, 1, 1, 0.5])):
        assert evaluate(model, data, (n,)).per_user[f"recall@{n}"].tolist() == found


def test_without_the_history_the_next_item_moves_up():
    model = model_of([5, 5, 5, 2, 2, 9], num_items=9, max_history=2)
    data = interactions(([5, 5], [2]), ([1, 7], [2]), ([5, 2, 1, 1, 1, 1], [9]))
    assert evaluate(model, data, (1,), exclude_history=True).per_user["recall@1"].tolist() == [1, 0, 1]


def test_padding_is_not_counted_and_an_item_nobody_read_has_none():
    assert scores_of(model_of([2, 2, 1, 0, 0, 0])) == [0, 1, 2, 0, 0, 0]


def test_a_table_with_more_columns_as_older_versions_wrote_gives_the_same_scores():
    assert scores_of(model_of([2, 2, 1], embedding_dim=3)) == scores_of(model_of([2, 2, 1]))


def test_counts_that_float32_would_round_keep_their_order():
    items = np.repeat(np.array([1, 2, 3, 4], np.int32), [EXACT, EXACT + 1, 7, 7])  # the first two round to one number
    model = Popularity(encoder_settings("Pop", embedding_dim=1), 5)
    model.count(Interactions(items, items, np.array([0, len(items)]), np.array([len(items)])))
    scores = scores_of(model)
    assert scores[2] > scores[1] > scores[3] == scores[4] > scores[5] == 0


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        (["--remi"], "routing matrix.*Pop has no|Pop has no routing matrix"),
        (["--readout", "sampled"], "--readout sampled: Pop (gives one vector|is counted, not trained)"),
        (["--embedding_dim", "8"], "--embedding_dim 8: Pop is counted and has no vectors"),
        (["--num_interests", "4"], "--num_interests 4: Pop gives one vector a user"),
        (["--loss", "idw", "--sampler", "uniform"], "--loss idw: .*Pop"),
    ],
)
def test_what_popularity_cannot_do_is_refused(toy_dataset, tmp_path, flag, message):
    with pytest.raises(InputError, match=message):
        main(["--dataset", str(toy_dataset), "--model_type", "Pop", "--run_dir", str(tmp_path / "run"), *flag])
    assert not (tmp_path / "run").exists()
