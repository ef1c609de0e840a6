"""Raw log → dataset: the papers' protocol against an independent plain-Python version, and every switch."""

import json
import random
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from remi_tf.data.dataset.folder import load_dataset
from remi_tf.data.protocol.prepare import prepare_log, sort_rows, summary_lines
from remi_tf.data.tables.data_frames import read_frame
from remi_tf.data.tables.layouts import Columns, Layout
from remi_tf.data.tables.reading import read_log
from tests.prepared_logs import COLUMNS, Row, crowd, prepare, sequences


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


def test_same_input_same_fingerprint(tmp_path):
    first, _ = prepare(crowd(), tmp_path / "a")
    second, _ = prepare(crowd(), tmp_path / "b")
    assert first.fingerprint == second.fingerprint


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
    assert any(line.startswith("repeats   0.0% ") for line in summary_lines(made_by))  # everybody has each item once
    assert json.loads(text)["repeats"] == 0
