"""The signatures recommend, interests and items, and the model card of an export."""

import re

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from remi_tf.serving import export as serving
from remi_tf.systems import recommend
from tests.serving_toys import (
    CATEGORY_NAMES,
    NUM_ITEMS,
    RAW_IDS,
    Cosine,
    Exported,
    Routed,
    TinyModel,
    categories_of,
    decoded,
    make_dataset,
)

pytestmark = pytest.mark.trains

TOP = 20


CATEGORY_OF = dict(zip(RAW_IDS, categories_of(NUM_ITEMS)[1:], strict=True))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return make_dataset(tmp_path_factory.mktemp("data") / "tiny", categories=True)


@pytest.fixture(scope="module")
def model():
    return Routed()


@pytest.fixture(scope="module")
def exported(dataset, model, tmp_path_factory):
    """The loaded module; small chunks, so that the catalogue is walked in several."""
    return tf.saved_model.load(
        str(serving.export(model, dataset, tmp_path_factory.mktemp("export"), TOP, score_bytes=4000))
    )


@pytest.fixture(scope="module")
def ask(exported):
    """Ask for histories of one length; what is not given asks for nothing. One answer a row: lists of Python values."""
    signature = exported.signatures["recommend"]

    def answers(histories, **choices):
        plain = {"top_n": 10, "exclude_history": False, "exclude": [[""]], "allow": [[""]], "categories": [[""]]}
        given = plain | {"diversity": 0.0} | choices
        kinds = {"top_n": tf.int32, "exclude_history": tf.bool, "diversity": tf.float32}
        inputs = {name: tf.constant(value, kinds.get(name, tf.string)) for name, value in given.items()}
        result = signature(history=tf.constant(histories, tf.string), **inputs)
        result = {name: value.numpy() for name, value in result.items()}
        result["items"] = [[item.decode() for item in row] for row in result["items"]]
        result["status"] = [status.decode() for status in result["status"]]
        return [{name: value[row] for name, value in result.items()} for row in range(len(histories))]

    return answers


A, B, C = "ïtem 3", "ïtem 4", "ïtem 9"


def plain_list(model, dataset, history, n, exclude_history=False):
    rows = np.zeros([1, model.max_history], np.int32)
    known = dataset.vocabulary.rows(history)
    rows[0, : len(known)] = known
    ids, scores = recommend(model, tf.constant(rows), n, exclude_history)
    return dataset.vocabulary.raw_ids(ids[0].numpy()), scores[0].numpy()


def test_a_request_that_chooses_nothing_gets_what_serving_default_returns(ask, exported, model, dataset):
    histories = [[A, B, C], [C, "nobody", ""], ["", "", ""]]
    default = exported.signatures["serving_default"](history=tf.constant(histories))
    for row, answer in enumerate(ask(histories, top_n=TOP)):
        assert answer["items"] == decoded(default["items"][row])
        np.testing.assert_array_equal(answer["scores"], default["scores"][row])
    items, scores = plain_list(model, dataset, [A, B, C], TOP)
    assert ask(histories, top_n=TOP)[0]["items"] == items
    np.testing.assert_allclose(ask(histories, top_n=TOP)[0]["scores"], scores, rtol=1e-5)


def test_every_row_gets_as_many_items_as_it_asks_for(ask, model, dataset):
    answers = ask([[A, B], [B, C], [A, B]], top_n=[3, 7, 1])
    assert [len(answer["items"]) for answer in answers] == [7, 7, 7]
    assert [sum(item != "" for item in answer["items"]) for answer in answers] == [3, 7, 1]
    assert answers[0]["items"][:3] == plain_list(model, dataset, [A, B], 3)[0]
    assert answers[0]["scores"][3:].tolist() == [0] * 4
    assert ask([[A, B]], top_n=3)[0]["items"] == answers[0]["items"][:3]


