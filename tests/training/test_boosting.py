"""The boost of a run: chosen on validation users as a whole evaluation would choose it, saved, resumed, served."""

import json
import shutil
import signal
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.api import load_run, resume, train
from remi_tf.commands.evaluate import main as evaluate_command
from remi_tf.commands.train import main as train_command
from remi_tf.counted.boost import TABLES
from remi_tf.data.dataset.folder import load_dataset, write_dataset
from remi_tf.errors import InputError, TrainingInterrupted
from remi_tf.evaluation.evaluate import Evaluator
from remi_tf.training import boosting
from remi_tf.training.boost_folder import BOOST, CHOICE, make_boost
from remi_tf.training.interrupts import Interrupts
from remi_tf.training.run_folder import best_keeper
from tests.small_runs import SMALL, newest_state

pytestmark = pytest.mark.trains
OPTIONS = {"num_negatives": 20, "embedding_dim": 8, "batch_size": 16, "eval_every": 20, "max_steps": 40}


@pytest.fixture(scope="module")
def dataset(toy_dataset):
    return load_dataset(toy_dataset)


@pytest.fixture(scope="module", params=["yes", "no"])
def run(request, dataset, tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "run"
    return train(dataset, "SA", remi=True, run_dir=path, exclude_history=request.param, boost_neighbours=9, **OPTIONS)


@pytest.fixture(scope="module")
def chosen(dataset, tmp_path_factory):
    """A run of the recipe. Tests that change it do so to a copy."""
    return train(dataset, "SA", remi=True, run_dir=tmp_path_factory.mktemp("chosen") / "run", **OPTIONS)


@pytest.fixture(scope="module")
def without(dataset, tmp_path_factory):
    """A run without a boost."""
    return train(dataset, "SA", run_dir=tmp_path_factory.mktemp("without") / "run", **OPTIONS)


def copy(run, path):
    return shutil.copytree(run.path, path)


def choice_of(run):
    return json.loads((run.path / BOOST / CHOICE).read_text())


def test_every_candidate_has_the_score_of_a_whole_evaluation_and_the_best_one_is_kept(run):
    choice, boost, scores = choice_of(run), run.model.boost, []
    kept = {name: table.numpy() for name, table in boost.tables.items()}
    assert len(choice["tried"]) == len(TABLES) * len(boosting.DECAYS) * len(boosting.WEIGHTS)
    lists = {table: boost.lists(run.dataset.train, [table])[table] for table in TABLES}
    evaluator = Evaluator(run.model, (50,), run.excludes_history())
    for tried in choice["tried"]:
        boost.take(lists[tried["table"]])
        boost.weigh(tried["weight"], tried["decay"])
        scores.append(evaluator.evaluate(run.dataset.valid).means["ndcg@50"])
        assert tried["ndcg@50"] == pytest.approx(scores[-1], abs=1e-6)
    best = choice["tried"][int(np.argmax([tried["ndcg@50"] for tried in choice["tried"]]))]
    assert choice["chosen"] == {name: best[name] for name in ("table", "decay", "weight")}
    boost.take(lists[best["table"]])
    boost.weigh(best["weight"], best["decay"])
    for name, table in boost.tables.items():
        np.testing.assert_array_equal(table.numpy(), kept[name])


def test_it_raises_what_the_log_shows_together_and_validation_says_so(run):
    valid = choice_of(run)["valid"]
    assert choice_of(run)["step"] == run.step
    assert valid["with"]["ndcg@50"] > valid["without"]["ndcg@50"]
    assert run.evaluate("valid").means["ndcg@50"] == pytest.approx(valid["with"]["ndcg@50"])


HISTORIES = [["item-3", "item-7"], ["item-41", "item-41", "item-5", "item-9"], ["nobody"]]


def test_an_export_an_index_and_the_recommender_answer_alike(run, tmp_path):
    run.build_index(tmp_path / "index", kind="flat", min_recall=0.0)
    by_graph = run.recommender().recommend(HISTORIES, 8)
    by_index = run.recommender(tmp_path / "index").recommend(HISTORIES, 8)
    assert by_graph["item"].tolist() == by_index["item"].tolist()
    np.testing.assert_allclose(by_graph["score"], by_index["score"], rtol=1e-4, atol=1e-5)
    signatures = tf.saved_model.load(str(run.export(tmp_path / "export", max_top_n=8))).signatures
    padded = tf.constant([[*history, *[""] * (4 - len(history))] for history in HISTORIES])
    served = signatures["serving_default"](history=padded)
    assert [raw.decode() for raw in served["items"].numpy().ravel()] == by_graph["item"].tolist()
    card = json.loads((tmp_path / "export" / "1" / "assets.extra" / "model_card.json").read_text())
    assert card["signatures"]["interests"]["outputs"].keys() == signatures["interests"].structured_outputs.keys()
    assert "boost of counted neighbours" in card["signatures"]["recommend"]["outputs"]["scores"]


def test_the_signatures_for_an_index_of_ones_own_hold_all_that_decides(run, tmp_path):
    signatures = tf.saved_model.load(str(run.export(tmp_path / "export"))).signatures
    expected = run.recommender().recommend(HISTORIES[1:2], 8, exclude_history=False)
    user = signatures["interests"](history=tf.constant(HISTORIES[1:2]))
    raw_ids = run.catalogue.vocabulary.raw_ids(range(1, run.catalogue.num_items + 1))
    vectors = signatures["items"](items=tf.constant(raw_ids))["vectors"].numpy()
    scores = dict(zip(raw_ids, (vectors @ user["interests"].numpy()[0].T).max(axis=1), strict=True))
    for item, amount in zip(user["boosted_items"].numpy()[0], user["boosts"].numpy()[0], strict=True):
        if item:
            scores[item.decode()] += amount
    best = sorted(raw_ids, key=lambda item: -scores[item])[:8]
    assert best == expected["item"].tolist()
    np.testing.assert_allclose([scores[item] for item in best], expected["score"], rtol=1e-5)


def test_what_is_given_is_not_chosen_and_training_does_not_know_of_it(dataset, without, tmp_path):
    given = {"boost": "counted", "boost_table": "rules", "boost_decay": 0.5, "boost_weight": 3.0}
    with_it = train(dataset, "SA", run_dir=tmp_path / "with", **given, **OPTIONS)
    assert choice_of(with_it)["chosen"] == {"table": "rules", "decay": 0.5, "weight": 3.0}
    np.testing.assert_allclose(with_it.model.boost.age_weights[:3], [3, 1.5, 0.75])
    ours, theirs = newest_state(tmp_path / "with"), newest_state(without.path)
    assert ours.keys() == theirs.keys()
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name])


