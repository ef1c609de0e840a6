"""The Python front door: README's lines on a log made here, and what is refused in Python."""

import doctest
import importlib
import threading

import numpy as np
import pandas as pd
import pytest

import remi_tf
from remi_tf.errors import InputError

pytestmark = pytest.mark.trains

SMALL = {"embedding_dim": 8, "num_negatives": 30, "batch_size": 32, "eval_every": 50, "max_history": 8}
WITH_EXAMPLES = (
    *("api", "objective.remi_loss", "objective.regularizers", "settings.settings", "evaluation.metrics"),
    "evaluation.list_metrics",
    "recommending.recommender",
    "serving.export",
)


def shop() -> pd.DataFrame:
    """80 users who each read two of four shelves of ten items."""
    generator = np.random.default_rng(0)
    rows = []
    for user in range(80):
        shelves = generator.choice(4, 2, replace=False)
        for place in range(int(generator.integers(8, 14))):
            item = f"sku-{10 * generator.choice(shelves) + generator.integers(10)}"
            rows.append((f"user {user}", item, 1_600_000_000 + 3600 * place))
    return pd.DataFrame(rows, columns=["user", "item", "time"])


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shop().to_csv("clicks.csv", index=False)
    return tmp_path


def test_readmes_lines_go_from_a_csv_to_an_export_and_print_nothing(here, capsys):
    dataset = remi_tf.prepare("clicks.csv", "data/shop", user_col="user", item_col="item", time_col="time")
    run = remi_tf.train(dataset, "SA", remi=True, max_steps=100, **SMALL)
    means = run.evaluate(top_n=(20, 50)).means
    items = run.recommender().recommend([["sku-17", "sku-4"]])
    version = run.export("export")
    assert capsys.readouterr().out == ""
    assert means["recall@50"] == 1 > means["recall@20"] > 0  # there are 40 items
    assert list(items.columns) == ["user", "rank", "item", "score", "interest"] and len(items) == 10
    assert (here / version / "saved_model.pb").is_file() and version.name == "1"
    assert repr(dataset).startswith("<Dataset shop: 40 items; users: train 64") and len(repr(dataset)) < 120
    assert repr(run) == f"<Run {run.path}: SA on shop, 40 items, best weights of step {run.step}>"
    assert "recall@20" in repr(run.evaluate(top_n=20))
    assert run.path == remi_tf.load_run("runs/shop-SA-remi").path
    assert remi_tf.evaluate("runs/shop-SA-remi", top_n=(20, 50)).means == means


def test_a_frame_is_prepared_like_its_file(here):
    columns = {"user_col": "user", "item_col": "item", "time_col": "time"}
    of_file = remi_tf.prepare("clicks.csv", "data/file", **columns)
    of_frame = remi_tf.prepare(pd.read_csv("clicks.csv"), "data/frame", **columns)
    assert of_file.fingerprint == of_frame.fingerprint


def test_a_run_stops_early_goes_on_and_tells_of_its_validations(here):
    dataset = remi_tf.prepare("clicks.csv", "data/shop", user_col="user", item_col="item", time_col="time")
    seen = []
    first = remi_tf.train(dataset, "DNN", run_dir="runs/a", max_steps=50, on_validation=seen.append, **SMALL)
    assert [validation.step for validation in seen] == [50] and seen[0].is_best and seen[0].loss > 0
    longer = remi_tf.resume("runs/a", max_steps=150, on_validation=seen.append)
    whole = remi_tf.train(dataset, "DNN", run_dir="runs/b", max_steps=150, **SMALL)
    assert [validation.step for validation in seen] == [50, 100, 150]
    np.testing.assert_array_equal(longer.model.item_table, whole.model.item_table)
    assert first.settings.training.max_steps == 50 and longer.settings.training.max_steps == 150
    warm = remi_tf.train(dataset, warm_start=whole, run_dir="runs/c", max_steps=0)
    np.testing.assert_array_equal(warm.model.item_table, whole.model.item_table)


