"""Raw log → dataset: the papers' protocol against an independent plain-Python version, and every switch."""

import json
import random
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remi_tf.data.dataset.folder import load_dataset
from remi_tf.data.protocol.options import PrepareSettings
from remi_tf.data.protocol.prepare import prepare_log, sort_rows, summary_lines
from remi_tf.data.protocol.request import PrepareRequest
from remi_tf.data.tables.layouts import Columns, Layout
from remi_tf.data.tables.reading import read_frame, read_log
from remi_tf.errors import InputError

COLUMNS = Columns("user", "item", "time")
Row = tuple[str, str, int]


def plain_protocol(rows: list[Row], minimum: int = 5) -> tuple[list[str], dict[str, list[tuple[str, list[Row]]]]]:
    """The papers' preprocessing, read line by line with dicts: item ids by row, and (user, rows by time) by split."""
    counts: dict[str, int] = {}
    users: dict[str, list[Row]] = {}
    for row in rows:
        counts[row[1]] = counts.get(row[1], 0) + 1
        users.setdefault(row[0], []).append(row)
    items = sorted((item for item in counts if counts[item] >= minimum), key=lambda item: -counts[item])
    kept = {user: [row for row in own if row[1] in set(items)] for user, own in users.items()}
    names = [user for user, own in kept.items() if len(own) >= minimum]
    random.Random(1230).shuffle(names)
    first, second = int(len(names) * 0.8), int(len(names) * 0.9)
    parts = {"train": names[:first], "valid": names[first:second], "test": names[second:]}
    return items, {
        split: [(user, sorted(kept[user], key=lambda row: row[2])) for user in part] for split, part in parts.items()
    }


def prepare(rows: list[Row], folder: Path, **options):
    """Prepare rows through a DataFrame and open the result."""
    frame = pd.DataFrame(rows, columns=["user", "item", "time"])
    log = read_frame(frame, COLUMNS, time_unit="s")
    made_by = prepare_log(log, folder / "out", PrepareSettings(**options))
    return load_dataset(folder / "out"), made_by


def sequences(dataset, split: str) -> dict[str, list[str]]:
    """User → raw item ids, oldest first."""
    data = dataset.split(split)
    raw = dataset.vocabulary.raw_ids
    bounds = zip(data.offsets[:-1], data.offsets[1:], strict=True)
    return {user: raw(data.items[a:b]) for user, (a, b) in zip(dataset.user_ids(split), bounds, strict=True)}


def crowd(users: int = 20, items: int = 6, seed: int = 0) -> list[Row]:
    """A log in which everybody has every item, at random times."""
    draw = random.Random(seed)
    return [(f"u{u}", f"i{i}", draw.randrange(10**6)) for u in range(users) for i in range(items)]


LOGS = st.lists(
    st.tuples(st.integers(0, 14).map(lambda u: f"u{u}"), st.integers(0, 9).map(lambda i: f"0{i}"), st.integers(0, 20)),
    min_size=60,
    max_size=250,
)


@settings(max_examples=60, deadline=None)
@given(LOGS)
def test_prepare_equals_plain_python_on_any_log(rows):
    items, expected = plain_protocol(rows)
    if not any(expected.values()) or not expected["train"]:
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.csv"
        path.write_text("user,item,time\n" + "".join(f"{u},{i},{t}\n" for u, i, t in rows), encoding="utf-8")
        prepare_log(read_log([path], Layout(COLUMNS), time_unit="s"), Path(folder) / "out")
        dataset = load_dataset(Path(folder) / "out")
        assert dataset.vocabulary.raw_ids(range(1, dataset.num_items + 1)) == items
        for split, users in expected.items():
            data = dataset.split(split)
            assert dataset.user_ids(split) == [user for user, _ in users]
            assert sequences(dataset, split) == {user: [row[1] for row in own] for user, own in users}
            assert data.timestamps.tolist() == [row[2] for _, own in users for row in own]
            cuts = [len(own) if split == "train" else int(len(own) * 0.8) for _, own in users]
            assert data.cuts.tolist() == cuts


def test_users_are_split_8_1_1_by_the_seed_1230(tmp_path):
    dataset, _ = prepare(crowd(users=37), tmp_path)
    names = [f"u{u}" for u in range(37)]
    random.Random(1230).shuffle(names)
    assert [dataset.user_ids(split) for split in ("train", "valid", "test")] == [names[:29], names[29:33], names[33:]]


def test_another_seed_gives_another_split(tmp_path):
    first, _ = prepare(crowd(), tmp_path / "a")
    second, _ = prepare(crowd(), tmp_path / "b", seed=7)
    assert first.user_ids("train") != second.user_ids("train")


def test_same_input_same_fingerprint(tmp_path):
    first, _ = prepare(crowd(), tmp_path / "a")
    second, _ = prepare(crowd(), tmp_path / "b")
    assert first.fingerprint == second.fingerprint


def two_core_log() -> list[Row]:
    """b reaches two rows only through u9, who goes for having one kept row: only the iterative core then drops b."""
    base = [(f"u{u}", item, 1) for u in range(10) for item in ("a", "c")][:18]
    return [*base, ("u0", "b", 2), ("u9", "b", 3), ("u9", "rare", 4)]


def test_single_pass_keeps_items_that_lose_their_users_and_iterative_does_not(tmp_path):
    single, _ = prepare(two_core_log(), tmp_path / "s", min_count=2)
    iterative, _ = prepare(two_core_log(), tmp_path / "i", min_count=2, core="iterative")
    assert "b" in single.vocabulary.raw_ids(range(1, single.num_items + 1))
    assert iterative.vocabulary.raw_ids(range(1, iterative.num_items + 1)) == ["a", "c"]
    assert not any("b" in own for own in sequences(iterative, "train").values())


