"""The Python API: what the model gives, for lists and DataFrames, under every choice, and clear words for the rest."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

import remi_tf
from remi_tf.errors import InputError
from remi_tf.recommending import histories
from tests.serving_toys import NUM_ITEMS, RAW_IDS, Dated, Personal, expected, make_run

pytestmark = pytest.mark.trains
HISTORIES = [["ïtem 3", "nobody", "ïtem 4"], [], ["item,7"], RAW_IDS[:30]]


def test_lists_are_answered_as_by_the_model_in_the_order_given(recommender):
    result = recommender.recommend(HISTORIES, top_n=5)
    assert result.columns.tolist() == ["user", "rank", "item", "score", "interest"]
    assert result["user"].tolist() == np.repeat(range(4), 5).tolist()
    assert result["rank"].tolist() == [1, 2, 3, 4, 5] * 4
    for user, history in enumerate(HISTORIES):
        items, scores = expected(recommender.run.model, recommender.catalogue, history, False)
        rows = result[result.user == user]
        assert rows["item"].tolist() == items[:5]
        np.testing.assert_allclose(rows["score"], scores[:5], rtol=1e-5)
    assert (result.loc[result.user == 1, "interest"] == -1).all()


def test_the_interest_that_fetched_an_item_is_told(recommender):
    result = recommender.recommend([["ïtem 3", "ïtem 4"]], top_n=20)
    rows = recommender.catalogue.vocabulary.rows(["ïtem 3", "ïtem 4"])
    vectors = recommender.run.model.interests(np.array([[*rows, 0, 0]], np.int32)).numpy()[0]  # [K, d]
    table = recommender.run.model.item_table.numpy()[recommender.catalogue.vocabulary.rows(result["item"])]
    assert result["interest"].tolist() == (table @ vectors.T).argmax(axis=1).tolist()


def test_a_frame_gives_what_its_lists_give_in_the_order_of_time(recommender):
    frame = pd.DataFrame(
        {
            "user": [70, 5, 70, 70, 5],
            "item": ["ïtem 4", "item,7", "ïtem 3", "ïtem 9", "ïtem 2"],
            "time": [1_400_000_300, 1_400_000_100, 1_400_000_200, 1_400_000_400, 1_400_000_100],
        }
    )
    lists = {70: ["ïtem 3", "ïtem 4", "ïtem 9"], 5: ["item,7", "ïtem 2"]}
    by_list = recommender.recommend(lists, 6)
    pd.testing.assert_frame_equal(recommender.recommend(frame, 6), by_list)
    renamed = frame.rename(columns={"user": "who", "item": "what", "time": "when"})
    columns = {"user_col": "who", "item_col": "what", "time_col": "when"}
    pd.testing.assert_frame_equal(recommender.recommend(renamed, 6, **columns), by_list)
    in_rows = recommender.recommend(frame.drop(columns="time"), 6)
    pd.testing.assert_frame_equal(in_rows, recommender.recommend({70: ["ïtem 4", "ïtem 3", "ïtem 9"], 5: lists[5]}, 6))


def test_answers_stand_under_the_callers_own_names(recommender):
    lists = {3: ["ïtem 3"], 1: ["ïtem 4", "ïtem 9"], 2: ["item,7"]}
    by_dict = recommender.recommend(lists, 4)
    pd.testing.assert_frame_equal(recommender.recommend(pd.Series(lists), 4), by_dict)
    rows = pd.DataFrame({"user": list(lists), "item": list(lists.values())})
    pd.testing.assert_frame_equal(recommender.recommend(rows, 4), by_dict)
    pd.testing.assert_frame_equal(recommender.recommend(pa.Table.from_pandas(rows.explode("item")), 4), by_dict)
    mixed = {1: ["ïtem 3"], None: ["ïtem 4"], "1": ["item,7"], 2.5: []}
    result = recommender.recommend(mixed, 1)
    assert result["user"].tolist() == list(mixed)
    for user, item in zip(mixed, result["item"], strict=True):
        assert recommender.recommend([mixed[user]], 1)["item"].tolist() == [item]


def test_how_much_is_known_is_told_and_unknown_histories_still_get_popular_items(recommender, monkeypatch):
    told = []
    monkeypatch.setattr("absl.logging.warning", lambda text, *values: told.append(text % values))
    fresh = remi_tf.Recommender(recommender.run)
    fresh.recommend([["ïtem 3"], []])
    assert not told
    for batch in ([["ïtem 3", "ïtem 4"], ["ïtem 9", "nobody"]], [["ïtem 3"], ["ïtem 3", "else"]]):
        fresh.recommend(batch)  # some unknown ids are usual: told once
    assert len(told) == 1 and "3 of 4 interactions and 2 of 2 users are known; " in told[0] and "'nobody'" in told[0]
    for text in ("Ïtem 3 ", "ÏTEM 3"):  # a batch of which little is known: told each time
        result = fresh.recommend([[text], [text]], 3)
        assert result["item"].tolist() == RAW_IDS[:3] * 2 and (result["interest"] == -1).all()
    assert len(told) == 3 and "0 of 2 interactions and 0 of 2 users are known" in told[1]
    assert "'ÏTEM 3' is unknown, 'ïtem 3' is known" in told[2]


def test_nobody_gets_an_empty_frame(recommender):
    for nobody in ([], {}, pd.DataFrame({"user": [], "item": []})):
        result = recommender.recommend(nobody)
        assert result.columns.tolist() == ["user", "rank", "item", "score", "interest"] and result.empty


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from([*RAW_IDS[:40], "nobody", ""]), max_size=12), min_size=1, max_size=5),
    st.integers(1, NUM_ITEMS + 5),
    st.booleans(),
    st.lists(st.sampled_from([*RAW_IDS, "nobody"]), max_size=20),
)
def test_index_and_graph_answer_alike_and_never_what_is_excluded(whole_numbers, lists, top_n, exclude_history, exclude):
    recommender, by_index = whole_numbers
    choices = {"top_n": top_n, "exclude_history": exclude_history, "exclude": exclude}
    exact, other = recommender.recommend(lists, **choices), by_index.recommend(lists, **choices)
    pd.testing.assert_frame_equal(exact, other)
    for user, rows in exact.groupby("user"):
        items = rows["item"].tolist()
        assert len(set(items)) == len(items) and not set(items) & {*exclude, ""}
        assert not exclude_history or not set(items) & set(lists[user])
        assert set(items) <= set(RAW_IDS)
    left = [set(RAW_IDS) - set(exclude) - (set(history) if exclude_history else set()) for history in lists]
    assert len(exact) == sum(min(top_n, len(items)) for items in left)


def test_batches_of_any_cut_give_the_same(recommender, monkeypatch):
    lists = [RAW_IDS[start : start + width] for start in range(0, 60, 7) for width in (1, 3, 9, 25)]
    whole = recommender.recommend(lists, 3)
    for users, cells in ((1, 1000), (3, 1000), (256, 20), (256, 1)):
        monkeypatch.setattr(histories, "USERS", users)
        monkeypatch.setattr(histories, "CELLS", cells)
        pd.testing.assert_frame_equal(recommender.recommend(lists, 3), whole, rtol=1e-5)


def test_allow_categories_and_diversity_are_passed_on(recommender):
    history = [["ïtem 3", "ïtem 4"]]
    assert set(recommender.recommend(history, 10, allow=["ïtem 8", "ïtem 9"])["item"]) == {"ïtem 8", "ïtem 9"}
    plain, diverse = (recommender.recommend(history, 6, diversity=value) for value in (0.0, float("inf")))
    kinds = [
        len(set(recommender.catalogue.categories[recommender.catalogue.vocabulary.rows(r["item"])]))
        for r in (plain, diverse)
    ]
    assert kinds[1] == 4 > kinds[0]


def test_days_and_profiles_reach_the_model(dataset, tmp_path):
    dated = remi_tf.Recommender(make_run(tmp_path / "dated", Dated(), dataset))
    history, apart = ["ïtem 3", "ïtem 4"], [900_000_000, 1_000_000_000]
    together = dated.recommend([history], 5)
    pd.testing.assert_frame_equal(dated.recommend([history], 5, timestamps=[[9, 9]]), together)
    old = dated.recommend([history], 5, timestamps=[apart])
    assert old["item"].tolist() == dated.recommend([["ïtem 4"]], 5)["item"].tolist() != together["item"].tolist()
    frame = pd.DataFrame({"user": 0, "item": history, "time": apart})
    pd.testing.assert_frame_equal(dated.recommend(frame, 5), old)
    personal = remi_tf.Recommender(make_run(tmp_path / "personal", Personal(), dataset))
    lists = {"ann": history, "bob": history}
    result = personal.recommend(lists, 5, profiles={"bob": ["M", "x,y"]})
    ann, bob = (result[result.user == user]["item"].tolist() for user in lists)
    assert ann == personal.recommend([history], 5)["item"].tolist() != bob


def test_who_has_no_profile_is_told(dataset, tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr("absl.logging.warning", lambda text, *values: told.append(text % values))
    personal = remi_tf.Recommender(make_run(tmp_path / "personal", Personal(), dataset))
    lists = {1: ["ïtem 3"], 2: ["ïtem 3"]}
    personal.recommend(lists, 5, profiles={1: ["M", "1"], 2: ["", ""]})
    assert not told
    personal.recommend(lists, 5, profiles={1: ["M", "1"]})
    assert len(told) == 1 and "1 of 2 users have none, such as 2" in told[0]
    with pytest.raises(InputError, match=r"none for user 1 \(int\), but one for '1' \(str\)"):
        personal.recommend(lists, 5, profiles={"1": ["M", "1"]})


def test_similar_items_are_the_nearest_by_cosine(recommender):
    result = recommender.similar_items("ïtem 3", 4)
    table = recommender.run.model.item_table.numpy()
    cosines = table @ table[3] / np.linalg.norm(table, axis=1) / np.linalg.norm(table[3])
    cosines[[0, 3]] = -np.inf
    best = np.argsort(-cosines)[:4]
    assert result["item"].tolist() == recommender.catalogue.vocabulary.raw_ids(best.tolist())
    np.testing.assert_allclose(result["score"], cosines[best], rtol=1e-5)
    assert len(recommender.similar_items("ïtem 3", 10_000)) == NUM_ITEMS - 1
    for item, message in (
        ("nobody", "item 'nobody': the catalogue tiny does not hold it"),
        (["ïtem 3"], r"item \['ïtem 3'\]: give one id, not a list"),
        (None, "item: None is missing, not a raw id"),
    ):
        with pytest.raises(InputError, match=message):
            recommender.similar_items(item)


def test_ids_as_tensors_are_read_everywhere(recommender):
    ids = ["ïtem 3", "ïtem 4"]
    plain = recommender.recommend([ids], exclude=["ïtem 9"], allow=RAW_IDS[:30], categories=["crime"])
    tensors = {
        "exclude": tf.constant(["ïtem 9"]),
        "allow": tf.constant(RAW_IDS[:30]),
        "categories": np.array(["crime"]),
    }
    pd.testing.assert_frame_equal(recommender.recommend(tf.constant([ids]), **tensors), plain)
    pd.testing.assert_frame_equal(recommender.similar_items(tf.constant(ids[0])), recommender.similar_items(ids[0]))


def test_ids_as_bytes_are_read_as_utf_8(recommender):
    as_bytes = [raw_id.encode() for raw_id in ("ïtem 3", "ïtem 4")]
    pd.testing.assert_frame_equal(recommender.recommend([as_bytes]), recommender.recommend([["ïtem 3", "ïtem 4"]]))
    pd.testing.assert_frame_equal(recommender.similar_items(as_bytes[0]), recommender.similar_items("ïtem 3"))


def test_an_index_leaves_out_what_a_generator_excludes(whole_numbers):
    _, by_index = whole_numbers
    history = [["ïtem 3"]]
    best = by_index.recommend(history, 3)["item"].tolist()
    assert not set(best) & set(by_index.recommend(history, 3, exclude=(raw_id for raw_id in best))["item"])


def test_the_package_is_cheap_to_import_and_names_its_api():
    code = "import sys, remi_tf; assert 'tensorflow' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert remi_tf.Recommender.from_run
    with pytest.raises(AttributeError, match="has no attribute 'Recomender'"):
        remi_tf.Recomender  # noqa: B018