def test_a_run_stopped_before_it_is_chosen_says_so_and_resume_chooses(dataset, chosen, tmp_path, monkeypatch, caplog):
    path = tmp_path / "run"

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(boosting, "_tried", stop)
    with pytest.raises(TrainingInterrupted, match=r"--resume --run_dir"):
        train(dataset, "SA", remi=True, run_dir=path, **OPTIONS)
    assert load_run(path).model.boost is None
    assert "lists are without the boost, which is chosen when training ends; go on with" in caplog.text
    monkeypatch.undo()
    assert resume(path).evaluate().means == chosen.evaluate().means
    monkeypatch.setattr(boosting, "_tried", lambda *_: pytest.fail("chosen again"))
    assert resume(path).model.boost is not None


def test_it_is_chosen_again_for_better_weights_and_not_for_the_same(dataset, chosen, tmp_path, monkeypatch):
    run = load_run(copy(chosen, tmp_path / "run"))
    best_keeper(run.model, run.path, verify=True).save(99)
    assert load_run(run.path).model.boost is None
    boosting.boost_run(run.path, dataset, dataset.valid)
    assert choice_of(run)["step"] == 99 and load_run(run.path).model.boost is not None
    assert [path.name for path in (run.path / BOOST).glob("ckpt-*.index")] == ["ckpt-99.index"]
    monkeypatch.setattr(boosting, "_tried", lambda *_: pytest.fail("chosen again"))
    boosting.boost_run(run.path, dataset, dataset.valid)


def test_a_damaged_boost_is_named_and_resume_counts_it_again(chosen, tmp_path):
    path = copy(chosen, tmp_path / "run")
    (data,) = (path / BOOST).glob("*.data-*")
    data.write_bytes(b"x" * data.stat().st_size)
    with pytest.raises(InputError, match=rf"{BOOST}/ckpt-\d+.*train.py --resume --run_dir"):
        load_run(path)
    assert resume(path).evaluate().means == chosen.evaluate().means


def test_a_warm_start_counts_the_new_log_and_does_not_read_the_old_boost(dataset, chosen, tmp_path):
    before = copy(chosen, tmp_path / "before")
    (data,) = (before / BOOST).glob("*.data-*")
    data.write_bytes(b"")
    splits = {name: dataset.split(name) for name in ("train", "valid", "test")}
    backwards = {name: replace(split, items=np.asarray(split.items)[::-1]) for name, split in splits.items()}
    users = {name: dataset.user_ids(name) for name in splits}
    write_dataset(
        tmp_path / "backwards", name="toy", splits=backwards, users=users, vocabulary=dataset.vocabulary, made_by={}
    )
    after = train(tmp_path / "backwards", warm_start=before, run_dir=tmp_path / "after", max_steps=0, boost_weight=2.0)
    assert after.step == 0 and choice_of(after)["step"] == 0
    fresh, table = make_boost(after.settings, dataset.num_items, 0), choice_of(after)["chosen"]["table"]
    ids, _ = fresh.lists(after.dataset.train, [table])[table]
    np.testing.assert_array_equal(after.model.boost.ids, ids)
    ids, _ = fresh.lists(dataset.train, [table])[table]
    assert not np.array_equal(after.model.boost.ids, ids)