def test_an_excluded_history_is_excluded_whole_however_long_it_is(ask, model):
    history = RAW_IDS[:50]
    assert len(history) > model.max_history
    kept, left_out = ask([history, history], top_n=TOP, exclude_history=[False, True])
    assert set(kept["items"]) & set(history)
    assert not set(left_out["items"]) & set(history) and left_out["status"] == ""


def test_exclude_lists_and_allow_lists_hold_for_their_row(ask):
    (plain,) = ask([[A, B]])
    first = plain["items"][0]
    without, allowed, both = ask(
        [[A, B]] * 3,
        exclude=[[first, "nobody"], ["", ""], [first, ""]],
        allow=[[""] * 3, [first, C, C], [first, C, ""]],
    )
    assert without["items"][:9] == plain["items"][1:] and without["status"] == ""
    assert [item for item in allowed["items"] if item] == [first, C]
    assert allowed["status"] == "note: only 2 items are left"
    assert [item for item in both["items"] if item] == [C]
    for answer in ask([[A, B], [B, C]], exclude=[[first]]):  # one list for all
        assert first not in answer["items"]


def test_only_items_of_the_categories_asked_for_are_returned(ask):
    one, two, every = ask([[A, B]] * 3, categories=[["crime", ""], ["ünivers", "cooking, and baking"], ["", ""]])
    assert {CATEGORY_OF[item] for item in one["items"]} == {1}
    assert {CATEGORY_OF[item] for item in two["items"]} == {2, 3}
    assert every["items"] == ask([[A, B]])[0]["items"]


def test_diversity_brings_categories_and_0_is_the_plain_list(ask):
    plain, mild, strong = ask([[A, B]] * 3, top_n=8, diversity=[0, 0.5, np.inf])
    assert plain["items"] == ask([[A, B]], top_n=8)[0]["items"]
    numbers = [len({CATEGORY_OF[item] for item in answer["items"]}) for answer in (plain, mild, strong)]
    assert numbers == sorted(numbers) and numbers[2] == len(CATEGORY_NAMES) + 1
    counts = np.bincount([CATEGORY_OF[item] for item in strong["items"]])
    assert counts.max() - counts.min() <= 1  # the next place always goes to a category that has fewest


def test_what_a_row_gets_does_not_depend_on_the_rest_of_its_batch(ask):
    alone = ask([[A, B, ""]], top_n=5, diversity=0.7, exclude=[[C]])[0]
    batch = ask(
        [["nobody", "", ""], [A, B, ""], [C, C, C]],
        top_n=[20, 5, -4],
        diversity=[np.nan, 0.7, 9],
        exclude=[[""], [C], [A]],
    )[1]
    assert batch["items"][:5] == alone["items"] and batch["status"] == alone["status"] == ""
    np.testing.assert_allclose(batch["scores"][:5], alone["scores"], rtol=1e-5)
    np.testing.assert_array_equal(batch["interest"][:5], alone["interest"])
    np.testing.assert_array_equal(batch["attention"], alone["attention"])


@pytest.mark.parametrize(
    ("choices", "status"),
    [
        ({"top_n": -3}, "error: top_n -3 is not in 1..20"),
        ({"top_n": 0}, "error: top_n 0 is not in 1..20"),
        ({"top_n": 21}, "error: top_n 21 is not in 1..20"),
        ({"diversity": np.nan}, "error: diversity nan is not 0 or more"),
        ({"diversity": -0.5}, "error: diversity -0.5 is not 0 or more"),
        ({"allow": ["nobody"]}, "error: no id of allow is known"),
        ({"categories": ["Crime"]}, "error: no name of categories is known"),
        ({"categories": ["crime"], "allow": ["ïtem 4"], "exclude": ["ïtem 4"]}, "note: only 0 items are left"),
        ({"history": ["nobody", "x"]}, "note: no id of history is known; these are the most popular items"),
        ({"history": ["", ""]}, "note: no id of history is known; these are the most popular items"),
    ],
)
def test_a_bad_row_is_told_why_and_its_neighbours_get_what_they_would_get_without_it(ask, choices, status):
    neighbour = {"history": [A, B], "top_n": 6, "diversity": 0.3, "allow": [""], "categories": [""], "exclude": [""]}
    (good,) = ask([neighbour["history"]], **{name: neighbour[name] for name in ("top_n", "diversity")})
    rows = [neighbour, neighbour | choices, neighbour]
    columns = {name: [row[name] for row in rows] for name in neighbour}
    before, bad, after = ask(columns.pop("history"), **columns)
    assert bad["status"] == status
    assert any(bad["items"]) is status.startswith("note: no id")
    for answer in (before, after):
        assert answer["status"] == "" and answer["items"][:6] == good["items"]


