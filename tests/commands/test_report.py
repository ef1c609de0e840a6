"""report.py: a page about a run, or about two."""

import re
import sys

import pytest

import remi_tf
from remi_tf.commands.main import dispatch
from remi_tf.commands.report import main
from remi_tf.errors import InputError
from tests.report_toys import NASTY, make_dataset


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Runs of a few steps on one dataset (SA, and Pop), and one on another dataset."""
    folder = tmp_path_factory.mktemp("runs")
    make_dataset(folder / "data", NASTY, categories=True, num_users=30)
    make_dataset(folder / "other", num_users=20)
    small = {"num_negatives": 20, "embedding_dim": 8, "num_interests": 2, "max_history": 5, "max_steps": 20}
    remi_tf.train(folder / "data", "SA", run_dir=folder / "sa", eval_every=10, **small)
    remi_tf.train(folder / "data", "Pop", run_dir=folder / "pop")
    remi_tf.train(folder / "other", "Pop", run_dir=folder / "elsewhere")
    return folder


@pytest.mark.trains
def test_the_page_and_the_projector_of_a_run_are_written_to_its_folder(runs, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["remi-tf"])  # `dispatch` changes the name that the process was started by
    assert dispatch(["report", "--run_dir", str(runs / "sa"), "--users", "2", "--projector"]) == 0
    source = (runs / "sa" / "report.html").read_text(encoding="utf-8")
    assert "<h2>Metrics</h2>" in source and ">ItemKNN</th>" in source and ">loss: softmax</text>" in source
    assert source.count("<article>") == 2 + 6
    assert (runs / "sa" / "tensorboard" / "projector" / "vectors.tsv").exists()
    printed = capsys.readouterr()
    assert f"vectors of 60 items written to {runs}" in printed.out and "report.html" in printed.err
    with pytest.raises(InputError, match=r"--output .*report\.html: exists already"):
        main(["--run_dir", str(runs / "sa")])


@pytest.mark.trains
def test_two_runs_of_one_dataset_are_shown_next_to_each_other(runs):
    output = runs / "two.html"
    flags = ["--run_dir", str(runs / "sa"), "--against", str(runs / "pop"), "--output", str(output), "--split", "valid"]
    assert main([*flags, "--exclude_history", "yes"]) == 0
    source = output.read_text(encoding="utf-8")
    assert "Is A better than B?" in source and "valid users" in source and "history left out of" in source
    assert re.search(r"B is \S+/pop\.", source)


@pytest.mark.trains
def test_runs_of_different_data_are_refused(runs):
    flags = ["--run_dir", str(runs / "sa"), "--against", str(runs / "elsewhere"), "--output", str(runs / "no.html")]
    with pytest.raises(InputError, match=r"--against: .*only runs on the same data can be compared"):
        main(flags)
    assert not (runs / "no.html").exists()


@pytest.mark.trains
def test_a_counted_model_has_no_vectors_for_the_projector_and_then_there_is_no_page_either(runs):
    with pytest.raises(InputError, match="--projector: Pop has no item vectors"):
        main(["--run_dir", str(runs / "pop"), "--projector"])
    assert not (runs / "pop" / "report.html").exists()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--run_dir", "nowhere"], "--run_dir nowhere: there is no such folder"),
        (["--run_dir", "a", "--against", "nowhere"], "--against nowhere: there is no such folder"),
        (["--run_dir", "a", "--against", "./a"], "--against a: the same run as --run_dir"),
        (["--run_dir", "a", "--users", "-1"], "--users -1: give a whole number of 0 or more"),
        (["--run_dir", "a", "--users", "5000"], "--users 5000: give 50 or less; .* the page would have 200 MB"),
        (["--run_dir", "a", "--output", "a/config.json"], "--output a/config.json: it is written as HTML"),
        (["--run_dir", "a", "--output", "b.html"], "--output b.html: exists already"),
        (["--run_dir", "a", "--split", "train"], "invalid choice: 'train'"),
        ([], "required: --run_dir"),
    ],
)
def test_flags_that_cannot_be_used_are_refused(flags, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "b.html").write_text("mine")
    with pytest.raises(InputError, match=message):
        main(flags)
    assert (tmp_path / "b.html").read_text() == "mine"
