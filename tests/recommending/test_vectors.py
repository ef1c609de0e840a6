"""Vectors for other engines: whoever multiplies them gets what the recommender says."""

import json

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from pyarrow import parquet

from remi_tf.data.tables.layouts import Columns
from remi_tf.encoders.base import Interests
from remi_tf.errors import InputError
from remi_tf.recommending.log_parts import LogFiles
from remi_tf.recommending.recommender import Recommender
from remi_tf.recommending.vectors import write_vectors
from tests.serving_toys import COLUMNS as PROFILE_COLUMNS
from tests.serving_toys import NUM_ITEMS, RAW_IDS, Cosine, Dated, Personal, TinyModel, make_dataset, make_run

pytestmark = pytest.mark.trains

COLUMNS = Columns("who", "what", "when")
FRAME = {"user_col": "who", "item_col": "what", "time_col": "when"}


class Fewer(TinyModel):
    """A history of one item has one interest."""

    def encode(self, history, **features):
        vectors = self.interests(history)
        several = tf.reduce_sum(tf.cast(history > 0, tf.int32), axis=1) > 1
        active = tf.stack([tf.ones_like(several), several], axis=1)
        return Interests(tf.where(active[:, :, None], vectors, vectors[:, :1]), active=active)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "tiny"
    return make_dataset(path, profile_columns=PROFILE_COLUMNS, categories=True)


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """30 users, some with one item, and one of whom nothing is known; the frame and its file."""
    rng = np.random.default_rng(0)
    users = [*rng.integers(0, 20, 200), *range(20, 30), 30]
    items = [*rng.choice([*RAW_IDS, "nobody"], 200), *RAW_IDS[:10], "nobody"]
    frame = pd.DataFrame({"who": [f"üser {user}" for user in users], "what": items})
    frame["when"] = 1_400_000_000 + 86_400 * rng.permutation(len(frame))
    path = tmp_path_factory.mktemp("log") / "log.csv"
    frame.to_csv(path, index=False)
    return frame, LogFiles([path], COLUMNS)


def assert_products_are_scores(recommender, frame, folder, **options):
    """The largest product of an item with a user's vectors is its score, for every item and user."""
    users, items = pd.read_parquet(folder / "users.parquet"), pd.read_parquet(folder / "items.parquet")
    table = np.stack(items["vector"])
    answers = recommender.recommend(frame, NUM_ITEMS, exclude_history=False, **FRAME, **options)
    expected = answers[answers["interest"] >= 0].set_index(["user", "item"])["score"]
    assert set(users["user"]) == set(expected.index.get_level_values("user"))
    for user, rows in users.groupby("user"):
        scores = (table @ np.stack(rows["vector"]).T).max(axis=1)
        of_user = expected[user]
        np.testing.assert_allclose(scores, of_user[items["item"]], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("model", [TinyModel, Dated, Cosine, Fewer])
def test_products_of_the_vectors_are_the_recommenders_scores(dataset, log, tmp_path, model):
    frame, files = log
    recommender = Recommender(make_run(tmp_path / "run", model(), dataset))
    counts = write_vectors(recommender, tmp_path / "out", files, progress=False)
    assert counts == {"items": NUM_ITEMS, "users": 30}
    assert_products_are_scores(recommender, frame, tmp_path / "out")


def test_only_interests_that_a_user_has_are_in_parquet_and_all_in_npy(dataset, log, tmp_path):
    frame, files = log
    recommender = Recommender(make_run(tmp_path / "run", Fewer(), dataset))
    write_vectors(recommender, tmp_path / "out", files, progress=False)
    sizes = pd.read_parquet(tmp_path / "out" / "users.parquet").groupby("user").size()
    known = frame[frame["what"].isin(RAW_IDS)].groupby("who").size()
    assert (sizes == np.minimum(known, 2)).all() and (sizes == 1).any()
    write_vectors(recommender, tmp_path / "npy", files, form="npy", progress=False)
    interests = np.load(tmp_path / "npy" / "interests.npy", allow_pickle=False)
    names = (tmp_path / "npy" / "users.txt").read_text(encoding="utf-8").splitlines()
    assert interests.shape == (30, 2, 8) and set(names) == set(known.index)
    one = np.array([sizes[name] == 1 for name in names])
    assert ((interests[:, 0] == interests[:, 1]).all(axis=1) == one).all()
    np.testing.assert_array_equal(np.load(tmp_path / "npy" / "items.npy"), recommender.run.model.item_table[1:])
    assert (tmp_path / "npy" / "items.txt").read_text(encoding="utf-8").splitlines() == RAW_IDS


def test_profiles_reach_the_model(dataset, log, tmp_path):
    frame, files = log
    recommender = Recommender(make_run(tmp_path / "run", Personal(), dataset))
    profiles = {user: ["M", "1"] for user in frame["who"].unique()}
    write_vectors(recommender, tmp_path / "out", files, profiles=profiles, progress=False)
    assert_products_are_scores(recommender, frame, tmp_path / "out", profiles=profiles)


def test_without_a_log_only_items_are_written_with_what_is_known_of_them(dataset, tmp_path):
    run = make_run(tmp_path / "run", TinyModel(), dataset)
    assert write_vectors(Recommender(run), tmp_path / "out") == {"items": NUM_ITEMS, "users": 0}
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"items.parquet", "vectors.json"}
    table = parquet.read_table(tmp_path / "out" / "items.parquet")
    assert table["item"].to_pylist() == RAW_IDS and table["title"].to_pylist()[2] == f"Title of {RAW_IDS[2]}"
    names = ["crime", "crime", None, "cooking, and baking", "crime", "crime", None, "ünivers"]
    assert table["category"].to_pylist()[:8] == names
    assert table.schema.metadata[b"scores"] == b"inner product"
    about = json.loads((tmp_path / "out" / "vectors.json").read_text())
    assert about["files"].keys() == {"items.parquet"} and about["step"] == 30


