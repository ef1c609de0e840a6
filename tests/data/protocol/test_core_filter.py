"""Rare items and short users: once or until nothing changes, and what a filter that leaves nothing says."""

import random
from collections import Counter

import pytest

from remi_tf.errors import InputError
from tests.prepared_logs import Row, prepare, sequences


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
