import json
import os
import subprocess
import sys
import types

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from remi_tf import serving
from remi_tf.config import Settings
from remi_tf.data.interactions import Interactions, load_dataset, write_dataset
from remi_tf.data.vocabulary import Vocabulary
from remi_tf.errors import InputError
from remi_tf.retrieval.top_k import recommend

NUM_ITEMS = 200
RAW_IDS = [f"item,{row}" if row % 7 == 0 else f"ïtem {row}" for row in range(1, NUM_ITEMS + 1)]


class TinyModel:
    """Interests: the mean of the history (with a weight of its own) and its first item."""

    max_history = 4
    needs = ()

    def __init__(self, num_items=NUM_ITEMS, seed=0):
        rng = np.random.default_rng(seed)
        self.item_table = tf.Variable(rng.standard_normal((num_items + 1, 8)).astype(np.float32))
        self.projection = tf.Variable(rng.standard_normal((8, 8)).astype(np.float32))

    def item_vectors(self):
        return tf.convert_to_tensor(self.item_table)

    def interests(self, history):
        rows = tf.gather(self.item_table, history) * tf.cast(history > 0, tf.float32)[:, :, None]
        return tf.stack([tf.matmul(tf.reduce_sum(rows, axis=1), self.projection), rows[:, 0]], axis=1)


def make_dataset(path, raw_ids=RAW_IDS):
    one_user = Interactions(np.array([1, 2], np.int32), np.arange(2), np.array([0, 2]), np.array([1]))
    write_dataset(
        path,
        name="tiny",
        splits=dict.fromkeys(("train", "valid", "test"), one_user),
        users={split: ["someone"] for split in ("train", "valid", "test")},
        vocabulary=Vocabulary(raw_ids),
        titles=[f"Title of {raw_id}" for raw_id in raw_ids],
        made_by={},
    )
    return load_dataset(path)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return make_dataset(tmp_path_factory.mktemp("data") / "tiny")


@pytest.fixture(scope="module")
def model():
    return TinyModel()


@pytest.fixture(scope="module", params=[False, True], ids=["all", "exclude_history"])
def exported(request, dataset, model, tmp_path_factory):
    """(signature, exclude_history): small chunks, so that the catalogue is walked in several."""
    path = serving.export(
        model, dataset, tmp_path_factory.mktemp("export"), 20, exclude_history=request.param, score_bytes=4000
    )
    module = tf.saved_model.load(str(path))
    signature = module.signatures["serving_default"]
    signature.module = module
    return signature, request.param


def ask(signature, *histories):
    """The signature's answer for histories of any length."""
    width = max(map(len, histories), default=0)
    padded = [[*history, *[""] * (width - len(history))] for history in histories]
    return signature(history=tf.constant(padded, tf.string, [len(histories), width]))


def expected(model, dataset, history, exclude_history):
    """Raw ids and scores by the model in process."""
    known = [row for row in dataset.vocabulary.rows(history) if row][-model.max_history :]
    rows = np.array([known + [0] * (model.max_history - len(known))], np.int32)
    ids, scores = recommend(model, tf.constant(rows), 20, exclude_history)
    return dataset.vocabulary.raw_ids(ids[0].numpy()), scores[0].numpy()


def decoded(row):
    return [item.decode() for item in row.numpy()]


HISTORIES = [
    ["ïtem 3"],
    ["item,7", "ïtem 3", "ïtem 9"],
    [f"ïtem {row}" for row in (1, 2, 3, 4, 5, 6, 8, 9)],
    ["unknown", "ïtem 3", "", "nobody", "ïtem 4", "ïtem 5", "ïtem 6", "unknown"],
]


def test_the_exported_model_answers_as_the_model_in_process(exported, dataset, model):
    signature, exclude_history = exported
    answer = ask(signature, *HISTORIES)
    for user, history in enumerate(HISTORIES):
        items, scores = expected(model, dataset, history, exclude_history)
        assert decoded(answer["items"][user]) == items
        np.testing.assert_allclose(answer["scores"][user], scores, rtol=1e-5)
    assert answer["known_items"].numpy().tolist() == [1, 3, 8, 4]


def test_unknown_ids_and_padding_change_nothing(exported):
    signature, _ = exported
    plain = ask(signature, ["ïtem 3", "ïtem 4"])
    mixed = ask(signature, ["", "x", "ïtem 3", "", "y", "ïtem 4", "z"])
    for name in ("items", "scores", "known_items"):
        np.testing.assert_array_equal(plain[name], mixed[name])


def test_a_history_without_known_ids_gets_the_popular_items(exported):
    signature, _ = exported
    for answer in (ask(signature, ["nobody", "knows"]), ask(signature, []), ask(signature, [""])):
        assert decoded(answer["items"][0]) == RAW_IDS[:20]
        assert answer["scores"].numpy().tolist() == [[0.0] * 20]
        assert answer["known_items"].numpy().tolist() == [0]


