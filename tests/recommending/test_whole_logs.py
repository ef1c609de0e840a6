"""Scoring a whole log: every user as alone, whatever the file's kind and however it is cut into parts."""

import gzip

import numpy as np
import pandas as pd
import pytest
from pyarrow import parquet

from remi_tf.data.tables.layouts import Columns
from remi_tf.errors import InputError
from remi_tf.recommending import log_parts, whole_logs
from remi_tf.recommending.choices import Choices
from remi_tf.recommending.log_parts import LogFiles
from remi_tf.recommending.recommender import Recommender
from remi_tf.recommending.whole_logs import score_files
from tests.serving_toys import COLUMNS as PROFILE_COLUMNS
from tests.serving_toys import RAW_IDS, Dated, Personal, TinyModel, make_dataset, make_run

pytestmark = pytest.mark.trains

COLUMNS = Columns("who", "what", "when")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return make_dataset(tmp_path_factory.mktemp("data") / "tiny")


@pytest.fixture(scope="module")
def recommender(dataset, tmp_path_factory):
    return Recommender(make_run(tmp_path_factory.mktemp("run") / "run", TinyModel(), dataset))


@pytest.fixture(scope="module")
def log():
    """50 users, 600 rows in no order, a few unknown items."""
    rng = np.random.default_rng(0)
    times = 1_400_000_000 + rng.permutation(600)
    return pd.DataFrame(
        {
            "who": [f"üser {number}" for number in rng.integers(0, 50, 600)],
            "what": rng.choice([*RAW_IDS, "nobody"], 600),
            "when": times,
        }
    )


def by_user(table):
    return {user: rows.drop(columns="user").reset_index(drop=True) for user, rows in table.groupby("user")}


def assert_same(left, right):
    left, right = by_user(left), by_user(right)
    assert left.keys() == right.keys()
    for user, rows in left.items():
        pd.testing.assert_frame_equal(rows, right[user], rtol=1e-5)


@pytest.mark.parametrize("name", ["log.csv", "log.csv.gz", "log.parquet", "log.jsonl"])
@pytest.mark.parametrize("part_bytes", [100, 10**9])
def test_a_file_gives_what_its_frame_gives(recommender, log, tmp_path, monkeypatch, name, part_bytes):
    monkeypatch.setattr(log_parts, "PART_BYTES", part_bytes)
    monkeypatch.setattr(whole_logs, "ROWS", 40)
    path = tmp_path / name
    if name.endswith(".parquet"):
        log.to_parquet(path)
    elif name.endswith(".jsonl"):
        log.to_json(path, orient="records", lines=True, force_ascii=False)
    else:
        text = log.to_csv(index=False).encode()
        path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    output = tmp_path / "out" / "top.parquet"
    counts = score_files(recommender, LogFiles([path], COLUMNS), output, Choices(5, exclude_history=True))
    expected = recommender.recommend(log, 5, exclude_history=True, user_col="who", item_col="what", time_col="when")
    known = log[log["what"].isin(RAW_IDS)]
    assert counts == {
        "users": log["who"].nunique(),
        "rows": len(expected),
        "interactions": len(log),
        "known_interactions": len(known),
        "known_users": known["who"].nunique(),
    }
    assert_same(pd.read_parquet(output), expected)
    assert parquet.ParquetFile(output).schema_arrow == whole_logs.SCHEMA
    assert [entry.name for entry in output.parent.iterdir()] == ["top.parquet"]


def test_without_times_the_order_of_rows_is_kept_over_files(recommender, log, tmp_path):
    halves = [tmp_path / "a.csv", tmp_path / "b.csv"]
    log[:300].to_csv(halves[0], index=False)
    log[300:].to_csv(halves[1], index=False)
    score_files(recommender, LogFiles(halves, Columns("who", "what")), tmp_path / "out.parquet", Choices(5))
    expected = recommender.recommend(log, 5, user_col="who", item_col="what")
    assert_same(pd.read_parquet(tmp_path / "out.parquet"), expected)