def test_a_folder_is_whole_or_absent_and_replaced_only_when_asked(dataset, log, tmp_path):
    frame, _ = log
    recommender = Recommender(make_run(tmp_path / "run", TinyModel(), dataset))
    frame.assign(what=[*frame["what"][:-1], ""]).to_csv(tmp_path / "bad.csv", index=False)
    with pytest.raises(InputError, match=r"bad.csv line 212: what is empty"):
        write_vectors(recommender, tmp_path / "out", LogFiles([tmp_path / "bad.csv"], COLUMNS), progress=False)
    frame.assign(what="nobody").to_csv(tmp_path / "bad.csv", index=False)
    with pytest.raises(InputError, match=r"no item of the 211 interactions is known; .*; nothing is written"):
        write_vectors(recommender, tmp_path / "out", LogFiles([tmp_path / "bad.csv"], COLUMNS), progress=False)
    assert {path.name for path in tmp_path.iterdir()} == {"run", "bad.csv"}
    write_vectors(recommender, tmp_path / "out")
    with pytest.raises(InputError, match=r"out exists already; .* add --overwrite"):
        write_vectors(recommender, tmp_path / "out", form="npy")
    write_vectors(recommender, tmp_path / "out", form="npy", overwrite=True)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"items.npy", "items.txt", "vectors.json"}
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.txt").write_text("a")
    with pytest.raises(InputError, match="mine holds other files"):
        write_vectors(recommender, tmp_path / "mine", overwrite=True)


def test_vectors_that_are_no_numbers_are_refused(dataset, log, tmp_path):
    run = make_run(tmp_path / "run", TinyModel(), dataset)
    recommender = Recommender(run)
    run.model.projection.assign(run.model.projection * np.nan)
    with pytest.raises(InputError, match="the model gives no number for a history; the run has diverged"):
        write_vectors(recommender, tmp_path / "out", log[1], progress=False)
    run.model.item_table.assign(run.model.item_table * np.nan)
    with pytest.raises(InputError, match="an item vector is NaN or infinite"):
        write_vectors(recommender, tmp_path / "out")
