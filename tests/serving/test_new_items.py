"""Items that the log has never seen are served by their features; items that are removed are in no list."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import remi_tf
from remi_tf.commands.export import main as export_command
from remi_tf.commands.index import main as index_command
from remi_tf.errors import InputError
from remi_tf.recommending.recommender import Recommender
from remi_tf.serving.new_item_tables import read_new_items
from remi_tf.serving.new_items import add_items, remove_items
from tests.featured_runs import prepared, table, trained

pytestmark = pytest.mark.trains
NEW = pd.DataFrame(
    {
        "item": ["new1", "new2", "new3"],
        "title": ["N1", "N2", ""],
        "genre": ["Crime", "Poetry", None],
        "price": [3, "", 9],
    }
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("featured")
    return trained(folder, prepared(folder))


def added(run, length=1.0):
    return add_items(run, read_new_items(NEW, run.catalogue), length)


def test_a_new_item_with_the_features_of_a_known_one_is_what_the_tower_says_of_that_one(run):
    twin = table().assign(item=lambda frame: "twin of " + frame["item"])
    wider = add_items(run, read_new_items(twin, run.catalogue), length=2.0)
    rows = wider.catalogue.vocabulary.rows(twin["item"])
    known = run.catalogue.vocabulary.rows(table()["item"])
    there = known > 0
    said = run.model.items.tower(tf.constant(known[there])).numpy()
    np.testing.assert_allclose(wider.model.item_table.numpy()[rows[there]], 2 * said, rtol=1e-4, atol=1e-6)
    size = run.catalogue.num_items + 1
    np.testing.assert_array_equal(wider.model.item_table.numpy()[:size], run.model.item_table.numpy())


def test_the_run_itself_stays_as_it_is(run):
    before = run.catalogue.num_items
    added(run)
    assert run.catalogue.num_items == before == run.model.item_table.shape[0] - 1


def test_the_boost_knows_new_items_by_what_is_alike_and_keeps_what_it_has_counted(run):
    wider, boost = added(run), run.model.boost
    assert boost is not None
    first = run.catalogue.num_items + 1
    ids, values = wider.model.boost.ids.numpy(), wider.model.boost.values.numpy()
    neighbours = set(wider.catalogue.vocabulary.raw_ids(ids[first][values[first] > 0].tolist()))
    crime = {f"b{n}" for n in range(0, 40, 4)}
    assert "new1" in neighbours and neighbours & crime
    for row in range(1, first):
        old = dict(zip(boost.ids.numpy()[row], boost.values.numpy()[row], strict=True))
        now = dict(zip(ids[row], values[row], strict=True))
        assert all(now.get(item) == value or value <= min(now.values()) for item, value in old.items() if value > 0)


def test_items_that_are_added_together_are_counted_as_those_that_are_added_one_by_one(run):
    def lists(boost):
        ids, values = boost.ids.numpy(), boost.values.numpy()
        found = [dict(zip(*pair, strict=True)) for pair in zip(ids.tolist(), values.tolist(), strict=True)]
        for row, pairs in enumerate(found):
            there = ids[row][values[row] > 0]
            assert len(set(there.tolist())) == len(there), "an id stands twice in a list"
            found[row] = {item: value for item, value in pairs.items() if value > 0}
        return found

    whole, one_by_one = added(run), run
    for place in range(len(NEW)):
        part = NEW.iloc[place : place + 1]
        one_by_one = add_items(one_by_one, read_new_items(part, one_by_one.catalogue))
    for one, other in zip(lists(one_by_one.model.boost), lists(whole.model.boost), strict=True):
        assert one == pytest.approx(other, rel=0.1)  # with each item, values are a little less or more rare
    first, own = run.catalogue.num_items + 1, lists(whole.model.boost)
    known = next(pairs[row] for row, pairs in enumerate(lists(run.model.boost)) if row in pairs)
    assert own[first][first] == pytest.approx(known, rel=0.2)


@pytest.mark.parametrize("length", [0.0, -1.0, float("nan"), float("inf")])
def test_a_length_that_is_none_is_refused(run, length):
    with pytest.raises(InputError, match=r"--new_item_length .*: give a finite number above 0"):
        added(run, length)


def test_lists_hold_new_items_if_they_come_high_enough_and_histories_may_hold_them(run):
    recommender = Recommender(run)
    recommender.add_items(NEW, length=50.0)
    found = recommender.recommend([["b0", "b4"]], top_n=43)
    assert {"new1", "new2", "new3"} <= set(found["item"])
    high = found.set_index("item")["score"].abs()
    assert high[["new1", "new2", "new3"]].max() > high.drop(["new1", "new2", "new3"]).median()
    assert len(recommender.recommend([["new1"]], top_n=3)) == 3
    assert recommender.similar_items("new1", top_n=2)["item"].notna().all()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (NEW.assign(item=["new1", "b3", "x"]), "'b3': in the run already"),
        (NEW.assign(item=["new1", "new1", "x"]), "'new1': twice in the table"),
        (NEW.assign(item=["new1", "", "x"]), "'': no id"),
        (NEW.assign(genre="Western", price=None), "nothing is known of these 3 .*genre, price"),
        (NEW.assign(price=["cheap", 1, 2]), "item 'new1': price .number.: 'cheap' is no number"),
        (NEW.drop(columns="genre"), "no column 'genre'"),
        (NEW.iloc[:0], "it has no row"),
    ],
)
def test_what_cannot_be_represented_is_refused_by_name(run, table, message):
    with pytest.raises(InputError, match=message):
        add_items(run, read_new_items(table, run.catalogue))


def test_a_run_of_ids_only_says_how_to_get_one_with_features(tmp_path):
    run = trained(tmp_path, prepared(tmp_path), item_tower="id", max_steps=20)
    with pytest.raises(InputError, match=r"its items are ids only.*--item_features.*--item_tower"):
        add_items(run, read_new_items(NEW, run.catalogue))


def test_removed_items_are_in_no_list_but_count_in_histories(run):
    recommender = Recommender(run)
    whole = recommender.recommend([["b0", "b4"]], top_n=40)["item"].tolist()
    recommender.remove_items(whole[:3])
    less = recommender.recommend([["b0", "b4"]], top_n=40)["item"].tolist()
    assert less == whole[3:]
    of_removed = recommender.recommend([[whole[0]]], top_n=5)
    assert (of_removed["interest"] >= 0).all() and not set(of_removed["item"]) & set(whole[:3])
    assert not set(recommender.recommend([["who"]], top_n=40)["item"]) & set(whole[:3])
    assert len(remove_items(run, ["b99", "b3"]).catalogue.removed) == 1
    with pytest.raises(InputError, match="knows none of 'b99'"):
        remove_items(run, ["b99"])
    with pytest.raises(InputError, match="'b3': give a list of ids"):
        remove_items(run, "b3")
    with pytest.raises(InputError, match="no item would be left"):
        remove_items(run, run.catalogue.vocabulary.raw_ids(range(1, run.catalogue.num_items + 1)))


@pytest.mark.parametrize("kind", ["flat", "hnsw"])
def test_an_index_of_a_changed_run_answers_as_the_exact_search(run, tmp_path, kind):
    changed = remove_items(added(run, 3.0), ["b1", "b2"])
    remi_tf.recommending.index_folder.build_index(changed, tmp_path / "index", kind=kind, top_n=5, split="test")
    histories = [["b0", "b4"], ["new2", "b7"], ["who"]]
    by_index = Recommender(changed, tmp_path / "index").recommend(histories, top_n=20)
    pd.testing.assert_frame_equal(by_index, Recommender(changed).recommend(histories, top_n=20), rtol=1e-4)
    with pytest.raises(InputError, match="other items added or removed"):
        Recommender(run, tmp_path / "index")
    with pytest.raises(InputError, match=r"index\.py --add_items FILE|index --add_items FILE"):
        Recommender(changed, tmp_path / "index").add_items(NEW)


ALONE = """
import json, sys
import tensorflow as tf
served = tf.saved_model.load(sys.argv[1])
found = served.signatures["serving_default"](history=tf.constant([["b0", "new1"]]))
print(json.dumps([item.decode() for item in found["items"].numpy()[0]]))
"""


def test_a_served_model_answers_for_added_items_with_tensorflow_only(run, tmp_path):
    NEW.to_csv(tmp_path / "new.csv", index=False)
    (tmp_path / "gone.txt").write_text("b1\nb2\n")
    flags = ["--add_items", str(tmp_path / "new.csv"), "--new_item_length", "20"]
    flags += ["--remove_items", str(tmp_path / "gone.txt"), "--exclude_history", "no"]
    assert export_command(["--run_dir", str(run.path), "--export_dir", str(tmp_path / "out"), *flags]) == 0
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(tmp_path / "out" / "1")], capture_output=True, text=True, check=True
    )
    items = json.loads(done.stdout.splitlines()[-1])
    assert {"new1", "new2", "new3"} <= set(items) and not {"b1", "b2"} & set(items)


def test_the_commands_refuse_flags_without_their_table(run, tmp_path):
    with pytest.raises(InputError, match=r"--new_item_length: .* --add_items TABLE, which is missing"):
        index_command(["--run_dir", str(run.path), "--index", str(tmp_path / "i"), "--new_item_length", "2"])
    (tmp_path / "gone.txt").write_text("\n")
    with pytest.raises(InputError, match=r"gone.txt: it holds no id"):
        index_command(["--run_dir", str(run.path), "--remove_items", str(tmp_path / "gone.txt")])
