"""index.py: flags that cannot be used."""

import pytest

from remi_tf.commands.index import main as index_command
from remi_tf.errors import InputError
from tests.serving_toys import TinyModel, make_dataset, make_run


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
        (["--parquet", "c"], r"--parquet: vectors .* now: python vectors.py --run_dir .*run --output DIR"),
        (["--kind", "ivfpq"], "--kind ivfpq: 200 items are fewer than a code's 256 values"),
    ],
)
def test_flags_that_cannot_be_used_are_refused(run, flags, message):
    with pytest.raises(InputError, match=message):
        main(run, *flags)
