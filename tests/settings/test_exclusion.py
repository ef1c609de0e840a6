"""Whether lists leave out the history: the rule, and that everything follows it."""

import json

import numpy as np
import pytest

from remi_tf.api import load_run, train
from remi_tf.commands.evaluate import main as evaluate
from remi_tf.commands.export import main as export
from remi_tf.commands.recommend import main as recommend
from remi_tf.data.dataset.folder import load_dataset, write_dataset
from remi_tf.data.dataset.interactions import Interactions
from remi_tf.data.dataset.vocabulary import Vocabulary
from remi_tf.errors import InputError
from remi_tf.settings.exclusion import MOST_REPEATS, excludes_history, in_words
from remi_tf.settings.presets import compose
from remi_tf.settings.settings import Settings
from remi_tf.training.measurements import read_metrics
from tests.serving_toys import Exported

SMALL = {"embedding_dim": 8, "num_negatives": 20, "max_steps": 20, "eval_every": 20, "max_history": 4}


def test_auto_looks_at_the_log_and_yes_and_no_do_not():
    unread = {"yes": True, "no": False, True: True, False: False, np.True_: True}
    assert {asked: excludes_history(asked, pytest.fail) for asked in unread} == unread
    assert excludes_history("auto", lambda: 0.0) and not excludes_history("auto", lambda: 0.5)
    assert not excludes_history("auto", lambda: MOST_REPEATS)
    for wrong in ("maybe", None, 1, "True"):
        with pytest.raises(InputError, match="give yes, no or auto"):
            excludes_history(wrong, pytest.fail)


def test_the_line_says_which_and_whether_auto_would_have_said_the_same():
    assert in_words(True, 0.0) == "history left out of the lists (auto: 0.0% of targets repeat)"
    assert in_words(False, 0.412) == "history left in the lists (auto: 41.2% of targets repeat)"
    assert in_words(False, 0.0) == "history left in the lists (not auto: 0.0% of targets repeat)"
    assert in_words(True, None) == "history left out of the lists"


def test_the_papers_leave_it_in_and_a_flag_beats_them():
    for recipe, flags, expected in (
        ("default", {}, "yes"),
        ("paper", {}, "no"),
        ("released", {}, "no"),
        ("paper", {"exclude_history": "auto"}, "yes"),
        ("default", {"exclude_history": "no"}, "no"),
    ):
        settings = compose("shop", recipe, False, {"model_type": "SA", **flags}, 100, 0.0)
        assert settings.training.exclude_history == expected
    assert compose("shop", "default", False, {"model_type": "SA"}, 100, 0.5).training.exclude_history == "no"


def test_a_config_of_an_older_version_left_it_in():
    old = Settings().to_json()
    del old["training"]["exclude_history"]
    assert Settings.from_json(old).training.exclude_history == "no"


def users_of(number: int, repeat: bool, seed: int) -> Interactions:
    """Users of ten items of forty: all different, or the last two as the first ones."""
    generator = np.random.default_rng(seed)
    rows = np.stack([generator.permutation(40)[:10] + 1 for _ in range(number)])
    if repeat:
        rows[:, 8:] = rows[:, :2]
    cuts = np.full(number, 10 if seed == 0 else 8)
    return Interactions(rows.ravel().astype(np.int32), np.arange(rows.size), np.arange(0, rows.size + 1, 10), cuts)


@pytest.fixture(params=[False, True], ids=["nobody repeats", "all repeat"])
def repeating(request):
    return request.param


@pytest.fixture
def shop(repeating, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    splits = {name: users_of(20, repeating, seed) for seed, name in enumerate(("train", "valid", "test"))}
    names = {split: [f"{split}-{user}" for user in range(20)] for split in splits}
    vocabulary = Vocabulary([f"i{row}" for row in range(1, 41)])
    write_dataset("data/shop", name="shop", splits=splits, users=names, vocabulary=vocabulary, made_by={})
    return load_dataset("data/shop")


def lists_of(run, dataset) -> list[set[str]]:
    """The items that each test user is recommended, all that there are."""
    raw = dataset.vocabulary.raw_ids
    histories = [raw(dataset.test.items[start : start + 8]) for start in dataset.test.offsets[:-1]]
    found = run.recommender().recommend(histories, top_n=40)
    return [set(found[found.user == user]["item"]) & set(history) for user, history in enumerate(histories)]


@pytest.mark.trains
def test_one_decision_reaches_validation_evaluation_export_and_recommendations(shop, repeating, capsys):
    """The model reads four items of a history of eight; all eight are left out, or none."""
    run = train(shop, "SA", run_dir="runs/a", **SMALL)
    assert shop.repeats == float(repeating) and run.repeats == shop.repeats
    assert run.settings.training.exclude_history == ("no" if repeating else "yes")
    other = "yes" if repeating else "no"
    own = run.evaluate("valid").means["recall@50"]
    assert own == read_metrics(run.path)[-1]["valid_recall@50"] == 1  # there are 40 items
    assert run.evaluate("valid", exclude_history=other).means["recall@50"] == float(not repeating)
    assert all(len(own_items) == (8 if repeating else 0) for own_items in lists_of(run, shop))
    line = f"history left {'in' if repeating else 'out of'} the lists (auto: {shop.repeats:.1%} of targets repeat)"
    flags, history = ["--run_dir", "runs/a"], ",".join(f"i{row}" for row in range(1, 9))
    capsys.readouterr()
    assert evaluate(flags) == evaluate([*flags, "--exclude_history", other]) == export(flags) == 0
    assert recommend([*flags, "--history", history, "--top_n", "40"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed.count(line) == 3
    reports = [json.loads(path.read_text()) for path in sorted(run.path.glob("evaluation_test*.json"))]
    assert [report["exclude_history"] for report in reports] == [not repeating, repeating]
    exported = Exported(run.path / "export")
    assert exported.card["exclude_history"] is not repeating and exported.card["test_metrics"] == reports[0]["metrics"]
    items, _, _ = exported.recommend(history.split(","), 40)
    assert len(items) == (40 if repeating else 32)


@pytest.mark.trains
@pytest.mark.parametrize("repeating", [False], indirect=True)
def test_runs_of_the_papers_and_of_older_versions_keep_it_in_until_told(shop):
    paper = train(shop, "SA", recipe="paper", run_dir="runs/paper", **SMALL)
    assert all(len(own) == 8 for own in lists_of(paper, shop))
    assert not paper.excludes_history() and paper.excludes_history("auto")
    warm = train(shop, warm_start=paper, run_dir="runs/warm", max_steps=0, exclude_history="auto")
    assert warm.settings.training.exclude_history == "yes"
    config = json.loads((paper.path / "config.json").read_text())
    del config["settings"]["training"]["exclude_history"], config["dataset"]["repeats"]
    (paper.path / "config.json").write_text(json.dumps(config))
    old = load_run(paper.path, verify=False)
    assert not old.excludes_history() and old.repeats is None
    assert old.excludes_history("auto")  # measured on the dataset