def test_a_very_long_history_is_read_from_its_end(ask):
    filler = [RAW_IDS[20 + place % 100] for place in range(9_996)]
    long, short = [*filler, A, B, C, A], [A, B, C, A]
    (answer,) = ask([long])
    assert answer["items"] == ask([short])[0]["items"] and answer["known_items"] == 10_000
    np.testing.assert_array_equal(answer["attention"][:, -4:], ask([short])[0]["attention"])
    assert not answer["attention"][:, :-4].any()


def test_an_item_comes_with_the_interest_that_fetched_it_and_what_that_interest_reads(ask, model, dataset):
    history = ["nobody", A, "", B, C]
    (answer,) = ask([history], top_n=TOP)
    np.testing.assert_allclose(answer["attention"], [[0, 1 / 3, 0, 1 / 3, 1 / 3], [0, 0, 0, 0, 1]], rtol=1e-6)
    table = model.item_table.numpy()
    of = lambda raw_ids: table[dataset.vocabulary.rows(raw_ids)]  # noqa: E731
    interests = answer["attention"] @ of([item if item != "nobody" else "" for item in history])
    products = of(answer["items"]) @ interests.T  # [n, 2]
    np.testing.assert_array_equal(answer["interest"], products.argmax(axis=1))
    np.testing.assert_allclose(answer["scores"], products.max(axis=1), rtol=1e-4)
    assert {*answer["interest"], *ask([[A, A, B]])[0]["interest"]} == {0, 1}
    assert (ask([["nobody"]])[0]["interest"] == -1).all()


def test_a_batch_of_no_rows_is_answered(exported):
    signature = exported.signatures["recommend"]
    nothing = tf.zeros([0, 3], tf.string)
    empty = tf.constant([[""]])
    answer = signature(
        history=nothing, top_n=tf.constant(5), exclude_history=tf.constant(True), exclude=nothing, allow=empty,
        categories=empty, diversity=tf.constant(1.0),
    )  # fmt: skip
    assert all(value.shape[0] == 0 for value in answer.values())


def test_choices_for_another_number_of_rows_and_of_another_type_are_refused_by_name(ask, exported):
    with pytest.raises(tf.errors.InvalidArgumentError, match="top_n: give one value for the whole batch, or one for"):
        ask([[A], [B]], top_n=[1, 2, 3])
    with pytest.raises(tf.errors.InvalidArgumentError, match="exclude: give one list for the whole batch, or one for"):
        ask([[A], [B]], exclude=[[A], [A], [A]])
    with pytest.raises(tf.errors.InvalidArgumentError, match="expected to be a string tensor but is a int32 tensor"):
        exported.signatures["serving_default"](history=tf.constant([[1, 2]]))


def test_interests_and_item_vectors_are_enough_to_make_the_list_elsewhere(exported, ask):
    interests = exported.signatures["interests"](history=tf.constant([[A, B, C]]))
    items = exported.signatures["items"](items=tf.constant([*RAW_IDS, "nobody", ""]))
    assert items["known"].numpy().tolist() == [True] * NUM_ITEMS + [False, False]
    assert not items["vectors"].numpy()[-2:].any()
    scores = (items["vectors"].numpy()[:NUM_ITEMS] @ interests["interests"].numpy()[0].T).max(axis=1)
    assert ask([[A, B, C]])[0]["items"] == [RAW_IDS[place] for place in np.argsort(-scores, kind="stable")[:10]]


