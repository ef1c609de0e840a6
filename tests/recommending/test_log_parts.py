"""A log in parts: every user whole, in one part, whatever the number of parts."""

import numpy as np
import pandas as pd
import pytest

from remi_tf.data.tables.layouts import Columns
from remi_tf.errors import InputError
from remi_tf.recommending import log_parts
from remi_tf.recommending.known import Known
from remi_tf.recommending.log_parts import LogFiles, histories_of
from tests.serving_toys import RAW_IDS, make_dataset

COLUMNS = Columns("who", "what", "when")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return make_dataset(tmp_path_factory.mktemp("data") / "tiny")


@pytest.mark.parametrize("part_bytes", [100, 10**9])
def test_each_user_is_in_one_part_with_all_rows_in_the_order_of_time(dataset, tmp_path, monkeypatch, part_bytes):
    monkeypatch.setattr(log_parts, "PART_BYTES", part_bytes)
    rng = np.random.default_rng(0)
    log = pd.DataFrame({"who": rng.integers(0, 30, 300), "what": rng.choice(RAW_IDS, 300), "when": range(300)})
    halves = [tmp_path / "a.csv", tmp_path / "b.csv"]
    for path, rows in zip(halves, np.array_split(rng.permutation(300), 2), strict=True):
        log.iloc[rows].to_csv(path, index=False)
    folder, known = tmp_path / "parts", Known()
    folder.mkdir()
    parts, interactions = histories_of(LogFiles(halves, COLUMNS), folder, dataset, known, progress=False)
    found, number = {}, 0
    for part in parts:
        number += 1
        for user, items in zip(part.users, np.split(part.items, part.offsets[1:-1]), strict=True):
            assert user not in found
            found[user] = items.tolist()
    assert found == {str(user): rows["what"].tolist() for user, rows in log.sort_values("when").groupby("who")}
    assert (number > 5) == (part_bytes == 100)
    assert (interactions, known.interactions, known.users) == (300, 300, log["who"].nunique())
    assert not list(folder.iterdir())


def test_a_log_without_rows_is_named(dataset, tmp_path):
    (tmp_path / "log.csv").write_text("who,what,when\nann,x,1\n")
    log = LogFiles([tmp_path / "log.csv"], COLUMNS, keep=("what", ("y",)))
    (tmp_path / "parts").mkdir()
    with pytest.raises(InputError, match=r"log.csv"):
        histories_of(log, tmp_path / "parts", dataset, Known(), progress=False)


def test_a_log_without_a_header_loses_no_row_and_its_columns_are_numbers(dataset, tmp_path):
    (tmp_path / "toy_test.txt").write_text(f"7,{RAW_IDS[0]},0\n8,{RAW_IDS[1]},0\n7,{RAW_IDS[2]},1\n")
    (tmp_path / "parts").mkdir()
    log = LogFiles([tmp_path / "toy_test.txt"], Columns("0", "1", "2"), header=False)
    parts, interactions = histories_of(log, tmp_path / "parts", dataset, Known(), progress=False)
    (part,) = parts
    histories = np.split(part.items, part.offsets[1:-1])
    found = {user: items.tolist() for user, items in zip(part.users, histories, strict=True)}
    assert interactions == 3 and found == {"7": [RAW_IDS[0], RAW_IDS[2]], "8": [RAW_IDS[1]]}