def test_a_batch_of_no_rows_is_answered(exported):
    answer = ask(exported[0])
    assert answer["items"].shape == (0, 20) and answer["scores"].shape == (0, 20)


def test_padding_is_never_returned_and_nothing_twice(exported):
    rng = np.random.default_rng(0)
    answer = ask(exported[0], *[rng.choice(RAW_IDS, rng.integers(0, 9)).tolist() for _ in range(50)])
    for row in answer["items"]:
        items = decoded(row)
        assert "" not in items and len(set(items)) == 20


def test_an_excluded_history_is_not_returned(exported):
    signature, exclude_history = exported
    recommended_own = 0
    for row in range(1, NUM_ITEMS):
        history = [RAW_IDS[row - 1], RAW_IDS[row]]
        recommended_own += bool(set(history) & set(decoded(ask(signature, history)["items"][0])))
    assert (recommended_own == 0) is exclude_history


@given(st.lists(st.lists(st.integers(0, 5), min_size=6, max_size=6), min_size=1, max_size=4), st.integers(1, 7))
def test_the_last_known_rows_are_kept_in_order(rows, length):
    kept = serving.last_known(tf.constant(rows, tf.int32), length).numpy().tolist()
    for row, result in zip(rows, kept, strict=True):
        known = [item for item in row if item][-length:]
        assert result == known + [0] * (length - len(known))


FRESH_PROCESS = """
import sys
import numpy as np
import tensorflow as tf
signature = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
answer = signature(history=tf.constant([["ïtem 3", "nobody", "item,7"]]))
print(answer["items"][0, 0].numpy().decode(), int(answer["known_items"][0]))

v1 = tf.compat.v1
with v1.Session(graph=tf.Graph()) as session:  # how TensorFlow Serving loads and runs it
    signature = v1.saved_model.load(session, ["serve"], sys.argv[1]).signature_def["serving_default"]
    fetched = {name: tensor.name for name, tensor in signature.outputs.items()}
    for rows in (2, 0, 1):
        history = np.full([rows, 3], ["ïtem 3", "nobody", "item,7"], dtype=object)
        result = session.run(fetched, {signature.inputs["history"].name: history})
        assert (result["items"] == answer["items"].numpy()).all() and result["items"].shape[0] == rows
assert not any(name.split(".")[0] in ("remi_tf", "tf_keras", "tensorflow_recommenders") for name in sys.modules)
"""


