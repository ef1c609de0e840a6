"""What every counted model promises, and does through the commands of all models."""

import json

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.api import load_run, train
from remi_tf.commands.evaluate import main as evaluate_command
from remi_tf.commands.index import main as index_command
from remi_tf.commands.recommend import main as recommend_command
from remi_tf.commands.train import main as train_command
from remi_tf.data.dataset.folder import load_dataset
from remi_tf.errors import InputError
from remi_tf.serving.export import CARD, export
from remi_tf.settings.encoders import ENCODERS
from remi_tf.systems import recommend
from tests.counted_toys import NUM_ITEMS, counted, log, random_sequences

COUNTED = [name for name, entry in ENCODERS.items() if entry.counted]
READS_THE_HISTORY = [name for name in COUNTED if name != "Pop"]
HISTORIES = tf.constant([[3, 1, 2, 0], [5, 0, 0, 0], [0, 0, 0, 0], [2, 2, 9, 4]])


@pytest.fixture(params=COUNTED)
def name(request):
    return request.param


@pytest.fixture
def model(name):
    return counted(name, log(*random_sequences(40)), max_history=4)


def test_a_score_for_every_item_and_none_for_an_empty_history(model):
    scores = model.scores(HISTORIES)
    assert scores.shape == (4, NUM_ITEMS + 1) and scores.dtype == tf.float32
    assert np.isfinite(scores).all() and not scores[2].numpy().any()


def test_neither_padding_nor_the_rest_of_the_batch_changes_a_users_scores(model):
    scores = model.scores(HISTORIES).numpy()
    alone = [model.scores(HISTORIES[user : user + 1])[0] for user in range(4)]
    np.testing.assert_allclose(scores, alone, rtol=1e-6)
    np.testing.assert_allclose(model.scores(HISTORIES[:2, :3]), scores[:2], rtol=1e-6)


def test_counting_again_gives_the_same_tables(name, model):
    again = counted(name, log(*random_sequences(40)), max_history=4)
    for table, twin in zip(model.tables.values(), again.tables.values(), strict=True):
        np.testing.assert_array_equal(table.numpy(), twin.numpy())


def test_saved_tables_restore_the_model(name, model, tmp_path):
    path = tf.train.Checkpoint(**model.tables).save(str(tmp_path / "tables"))
    other = counted(name, log([7, 8]), max_history=4)
    tf.train.Checkpoint(**other.tables).restore(path).assert_consumed()
    np.testing.assert_array_equal(other.scores(HISTORIES), model.scores(HISTORIES))


@pytest.mark.trains
def test_the_exported_model_answers_as_the_one_in_process_one_user_at_a_time(name, toy_dataset, tmp_path):
    dataset = load_dataset(toy_dataset)
    model = counted(name, dataset.train, dataset.num_items, max_history=4)
    folder = export(model, dataset, tmp_path, 20, score_bytes=1)
    signatures = tf.saved_model.load(str(folder)).signatures
    assert sorted(signatures) == ["recommend", "serving_default"]
    rows = HISTORIES.numpy()
    history = tf.constant(np.where(rows > 0, np.char.add("item-", rows.astype(str)), ""))
    served = signatures["serving_default"](history=history)
    ids, scores = recommend(model, HISTORIES, 20)
    np.testing.assert_array_equal(served["items"].numpy().astype(str), np.char.add("item-", ids.numpy().astype(str)))
    np.testing.assert_allclose(served["scores"], scores, rtol=1e-6)

    plain = {"top_n": 5, "exclude_history": [True, True, True, False], "allow": [[""]]}
    plain["exclude"] = [["item-7", "item-8"]]
    inputs = {"top_n": tf.int32, "exclude_history": tf.bool, "exclude": tf.string, "allow": tf.string}
    chosen = signatures["recommend"](history=history, **{key: tf.constant(plain[key], inputs[key]) for key in inputs})
    for user, read in enumerate(rows):
        left_out = {7, 8, *(read if user < 3 else ())}
        expected = [item for item in recommend(model, HISTORIES, 60)[0][user].numpy() if item not in left_out][:5]
        assert [item.decode() for item in chosen["items"][user].numpy()] == [f"item-{item}" for item in expected]
    assert (chosen["interest"].numpy() == -1).all()
    card = json.loads((folder / CARD).read_text())
    assert model.score_meaning in card["signatures"]["recommend"]["outputs"]["scores"]


@pytest.mark.trains
@pytest.mark.parametrize("name", READS_THE_HISTORY)
def test_the_commands_choose_count_reload_evaluate_and_recommend(name, toy_dataset, tmp_path, capsys, monkeypatch):
    path = tmp_path / "run"
    assert train_command(["--dataset", str(toy_dataset), "--model_type", name, "--run_dir", str(path)]) == 0
    assert "Chosen on 10 validation users from" in capsys.readouterr().out
    config = json.loads((path / "config.json").read_text())
    chosen = config["choice"]["chosen"]
    best = max(tried["recall@50"] for tried in config["choice"]["tried"])
    assert chosen.items() <= config["settings"]["encoder"].items()
    (line,) = (path / "metrics.jsonl").read_text().splitlines()
    assert json.loads(line)["valid_recall@50"] == pytest.approx(best)

    monkeypatch.setattr("remi_tf.training.counter.choose", lambda *_, **__: pytest.fail("chosen again"))
    assert train_command(["--resume", "--run_dir", str(path)]) == 0
    assert evaluate_command(["--run_dir", str(path), "--top_n", "10,50"]) == 0
    measured = json.loads((path / "evaluation_test_top_10_50.json").read_text())["metrics"]
    assert measured["model"]["recall@10"] > measured["MostPopular"]["recall@10"]
    if name == "ItemKNN":
        assert measured["ItemKNN"] == measured["model"]

    cluster = {f"item-{item}" for item in range(11, 21)}  # the users of these items read one other cluster each
    assert recommend_command(["--run_dir", str(path), "--history", "item-12,item-15,item-18", "--top_n", "5"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert len({row[1] for row in rows if row[0].isdecimal()} & cluster) >= 3
    similar = load_run(path).recommender().similar_items("item-12", 5)
    assert len(set(similar["item"]) & cluster) >= 3 and "item-12" not in set(similar["item"])
    with pytest.raises(InputError, match=f"{name} is counted and has no item vectors to search"):
        index_command(["--run_dir", str(path)])
    assert not (path / "index").exists()


def test_everyones_list_knows_no_similar_items(toy_dataset, tmp_path):
    run = train(toy_dataset, "Pop", run_dir=tmp_path / "run")
    with pytest.raises(InputError, match="Pop does not know which items are similar"):
        run.recommender().similar_items("item-12")