def test_iterative_core_is_a_fixed_point(tmp_path):
    draw = random.Random(3)
    rows = [(f"u{draw.randrange(60)}", f"i{int(draw.random() ** 2 * 60)}", t) for t in range(420)]
    dataset, made_by = prepare(rows, tmp_path, core="iterative", split="leave_one_out")
    everything = sequences(dataset, "test")
    assert min(map(len, everything.values())) >= 5
    assert min(Counter(item for own in everything.values() for item in own).values()) >= 5
    assert made_by["kept"]["items"] < len({row[1] for row in rows})


def test_dedup_keeps_the_earliest_of_a_users_item(tmp_path):
    rows = [(f"u{u}", f"i{i}", 100 + i) for u in range(10) for i in range(5)] + [("u0", "i4", 1)]
    dataset, made_by = prepare(rows, tmp_path, split="leave_one_out")
    assert sequences(dataset, "test")["u0"] == ["i4", "i0", "i1", "i2", "i3", "i4"]
    dataset, made_by = prepare(rows, tmp_path / "d", split="leave_one_out", dedup=True)
    assert sequences(dataset, "test")["u0"] == ["i4", "i0", "i1", "i2", "i3"]
    assert made_by["dropped"]["repeats of a user's item (--dedup)"] == 1


def test_leave_one_out_targets_are_the_last_two_rows(tmp_path):
    rows = crowd()
    dataset, _ = prepare(rows, tmp_path, split="leave_one_out")
    by_time = {user: [row[1] for row in sorted(rows, key=lambda row: row[2]) if row[0] == user] for user, _, _ in rows}
    for split, end, cut in (("train", -2, -2), ("valid", -1, -2), ("test", None, -1)):
        data = dataset.split(split)
        assert sequences(dataset, split) == {user: by_time[user][:end] for user in dataset.user_ids(split)}
        assert data.cuts.tolist() == [len(by_time[user][:cut]) for user in dataset.user_ids(split)]
    assert dataset.train.num_users == 20


def test_time_split_has_no_row_after_its_window_and_no_user_without_history_or_target(tmp_path):
    rows = crowd(users=40)
    dataset, _ = prepare(rows, tmp_path, split="time")
    times = sorted(row[2] for row in rows)
    first, second = times[int(0.8 * (len(times) - 1))], times[int(0.9 * (len(times) - 1))]
    for split, begin, end in (("train", None, first), ("valid", first, second), ("test", second, 10**9)):
        data = dataset.split(split)
        for user, cut in enumerate(data.cuts):
            own = data.timestamps[data.offsets[user] : data.offsets[user + 1]]
            history, targets = own[:cut], own[cut:]
            assert len(history) and (own < end).all()
            assert not len(targets) if begin is None else (len(targets) and (targets >= begin).all())
            assert begin is None or (history < begin).all()
    assert 0 < dataset.valid.num_users < 40


def test_time_split_without_times_is_refused(tmp_path):
    frame = pd.DataFrame(crowd(), columns=["user", "item", "time"])
    with pytest.raises(InputError, match="needs a time column"):
        prepare_log(read_frame(frame, Columns("user", "item")), tmp_path / "o", PrepareSettings(split="time"))


def test_without_times_the_order_of_the_file_is_kept(tmp_path):
    frame = pd.DataFrame(crowd(), columns=["user", "item", "time"])
    prepare_log(read_frame(frame, Columns("user", "item")), tmp_path / "out")
    dataset = load_dataset(tmp_path / "out")
    assert sequences(dataset, "train")[dataset.user_ids("train")[0]] == [f"i{i}" for i in range(6)]
    assert dataset.train.timestamps[:6].tolist() == [0, 1, 2, 3, 4, 5]


@given(st.lists(st.tuples(st.integers(0, 70_000), st.integers(0, 2**45)), min_size=1, max_size=200))
def test_sort_is_by_user_then_time_and_stable(pairs):
    users, times = np.array([p[0] for p in pairs], np.int32), np.array([p[1] >> 40 << 40 for p in pairs], np.int64)
    assert sort_rows(users, times).tolist() == np.lexsort((times, users)).tolist()
    assert sort_rows(users, times.astype(float)).tolist() == np.lexsort((times, users)).tolist()
    assert sort_rows(users, None).tolist() == np.argsort(users, kind="stable").tolist()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("u", f"i{i}", 1) for i in range(9)], "no item occurs 5 times"),
        ([(f"u{u}", "i", 1) for u in range(9)], "no user has 5 rows"),
        ([], "no rows"),
    ],
)
def test_an_empty_result_names_the_filter(tmp_path, rows, message):
    with pytest.raises(InputError, match=message):
        prepare(rows, tmp_path)


def test_manifest_tells_how_it_was_made_without_paths(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("user,item,time\n" + "".join(f"{u},{i},{t}\n" for u, i, t in crowd()) + "u0,rare,5\n")
    made_by = prepare_log(read_log([path], Layout(COLUMNS), time_unit="s"), tmp_path / "out", name="toy")
    text = (tmp_path / "out" / "manifest.json").read_text()
    stored = json.loads(text)["made_by"]
    assert str(tmp_path) not in text
    assert stored["files"] == [{"file": "log.csv"}] and stored["settings"]["min_count"] == 5
    assert stored["dropped"]["items with fewer than 5 rows"] == 1
    assert any("120 interactions" in line for line in summary_lines(made_by))


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


@pytest.mark.parametrize("options", [{"min_count": 0}, {"core": "twice"}, {"split": "random"}])
def test_settings_that_make_no_sense_are_refused(options):
    with pytest.raises(InputError):
        PrepareSettings(**options)
