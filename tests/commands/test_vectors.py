"""vectors.py: flags, and what it says of the vectors."""

import pytest

from remi_tf.commands.vectors import main as vectors_command
from remi_tf.counted.popularity import Popularity
from remi_tf.errors import InputError
from remi_tf.settings.settings import Settings
from tests.serving_toys import NUM_ITEMS, RAW_IDS, Cosine, TinyModel, make_dataset, make_run

pytestmark = pytest.mark.trains


@pytest.fixture
def run(tmp_path, monkeypatch):
    run = make_run(tmp_path / "run", TinyModel(), make_dataset(tmp_path / "data"))
    monkeypatch.setattr("remi_tf.training.run_folder.load_saved_run", lambda path, **_: run)
    return run


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(f"user,item\nann,{RAW_IDS[0]}\nbob,nothing\nann,{RAW_IDS[3]}\n", encoding="utf-8")
    return path


def main(run, *flags):
    return vectors_command(["--run_dir", str(run.path), *map(str, flags)])


def test_a_log_and_its_items_are_written_and_said_to_be(run, log, tmp_path, capsys):
    assert main(run, "--input", log, "--output", tmp_path / "out") == 0
    assert capsys.readouterr().out.splitlines() == [
        "no --time_col: the rows count as in the order of time",
        "2 of 3 interactions and 1 of 2 users are known",
        f"not in the catalogue: 'nothing'; the known ones are listed in {run.catalogue.path / 'items.txt'}",
        "1 users without a known item have no interests and are left out",
        "an item's score is its largest inner product with one of the user's interests",
        f"vectors of {NUM_ITEMS} items and the interests of 1 users written to {tmp_path / 'out'}",
    ]


def test_what_is_special_about_scores_is_said(run, tmp_path, capsys):
    run.model = Cosine()
    run.model.boost = object()
    assert main(run, "--output", tmp_path / "out", "--form", "npy") == 0
    printed = capsys.readouterr().out
    assert "all vectors have length 1, so they are cosines" in printed
    assert "Note: the run has a boost of counted neighbours (--boost counted). It is not in the vectors" in printed


def test_a_counted_model_has_no_vectors(run, tmp_path):
    run.model, run.settings = Popularity.__new__(Popularity), Settings().replace(model_type="Pop")
    with pytest.raises(InputError, match="Pop is counted and has no item vectors"):
        main(run, "--output", tmp_path / "out")


def test_flags_that_cannot_be_used_are_refused(run, log, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(InputError, match="required: --output"):
        main(run)
    with pytest.raises(InputError, match="--time_col: it goes with --input; leave it out"):
        main(run, "--output", out, "--time_col", "t")
    with pytest.raises(InputError, match="data holds other files"):
        main(run, "--output", tmp_path / "data", "--overwrite")
    with pytest.raises(InputError, match=r"--output .*: the input .*log.csv lies in it; name another folder"):
        out.mkdir()
        (out / "vectors.json").write_text("{}")
        (out / "log.csv").write_text("user,item\n")
        main(run, "--input", out / "log.csv", "--output", out, "--overwrite")
