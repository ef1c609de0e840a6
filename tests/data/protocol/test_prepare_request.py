"""What prepare is asked for: options that go together, and what becomes of them."""

from pathlib import Path

import pandas as pd
import pytest

from remi_tf.commands.prepare import main
from remi_tf.data.dataset.folder import load_dataset
from remi_tf.data.protocol.prepare_request import PrepareRequest
from remi_tf.errors import InputError
from tests.profile_toys import prepare


def test_categories_are_numbered_from_1_and_titles_follow_their_items(tmp_path):
    frame = pd.DataFrame(
        [(u, i, "x" if i < 2 else "y" if i < 5 else "", f"title {i}") for u in range(20) for i in range(6)]
    )
    frame.columns = ["user", "item", "category", "title"]
    columns = {"user_col": "user", "item_col": "item", "category_col": "category", "title_col": "title"}
    PrepareRequest(frame, tmp_path / "out", **columns).write()
    dataset = load_dataset(tmp_path / "out")
    assert dataset.titles == [f"title {i}" for i in range(6)]
    assert dataset.categories.tolist() == [0, 1, 1, 2, 2, 2, 0]
    assert (tmp_path / "out" / "category_names.txt").read_text() == "x\ny\n"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "clicks.csv"
    rows = [f"u{user},i{item},{1_400_000_000 + user * item}\n" for user in range(20) for item in range(6)]
    path.write_text("user,item,time\n" + "".join(rows))
    return path


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--users", "x.csv"], "--users needs --user_features"),
        (["--user_features", "age"], "--user_features age: it names columns of a user table; add --users"),
        (["--users", "x.csv", "--user_features", "age"], "--users x.csv: no such file; check --users$"),
    ],
)
def test_flags_that_do_not_go_together_are_refused(log, tmp_path, flags, message):
    with pytest.raises(InputError, match=message):
        prepare(log, tmp_path / "out", *flags)


@pytest.mark.parametrize("source", ["synthetic", "comirec"])
def test_sources_that_take_no_user_table_say_so(source):
    with pytest.raises(InputError, match=f"--source {source} takes no user table; leave out --users"):
        main(["--source", source, "--users", "x.csv", "--user_features", "age"])


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--encoding", "klingon"], "--encoding 'klingon': not known; give one such as utf-8"),
        (["--max_bad_rows", "many"], "--max_bad_rows many: give a number of rows, or a share"),
        (["--quotes", "some"], "invalid choice: 'some'"),
    ],
)
def test_flags_of_text_that_mean_nothing_are_refused(log, tmp_path, flags, message):
    with pytest.raises(InputError, match=message):
        prepare(log, tmp_path / "out", *flags)


def test_quotes_and_encoding_hold_for_the_log_and_its_tables(tmp_path):
    rows = [f'u{user};"Caf\u00e9 {item};{user * item}\n' for user in range(20) for item in range(6)]
    (tmp_path / "log.csv").write_text("user;item;time\n" + "".join(rows), encoding="latin-1")
    titles = "".join(f'"Caf\u00e9 {item};"Title {item}\n' for item in range(6))
    (tmp_path / "items.csv").write_text("item;title\n" + titles, encoding="latin-1")
    flags = ["--quotes", "none", "--encoding", "latin-1", "--items", str(tmp_path / "items.csv")]
    prepare(tmp_path / "log.csv", tmp_path / "out", *flags)
    dataset = load_dataset(tmp_path / "out")
    assert sorted(dataset.titles) == [f'"Title {item}' for item in range(6)]