def test_training_outside_the_main_thread_works(here):
    """Notebook servers and schedulers do it; signals are the main thread's there."""
    dataset = remi_tf.prepare("clicks.csv", "data/shop", user_col="user", item_col="item", time_col="time")
    runs = []
    thread = threading.Thread(target=lambda: runs.append(remi_tf.train(dataset, "DNN", max_steps=10, **SMALL)))
    thread.start()
    thread.join()
    assert runs[0].step == 10


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda data: remi_tf.train(data, "SAA"), "did you mean SA?"),
        (lambda data: remi_tf.train(data, learning_rates=1), "unknown setting 'learning_rates'"),
        (lambda data: remi_tf.train("nowhere"), "no prepared dataset in nowhere"),
        (lambda data: remi_tf.train(data, recipe="fast"), "--recipe 'fast': choose one of default, paper, released"),
        (lambda data: remi_tf.train(data, "DNN", remi=True), "it regularises a routing matrix, and DNN has none"),
        (lambda data: remi_tf.train(data, warm_start="runs/x"), "warm_start: give run_dir"),
        (lambda data: remi_tf.train(data, remi=True, warm_start="runs/x", run_dir="y"), "leave out model_type, remi"),
        (lambda data: remi_tf.train(data, max_step=10), "unknown setting 'max_step'; did you mean 'max_steps'?"),
        (lambda data: remi_tf.train(data, max_steps="10"), "--max_steps '10': must be a whole number"),
        (lambda data: remi_tf.train(data, profile="paper"), "it is called recipe now"),
        (lambda data: remi_tf.train(shop()), "DataFrame is no dataset; make one of your log with remi_tf.prepare"),
        (lambda data: remi_tf.train("clicks.csv"), "this is a raw log"),
        (lambda data: remi_tf.prepare(shop(), "out", user="user"), "no option 'user'; did you mean"),
        (lambda data: remi_tf.resume("runs/x"), "runs/x: no run here"),
        (lambda data: remi_tf.resume("runs/x", beta=2.0), "leave out --beta"),
        (lambda data: remi_tf.load_run("runs/x"), "runs/x: no run here"),
        (lambda data: remi_tf.prepare("gone.csv", "out", user_col="u", item_col="i"), "gone.csv: no such file"),
        (lambda data: remi_tf.prepare("clicks.csv", "out", user_col="user"), "--user_col and --item_col"),
        (lambda data: remi_tf.prepare("clicks.csv", "out", user_col="usr", item_col="item"), "did you mean 'user'?"),
        (lambda data: remi_tf.prepare("clicks.csv", data.path, user_col="user", item_col="item"), "exists already"),
        (lambda data: remi_tf.prepare(shop(), "out", source="ml-1m"), "reads files, no DataFrame|not a DataFrame"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_remedy(here, call, message):
    data = remi_tf.prepare("clicks.csv", "data/shop", user_col="user", item_col="item", time_col="time")
    with pytest.raises(InputError, match=message):
        call(data)
    assert not (here / "out").exists()


def test_every_public_name_is_there_and_others_are_not():
    assert set(remi_tf.__all__) <= set(dir(remi_tf))
    for name in remi_tf.__all__:
        assert getattr(remi_tf, name).__name__ == name
    with pytest.raises(AttributeError, match="has no attribute 'fit'"):
        remi_tf.fit  # noqa: B018


@pytest.fixture(scope="module")
def with_a_run(tmp_path_factory):
    """The folder that the examples are run in: clicks.csv, data/shop and runs/shop."""
    path = tmp_path_factory.mktemp("examples")
    shop().to_csv(path / "clicks.csv", index=False)
    columns = {"user_col": "user", "item_col": "item", "time_col": "time"}
    data = remi_tf.prepare(path / "clicks.csv", path / "data" / "shop", **columns)
    remi_tf.train(data, "SA", remi=True, run_dir=path / "runs" / "shop", max_steps=20, **{**SMALL, "eval_every": 20})
    return path


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_the_examples_in_docstrings_hold(module, with_a_run, monkeypatch):
    monkeypatch.chdir(with_a_run)
    result = doctest.testmod(importlib.import_module(f"remi_tf.{module}"), optionflags=doctest.ELLIPSIS)
    assert result.attempted > 0 and result.failed == 0


def test_everything_public_has_an_example():
    for name in ("Recommender", "RoutingRegularizer", "IHNSoftmax", "Run", "prepare", "train", "resume", "load_run"):
        assert ">>> " in getattr(remi_tf, name).__doc__, name
    for name in ("evaluate", "recommender", "export", "build_index"):
        assert ">>> " in getattr(remi_tf.Run, name).__doc__, name