@pytest.mark.parametrize("model_type", [pytest.param("PIMI", marks=pytest.mark.slow), "MTMI-DNN", "GRU4REC"])
def test_models_of_days_of_cosines_and_of_one_vector_have_it_too(model_type, dataset, tmp_path):
    run = train(dataset, model_type, run_dir=tmp_path / "run", boost="counted", boost_weight=2.0, **OPTIONS)
    valid = choice_of(run)["valid"]
    assert run.evaluate("valid").means["ndcg@50"] == pytest.approx(valid["with"]["ndcg@50"])
    assert valid["with"]["ndcg@50"] != valid["without"]["ndcg@50"]
    best = max(choice_of(run)["tried"], key=lambda tried: tried["ndcg@50"])
    assert best["ndcg@50"] == pytest.approx(valid["with"]["ndcg@50"], abs=1e-6)


def test_users_without_targets_do_not_choose(run, monkeypatch):
    valid, chosen = run.dataset.valid, []
    monkeypatch.setattr(boosting, "USERS", 3)
    cuts = np.where(np.arange(valid.num_users) < 3, valid.lengths, valid.cuts)
    pieces = boosting._Pieces(run, replace(valid, cuts=cuts))
    chosen = pieces.users.tolist()
    assert chosen == [3, 4, 5] and len(pieces.scores(run.model.boost, (1.0,))) == 1


def test_a_boost_that_does_not_help_is_none(chosen, tmp_path, monkeypatch):
    path = copy(chosen, tmp_path / "run")
    shutil.rmtree(path / BOOST)
    monkeypatch.setattr(boosting, "WEIGHTS", (0.0,))
    run = resume(path)
    assert run.model.boost is None and "settings: none helps; validation" in boosting.sentence(run.path)


def test_a_signal_that_was_noted_ends_the_choice_with_nothing_saved(dataset, without, tmp_path):
    path = copy(without, tmp_path / "run")
    with Interrupts() as interrupts, pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)
        boosting.boost_run(path, dataset, dataset.valid, interrupts=interrupts)
    assert not list(path.glob(f"{BOOST}/ckpt*"))


def test_lists_too_large_for_the_memory_are_refused_before_training(dataset, chosen, tmp_path, monkeypatch):
    small = {**OPTIONS, "num_negatives": 5, "batch_size": 2}
    with monkeypatch.context() as patch:
        patch.setattr("remi_tf.training.memory_check.available_memory", lambda: 60 * 61 * 24)
        with pytest.raises(InputError, match=r"training on 60 items needs about .* --boost none \(saves"):
            train(dataset, "SA", remi=True, run_dir=tmp_path / "run", **small)
    assert not (tmp_path / "run").exists()
    assert resume(copy(chosen, tmp_path / "run")).model.boost is not None


def test_a_choice_that_cannot_be_read_costs_only_its_sentence(run, tmp_path):
    assert boosting.sentence(run.path).startswith("Boost chosen on 10 validation users")
    (tmp_path / BOOST).mkdir()
    for content in (b"", b"{", b"\xff", b"[]", b'{"valid": {}}'):
        (tmp_path / BOOST / CHOICE).write_bytes(content)
        assert boosting.sentence(tmp_path) is None
    assert boosting.sentence(tmp_path / "nowhere") is None


def test_the_command_says_what_was_chosen_and_what_it_brings(toy_dataset, tmp_path, capsys):
    arguments = ["--dataset", str(toy_dataset), "--run_dir", str(tmp_path / "run"), "--remi", *SMALL]
    assert train_command([*arguments, "--max_steps", "20", "--boost_decay", "0.5"]) == 0
    said = capsys.readouterr().out
    assert "Boost chosen on 10 validation users from 16 settings: table rules" in said
    assert evaluate_command(["--run_dir", str(tmp_path / "run"), "--split", "valid"]) == 0
    assert ("\nBoost chosen on 10 validation" in capsys.readouterr().out) == ("none helps" not in said)
    assert "decay 0.5, weight" in said and " without, " in said and "evaluate.py --run_dir" in said