def test_item_vectors_of_cosines_have_length_1(dataset, tmp_path):
    module = tf.saved_model.load(str(serving.export(Cosine(), dataset, tmp_path, 5)))
    vectors = module.signatures["items"](items=tf.constant([A, B]))["vectors"]
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)


def test_without_categories_and_routing_there_are_no_inputs_and_outputs_for_them(tmp_path):
    path = serving.export(TinyModel(), make_dataset(tmp_path / "data"), tmp_path / "export", 5)
    signature = tf.saved_model.load(str(path)).signatures["recommend"]
    inputs, outputs = set(signature.structured_input_signature[1]), set(signature.structured_outputs)
    assert not inputs & {"categories", "diversity"} and "attention" not in outputs
    assert {"top_n", "exclude_history", "exclude", "allow"} < inputs and {"interest", "status"} < outputs


def test_the_card_names_every_input_and_output_and_what_the_model_is_made_of(exported, dataset, tmp_path):
    serving.export(Routed(), dataset, tmp_path, 1000, card={"step": 7})
    card = Exported(tmp_path).card
    for name, signature in exported.signatures.items():
        if name.startswith("__"):
            continue
        assert set(card["signatures"][name]["inputs"]) == set(signature.structured_input_signature[1])
        assert set(card["signatures"][name]["outputs"]) == set(signature.structured_outputs)
    assert card["dataset"] == {"name": "tiny", "fingerprint": dataset.fingerprint, "num_items": NUM_ITEMS}
    assert card["categories"] == CATEGORY_NAMES
    assert card["step"] == 7 and re.match(r"\d{4}-\d\d-\d\dT[\d:]+\+00:00$", card["exported_at"])
    assert any("may return items of the history" in limit for limit in card["limits"])
    assert any(f"{NUM_ITEMS} items at most" in limit for limit in card["limits"])


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_whatever_is_asked_no_padding_no_duplicate_and_nothing_excluded_is_ever_returned(ask, data):
    ids = st.sampled_from([*RAW_IDS[:30], "nobody", ""])
    batch, width = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 6))

    def rows(values, shortest, longest):
        size = data.draw(st.integers(shortest, longest))
        return [data.draw(st.lists(values, min_size=size, max_size=size)) for _ in range(batch)]

    histories = rows(ids, width, width)
    exclude, allow = rows(ids, 1, 5), rows(ids, 1, 25)
    categories = rows(st.sampled_from(["", *CATEGORY_NAMES]), 1, 2)
    top_n = [data.draw(st.integers(1, TOP)) for _ in range(batch)]
    diversity = [data.draw(st.sampled_from([0.0, 0.1, 3.0, np.inf])) for _ in range(batch)]
    own = [data.draw(st.booleans()) for _ in range(batch)]
    answers = ask(
        histories, top_n=top_n, exclude_history=own, exclude=exclude, allow=allow, categories=categories,
        diversity=diversity,
    )  # fmt: skip
    for row, answer in enumerate(answers):
        possible = set(RAW_IDS) - set(exclude[row]) - (set(histories[row]) if own[row] else set())
        if any(allow[row]):
            possible &= set(allow[row])
        if any(categories[row]):
            possible = {item for item in possible if CATEGORY_OF[item] in numbers_of(categories[row])}
        items = [item for item in answer["items"] if item]
        assert answer["items"][: len(items)] == items  # what is missing is missing at the end
        assert set(items) <= possible and len(set(items)) == len(items)
        if answer["status"].startswith("error"):
            assert not items and set(allow[row]) <= {"nobody", ""}
        else:
            assert len(items) == min(top_n[row], len(possible))


def numbers_of(names):
    return {CATEGORY_NAMES.index(name) + 1 for name in names if name}
