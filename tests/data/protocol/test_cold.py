"""Cold items: hidden from training, there for validation and test, and the last rows of the item table."""

import numpy as np
import pytest

from remi_tf.data.dataset.interactions import Interactions
from remi_tf.data.protocol.cold import cold_last, without_cold
from remi_tf.errors import InputError
from tests.prepared_logs import crowd, prepare, sequences


def test_a_share_of_the_items_moves_to_the_end_in_an_order_that_tells_nothing():
    order = np.arange(100)[::-1]
    moved, cold = cold_last(order, 0.2, 7)
    assert cold == 20 and sorted(moved) == list(range(100))
    assert (np.diff(moved[:80]) < 0).all()
    ranks = [np.argsort(cold_last(np.arange(100), 0.2, seed)[0][80:]) for seed in range(200)]
    assert abs(np.mean([np.corrcoef(rank, np.arange(20))[0, 1] for rank in ranks])) < 0.05
    again, _ = cold_last(order, 0.2, 7)
    other, _ = cold_last(order, 0.2, 8)
    assert (moved == again).all() and (moved != other).any()


def test_users_lose_their_cold_rows_and_those_without_others_go():
    train = Interactions(
        np.array([1, 9, 2, 9, 3]), np.array([1, 2, 3, 4, 5]), np.array([0, 3, 4, 5]), np.array([3, 1, 1])
    )
    left, users = without_cold(train, np.array([10, 11, 12]), 8)
    assert left.items.tolist() == [1, 2, 3] and left.timestamps.tolist() == [1, 3, 5]
    assert left.offsets.tolist() == [0, 2, 3] and left.cuts.tolist() == [2, 1] and users.tolist() == [10, 12]


@pytest.mark.parametrize("split", ["users", "leave_one_out", "time"])
def test_no_training_user_has_a_cold_item_and_others_keep_them(tmp_path, split):
    rows = crowd(users=40, items=10)
    dataset, made_by = prepare(rows, tmp_path / "cold", cold_share=0.2, split=split)
    plain, _ = prepare(rows, tmp_path / "plain", split=split)
    assert dataset.num_cold == 2 == dataset.manifest["num_cold"] and plain.num_cold == 0
    cold = set(dataset.vocabulary.raw_ids([9, 10]))
    before, after = sequences(plain, "train"), sequences(dataset, "train")
    assert after == {user: left for user, ids in before.items() if (left := [i for i in ids if i not in cold])}
    assert made_by["kept"]["cold"] == {"items": 2, "emptied_users": len(before) - len(after)}
    for part in ("valid", "test"):
        assert sequences(dataset, part) == sequences(plain, part)
    assert cold & {raw_id for ids in sequences(dataset, "test").values() for raw_id in ids}


def test_only_warm_items_are_numbered_by_popularity(tmp_path):
    rows = [(f"u{u}", f"i{i:02}", u + i) for i in range(20) for u in range(40 - i)]
    dataset, _ = prepare(rows, tmp_path, cold_share=0.25, cold_seed=3)
    raw_ids = dataset.vocabulary.raw_ids(range(1, 21))
    assert raw_ids[:15] == sorted(raw_ids[:15]) and raw_ids[15:] != sorted(raw_ids[15:])


@pytest.mark.parametrize("share", [0.01, 0.99])
def test_a_share_that_is_no_item_or_all_is_refused(tmp_path, share):
    with pytest.raises(InputError, match=f"--cold_share {share}: that is .* of the 6 items; give another share"):
        prepare(crowd(), tmp_path, cold_share=share)


def test_the_choice_of_cold_items_has_a_seed_of_its_own(tmp_path):
    rows = crowd(users=40, items=10)
    one, _ = prepare(rows, tmp_path / "one", cold_share=0.3)
    other, _ = prepare(rows, tmp_path / "other", cold_share=0.3, cold_seed=5)
    assert set(one.vocabulary.raw_ids([8, 9, 10])) != set(other.vocabulary.raw_ids([8, 9, 10]))
    assert sequences(one, "test") == sequences(other, "test")


def test_a_seed_without_a_share_is_refused(tmp_path):
    with pytest.raises(InputError, match="--cold_seed 3: it draws the items of --cold_share, which is missing"):
        prepare(crowd(), tmp_path, cold_seed=3)
