"""index.py: flags, and vectors for other engines."""

import numpy as np
import pytest
from pyarrow import parquet

from remi_tf.commands.index import main as index_command
from remi_tf.errors import InputError
from tests.serving_toys import NUM_ITEMS, RAW_IDS, TinyModel, make_dataset, make_run


@pytest.fixture
def run(tmp_path, monkeypatch):
    run = make_run(tmp_path / "run", TinyModel(), make_dataset(tmp_path / "data"))
    run.dataset = run.catalogue
    monkeypatch.setattr("remi_tf.training.run_folder.load_saved_run", lambda path, **_: run)
    return run


def main(run, *flags):
    return index_command(["--run_dir", str(run.path), *flags])


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--top_n", "0"], "--top_n 0: give a positive whole number"),
        (["--min_recall", "2"], "--min_recall 2.0: give a number from 0 to 1"),
        (["--memory_mb", "-1"], "--memory_mb -1: give a positive"),
        (["--kind", "annoy"], "invalid choice"),
        (
            ["--kind", "flat", "--memory_mb", "9"],
            "--memory_mb: it chooses the kind, which --kind flat gives; leave one",
        ),
        (["--kind", "hnsw", "--parquet", "c"], "--kind: it is about an index, and --parquet writes none"),
        (["--force", "--parquet", "c"], "--force: it is about an index, and --parquet writes none"),
        (["--parquet", "."], r"--parquet \.: a folder; name a file such as \./top.parquet"),
        (["--kind", "ivfpq"], "--kind ivfpq: 200 items are fewer than a code's 256 values"),
    ],
)
def test_flags_that_cannot_be_used_are_refused(run, flags, message):
    with pytest.raises(InputError, match=message):
        main(run, *flags)


def test_vectors_and_raw_ids_go_to_parquet_and_back(run, tmp_path):
    assert main(run, "--parquet", str(tmp_path / "items.parquet")) == 0
    table = parquet.read_table(tmp_path / "items.parquet")
    assert table["item"].to_pylist() == RAW_IDS
    assert table["title"].to_pylist()[2] == f"Title of {RAW_IDS[2]}"
    vectors = np.array(table["vector"].to_pylist(), np.float32)
    np.testing.assert_array_equal(vectors, run.model.item_table.numpy()[1:])
    assert table["row"].to_pylist() == list(range(1, NUM_ITEMS + 1))
    assert table.schema.metadata[b"scores"] == b"inner product"
    with pytest.raises(InputError, match=r"--parquet .*items.parquet: exists already; .* add --overwrite"):
        main(run, "--parquet", str(tmp_path / "items.parquet"))
    assert main(run, "--parquet", str(tmp_path / "items.parquet"), "--overwrite") == 0
    assert not (run.path / "index").exists()
