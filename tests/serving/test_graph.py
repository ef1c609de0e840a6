"""The served graph answers as the model in process, for whatever a client sends."""

import os
import resource
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.data.dataset.views import day_numbers
from remi_tf.model import MultiInterestModel
from remi_tf.serving import export as serving
from remi_tf.serving.graph import ServingGraph
from remi_tf.settings.presets import compose
from remi_tf.systems import recommend
from remi_tf.training.run_folder import build
from tests.serving_toys import (
    COLUMNS,
    NUM_ITEMS,
    RAW_IDS,
    Cosine,
    Dated,
    Exported,
    Personal,
    TinyModel,
    ask,
    decoded,
    expected,
    make_dataset,
)

pytestmark = pytest.mark.trains


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


def served(model, dataset, path):
    module = tf.saved_model.load(str(serving.export(model, dataset, path, 20)))
    signature = module.signatures["serving_default"]
    signature.module = module
    return signature


def test_times_follow_their_items_and_unknown_items_are_dropped_with_theirs(dataset, tmp_path):
    model = Dated()
    signature = served(model, dataset, tmp_path)
    history = tf.constant([["ïtem 3", "nobody", "ïtem 4", "", "ïtem 5"], ["", "", "ïtem 9", "", ""]])
    times = 1_600_000_000 + 86_400 * np.array([[0, 999, 3, -999, 17], [2**40, -(2**40), 40, 0, 0]])
    answer = signature(history=history, timestamps=tf.constant(times))
    days = np.zeros([2, 4], np.int32)
    days[0, :3], days[1, 0] = day_numbers(times[0, [0, 2, 4]]), day_numbers(times[1, 2])
    ids, scores = recommend(model, tf.constant([[3, 4, 5, 0], [9, 0, 0, 0]]), 20, days=tf.constant(days))
    np.testing.assert_allclose(answer["scores"], scores, rtol=1e-5)
    assert [decoded(row) for row in answer["items"]] == [dataset.vocabulary.raw_ids(row) for row in ids.numpy()]


def test_times_of_another_shape_and_absurd_ones_do_no_harm(dataset, tmp_path):
    signature = served(Dated(), dataset, tmp_path)
    history = tf.constant([["ïtem 3", "ïtem 4"]])
    with pytest.raises(tf.errors.InvalidArgumentError, match="timestamps must have the shape of history"):
        signature(history=history, timestamps=tf.constant([[1, 2, 3]], tf.int64))
    answer = signature(history=history, timestamps=tf.constant([[-(2**63), 2**63 - 1]], tf.int64))
    assert np.isfinite(answer["scores"]).all()


def test_profiles_are_taken_as_text_and_what_is_unknown_has_code_0(tmp_path):
    model, dataset = Personal(), make_dataset(tmp_path / "data", profile_columns=COLUMNS)
    signature = served(model, dataset, tmp_path / "export")
    with pytest.raises(tf.errors.InvalidArgumentError, match="profile must have 2 values a user"):
        signature(history=tf.constant([["ïtem 3"]]), profile=tf.constant([["F"]]))
    profiles = [["F", "x,y"], ["M", "1"], ["", "é"], ["é", "F"]]
    codes = [[1, 2], [2, 3], [0, 1], [0, 0]]
    answer = signature(history=tf.constant([["ïtem 3"]] * 4), profile=tf.constant(profiles))
    ids, scores = recommend(model, tf.constant([[3, 0, 0, 0]] * 4), 20, profile=tf.constant(codes))
    np.testing.assert_allclose(answer["scores"], scores, rtol=1e-5)
    assert [decoded(row) for row in answer["items"]] == [dataset.vocabulary.raw_ids(row) for row in ids.numpy()]


def test_for_cosines_the_vectors_are_stored_at_length_1(dataset, tmp_path):
    model = Cosine()
    signature = served(model, dataset, tmp_path)
    answer = ask(signature, ["ïtem 3", "ïtem 4"])
    assert "cosine with the best" in Exported(tmp_path).card["signatures"]["serving_default"]["outputs"]["scores"]
    items, scores = expected(model, dataset, ["ïtem 3", "ïtem 4"], False)
    assert decoded(answer["items"][0]) == items
    np.testing.assert_allclose(answer["scores"][0], scores, rtol=1e-5)
    tables = [weight for weight in signature.module.weights if weight.shape[0] == NUM_ITEMS + 1]
    assert sorted(np.allclose(tf.norm(table, axis=1), 1) for table in tables) == [False, True]
    graph = signature.graph.as_graph_def()
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    assert "MatMul" in {node.op for node in nodes} and "Rsqrt" not in {node.op for node in nodes}


def test_no_request_copies_the_item_table(dataset):
    """A gather from a variable itself (ResourceGather) makes each later read of this variable copy it whole."""
    model = MultiInterestModel(compose("tiny", "default", False, {"model_type": "SA"}, NUM_ITEMS), NUM_ITEMS)
    build(model)
    graph = ServingGraph(model, dataset, 10)
    for function in graph.functions.values():
        definition = function.get_concrete_function().graph.as_graph_def()
        nodes = [*definition.node, *(node for inner in definition.library.function for node in inner.node_def)]
        assert "ResourceGather" not in {node.op for node in nodes}


@pytest.fixture(scope="module")
def limited(model, tmp_path_factory):
    return ServingGraph(model, make_dataset(tmp_path_factory.mktemp("data") / "shop", categories=True), 20)


@pytest.mark.parametrize("value", ["", "nobody", "ïtem 5"])
@pytest.mark.parametrize("name", ["history", "exclude", "allow", "categories"])
def test_a_list_of_a_million_names_is_answered_within_seconds(limited, name, value):
    """0.04 s where it was written; it took 103 s and 2 GB when each name met each category."""
    limited.recommend(history=[["ïtem 3"]])
    start = time.perf_counter()
    status = limited.recommend(**{"history": [["ïtem 3"]], name: tf.fill([1, 1_000_000], value)})["status"]
    assert time.perf_counter() - start < 10
    assert status.shape == [1]


def test_a_list_for_all_rows_is_not_copied_for_each_row(limited):
    """256 rows with a list of a million ids: copies would take 6 GB."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KB on Linux
    shared = {"exclude": "ïtem 4", "allow": "ïtem 5", "categories": "crime"}
    lists = {name: tf.fill([1, 1_000_000], text) for name, text in shared.items()}
    answer = limited.recommend(history=[["ïtem 3"]] * 256, **lists)
    assert {item.decode() for item in answer["items"].numpy().ravel()} <= {"ïtem 5", ""}
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2_000_000