def test_times_reach_a_model_that_reads_days(dataset, log, tmp_path):
    dated = Recommender(make_run(tmp_path / "run", Dated(), dataset))
    spread = log.assign(when=1_400_000_000_000 + 86_400_000 * (log["when"] - 1_400_000_000))  # days apart, in ms
    spread.to_csv(tmp_path / "log.csv", index=False)
    score_files(dated, LogFiles([tmp_path / "log.csv"], COLUMNS), tmp_path / "out.parquet", Choices(5))
    found = pd.read_parquet(tmp_path / "out.parquet")
    in_seconds = spread.assign(when=spread["when"] // 1000)
    assert_same(found, dated.recommend(in_seconds, 5, user_col="who", item_col="what", time_col="when"))
    on_one_day = dated.recommend(log, 5, user_col="who", item_col="what", time_col="when")
    assert found["item"].tolist() != on_one_day["item"].tolist()


def test_what_goes_wrong_leaves_nothing(recommender, log, tmp_path):
    good, bad, output = tmp_path / "good.csv", tmp_path / "bad.csv", tmp_path / "out" / "top.parquet"
    log.to_csv(good, index=False)
    log.assign(what=[*log["what"][:-1], ""]).to_csv(bad, index=False)
    with pytest.raises(InputError, match=r"bad.csv line 601: what is empty"):
        score_files(recommender, LogFiles([bad], COLUMNS), output, Choices(5))
    with pytest.raises(InputError, match="'whom'"):
        score_files(recommender, LogFiles([good], Columns("whom", "what")), output, Choices(5))
    with pytest.raises(InputError, match="no id of allow is known"):
        score_files(recommender, LogFiles([good], COLUMNS), output, Choices(5, allow=["nobody"]))
    good.write_text("who,what,when\n")
    with pytest.raises(InputError, match="the log has no rows"):
        score_files(recommender, LogFiles([good], COLUMNS), output, Choices(5))
    assert not output.parent.exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda log: log.assign(what=log["what"] + ".x"),
            "no item of the 600 interactions is known; not in the catalog",
        ),
        (lambda log: log.assign(what=log["what"].str.upper()), "'ÏTEM .*' is unknown, 'ïtem .*' is known"),
        (lambda log: log.rename(columns={"who": "what", "what": "who"}), "the columns of users and items swapped?"),
    ],
)
def test_a_log_of_which_nothing_is_known_stops_unless_that_is_allowed(recommender, log, tmp_path, change, message):
    log = log[log["what"].str.startswith("ï")]
    log = pd.concat([log, log])[:600]
    change(log).to_csv(tmp_path / "log.csv", index=False)
    output = tmp_path / "out" / "top.parquet"
    with pytest.raises(InputError, match=message):
        score_files(recommender, LogFiles([tmp_path / "log.csv"], COLUMNS), output, Choices(2))
    assert not output.parent.exists()
    counts = score_files(recommender, LogFiles([tmp_path / "log.csv"], COLUMNS), output, Choices(2), allow_unknown=True)
    assert counts["known_interactions"] == counts["known_users"] == 0 and counts["rows"] == 2 * counts["users"]
    assert set(pd.read_parquet(output)["item"]) == set(RAW_IDS[:2])


def test_a_generator_of_excluded_ids_holds_for_every_part(recommender, log, tmp_path, monkeypatch):
    monkeypatch.setattr(log_parts, "PART_BYTES", 100)
    log.to_csv(tmp_path / "log.csv", index=False)
    choices = Choices(5, exclude=(raw_id for raw_id in RAW_IDS[:100]))
    score_files(recommender, LogFiles([tmp_path / "log.csv"], COLUMNS), tmp_path / "out.parquet", choices)
    found = pd.read_parquet(tmp_path / "out.parquet")
    assert len(found) and not set(found["item"]) & set(RAW_IDS[:100])


def test_profiles_reach_the_users_of_a_log_by_their_texts(tmp_path, log):
    data = make_dataset(tmp_path / "data", profile_columns=PROFILE_COLUMNS)
    personal = Recommender(make_run(tmp_path / "run", Personal(), data))
    log.to_csv(tmp_path / "log.csv", index=False)
    profiles = {user: ["M", "1"] for user in log["who"].unique()[:10]}
    output = tmp_path / "out.parquet"
    score_files(personal, LogFiles([tmp_path / "log.csv"], COLUMNS), output, Choices(5), profiles=profiles)
    columns = {"user_col": "who", "item_col": "what", "time_col": "when"}
    assert_same(pd.read_parquet(output), personal.recommend(log, 5, profiles=profiles, **columns))
    with pytest.raises(InputError, match="none of the 50 users has one"):
        score_files(
            personal, LogFiles([tmp_path / "log.csv"], COLUMNS), output, Choices(5), profiles={"ann": ["M", "1"]}
        )
