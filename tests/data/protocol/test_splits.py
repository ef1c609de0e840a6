"""Three ways to split: who trains, and what is history."""

import random

import pandas as pd
import pytest

from remi_tf.data.protocol.options import PrepareSettings
from remi_tf.data.protocol.prepare import prepare_log
from remi_tf.data.tables.data_frames import read_frame
from remi_tf.data.tables.layouts import Columns
from remi_tf.errors import InputError
from tests.prepared_logs import crowd, prepare, sequences


def test_users_are_split_8_1_1_by_the_seed_1230(tmp_path):
    dataset, _ = prepare(crowd(users=37), tmp_path)
    names = [f"u{u}" for u in range(37)]
    random.Random(1230).shuffle(names)
    assert [dataset.user_ids(split) for split in ("train", "valid", "test")] == [names[:29], names[29:33], names[33:]]


def test_another_seed_gives_another_split(tmp_path):
    first, _ = prepare(crowd(), tmp_path / "a")
    second, _ = prepare(crowd(), tmp_path / "b", seed=7)
    assert first.user_ids("train") != second.user_ids("train")


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