def test_a_fresh_process_loads_it_with_tensorflow_alone_eager_or_as_a_session_even_after_a_move(
    dataset, model, tmp_path
):
    path = serving.export(model, dataset, tmp_path / "here", 20)
    moved = tmp_path / "there"
    path.rename(moved)
    environment = {name: value for name, value in os.environ.items() if name != "TF_USE_LEGACY_KERAS"}
    result = subprocess.run(
        [sys.executable, "-c", FRESH_PROCESS, str(moved)],
        cwd=tmp_path, env={**environment, "PYTHONIOENCODING": "utf-8"}, capture_output=True, encoding="utf-8",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    items, _ = expected(model, dataset, ["ïtem 3", "item,7"], False)
    assert result.stdout.strip() == f"{items[0]} 2"
    graph = (moved / "saved_model.pb").read_bytes()
    assert b"_XlaMustCompile" not in graph  # TensorFlow Serving refuses such a request
    assert str(dataset.path).encode() not in graph


def test_versions_with_other_vocabularies_live_side_by_side_in_a_process(model, tmp_path):
    versions = []
    for number, raw_ids in enumerate((RAW_IDS, RAW_IDS[::-1])):
        dataset = make_dataset(tmp_path / "data", raw_ids)
        serving.export(model, dataset, tmp_path / "export", 3)
        versions.append(serving.Exported(tmp_path / "export"))
        (tmp_path / "data").rename(tmp_path / f"data {number}")
    assert [version.recommend([], 3)[0] for version in versions] == [RAW_IDS[:3], RAW_IDS[:-4:-1]]


def test_versions_count_up_and_a_failed_export_leaves_nothing(dataset, model, tmp_path, monkeypatch):
    assert [serving.export(model, dataset, tmp_path, 5).name for _ in range(2)] == ["1", "2"]
    (tmp_path / "7").mkdir()
    assert serving.export(model, dataset, tmp_path, 5).name == "8"

    def fails(*arguments, **options):
        raise OSError("disk full")

    monkeypatch.setattr(serving.tf.saved_model, "save", fails)
    with pytest.raises(OSError, match="disk full"):
        serving.export(model, dataset, tmp_path, 5)
    assert sorted(folder.name for folder in tmp_path.iterdir()) == ["1", "2", "7", "8"]


def test_top_n_is_cut_to_what_the_catalogue_can_always_give(model, dataset, tmp_path):
    serving.export(model, dataset, tmp_path, 1000, exclude_history=True)
    exported = serving.Exported(tmp_path)
    assert exported.card["max_top_n"] == NUM_ITEMS - model.max_history
    items, _, _ = exported.recommend(RAW_IDS[:6], exported.card["max_top_n"])
    assert set(items) == set(RAW_IDS[:2] + RAW_IDS[6:])


def test_what_cannot_be_exported_is_refused_before_anything_is_written(dataset, tmp_path):
    with pytest.raises(InputError, match="the model has 5 items, the dataset tiny has 200"):
        serving.export(TinyModel(5), dataset, tmp_path / "export")
    broken = TinyModel()
    broken.item_table.assign(broken.item_table * np.nan)
    with pytest.raises(InputError, match="NaN"):
        serving.export(broken, dataset, tmp_path / "export")
    with pytest.raises(InputError, match="empty id"):
        serving.export(TinyModel(3), make_dataset(tmp_path / "data", ["a", "", "b"]), tmp_path / "export")
    with pytest.raises(InputError, match="nothing left to recommend"):
        serving.export(TinyModel(3), make_dataset(tmp_path / "few", ["a", "b", "c"]), tmp_path / "export", 5, True)
    assert not (tmp_path / "export").exists()


@pytest.fixture
def run(dataset, model, tmp_path, monkeypatch):
    run = types.SimpleNamespace(model=model, catalogue=dataset, settings=Settings(), step=30, path=tmp_path / "run")
    run.path.mkdir()
    monkeypatch.setattr("remi_tf.run.load_run", lambda path: run)
    return run


def test_the_card_has_the_metrics_of_the_same_step_and_question_only(run, capsys):
    evaluation = {"step": 30, "exclude_history": False, "metrics": {"model": {"recall@20": 0.25}}}
    (run.path / "evaluation_test.json").write_text(json.dumps(evaluation))
    assert serving.main(["--run_dir", str(run.path), "--max_top_n", "9"]) == 0
    assert capsys.readouterr().out.split()[-1] == str(run.path / "export" / "1")
    card = serving.Exported(run.path / "export").card
    assert card["test_metrics"] == evaluation["metrics"]
    assert (card["step"], card["max_top_n"], card["settings"]) == (30, 9, run.settings.to_json())
    assert card["dataset"]["fingerprint"] == run.catalogue.fingerprint
    serving.main(["--run_dir", str(run.path), "--exclude_history"])
    assert serving.Exported(run.path / "export").card["test_metrics"] is None
    run.step = 40
    serving.main(["--run_dir", str(run.path)])
    assert serving.Exported(run.path / "export").card["test_metrics"] is None


def test_recommend_exports_first_and_prints_what_the_exported_model_returns(run, capsys):
    arguments = ["--run_dir", str(run.path), "--top_n", "3", "--history"]
    assert serving.recommend_main([*arguments, "ïtem 3, nobody,ïtem 4"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("nothing exported yet: exporting to")
    assert lines[1] == "not in the catalogue and ignored: 'nobody'"
    assert lines[2].split() == ["rank", "item_id", "score", "title"]
    items, scores = expected(run.model, run.catalogue, ["ïtem 3", "ïtem 4"], False)
    for rank in range(3):
        assert lines[3 + rank].startswith(f"   {rank + 1}  {items[rank]}")
        assert lines[3 + rank].endswith(f"{scores[rank]:.4f}  Title of {items[rank]}")
    serving.recommend_main([*arguments, "nobody"])
    assert "these are the most popular items" in capsys.readouterr().out
    run.step = 50
    serving.recommend_main([*arguments, "ïtem 3"])
    assert "holds other weights than the run's best (step 50)" in capsys.readouterr().out
    with pytest.raises(InputError, match=r"--top_n 500: .* returns 1 to 100 items"):
        serving.recommend_main(["--run_dir", str(run.path), "--top_n", "500", "--history", "ïtem 3"])


@pytest.mark.parametrize(
    ("flags", "history"),
    [
        (["a, b,,c"], ["a", "b", "c"]),
        (["a,b", "c d "], ["a,b", "c d "]),
        (['["a,b", 12, "c"]'], ["a,b", "12", "c"]),
        ([""], []),
    ],
)
def test_ids_with_commas_can_be_given(flags, history):
    assert serving.parse_history(flags) == history


@pytest.mark.parametrize("value", ["[a,b]", "[1.5]", "[true]", "[[1]]"])
def test_a_list_that_is_not_one_of_ids_is_refused(value):
    with pytest.raises(InputError, match="--history"):
        serving.parse_history([value])


def test_a_folder_without_an_export_is_named(tmp_path):
    with pytest.raises(InputError, match="no exported model here"):
        serving.Exported(tmp_path)
