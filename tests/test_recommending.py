"""recommend.py: a history as people type it, and what is printed."""

import pytest

from remi_tf import recommending
from remi_tf.errors import InputError
from tests.serving_toys import COLUMNS, Dated, Personal, TinyModel, expected, make_dataset, make_run


@pytest.fixture
def run(tmp_path, monkeypatch):
    run = make_run(tmp_path / "run", TinyModel(), make_dataset(tmp_path / "data", profile_columns=COLUMNS))
    monkeypatch.setattr("remi_tf.run.load_run", lambda path: run)
    return run


def test_recommend_exports_first_and_prints_what_the_exported_model_returns(run, capsys):
    arguments = ["--run_dir", str(run.path), "--top_n", "3", "--history"]
    assert recommending.main([*arguments, "ïtem 3, nobody,ïtem 4"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("nothing exported yet: exporting to")
    assert lines[1] == "not in the catalogue and ignored: 'nobody'"
    assert lines[2].split() == ["rank", "item_id", "score", "title"]
    items, scores = expected(run.model, run.catalogue, ["ïtem 3", "ïtem 4"], False)
    for rank in range(3):
        assert lines[3 + rank].startswith(f"   {rank + 1}  {items[rank]}")
        assert lines[3 + rank].endswith(f"{scores[rank]:.4f}  Title of {items[rank]}")
    recommending.main([*arguments, "nobody"])
    assert "these are the most popular items" in capsys.readouterr().out
    run.step = 50
    recommending.main([*arguments, "ïtem 3"])
    assert "holds other weights than the run's best (step 50)" in capsys.readouterr().out
    with pytest.raises(InputError, match=r"--top_n 500: .* returns 1 to 100 items"):
        recommending.main(["--run_dir", str(run.path), "--top_n", "500", "--history", "ïtem 3"])


@pytest.mark.parametrize(
    ("flags", "history"),
    [
        (["a, b,,c"], ["a", "b", "c"]),
        (["a,b", "c d "], ["a,b", "c d "]),
        (['["a,b", 12, "c"]'], ["a,b", "12", "c"]),
        ([""], []),
    ],
)
def test_ids_with_commas_can_be_given(flags, history):
    assert recommending.parse_history(flags) == history


@pytest.mark.parametrize("value", ["[a,b]", "[1.5]", "[true]", "[[1]]"])
def test_a_list_that_is_not_one_of_ids_is_refused(value):
    with pytest.raises(InputError, match="--history"):
        recommending.parse_history([value])


def printed(run, capsys, *flags):
    """The ranked lines and everything before them."""
    recommending.main(["--run_dir", str(run.path), "--top_n", "3", *flags])
    lines = capsys.readouterr().out.splitlines()
    head = next(number for number, line in enumerate(lines) if line.split()[:1] == ["rank"])
    return lines[head + 1 :], lines[:head]


def test_times_are_taken_and_without_them_all_items_count_as_of_one_day(run, capsys):
    run.model = Dated()
    history = ["--history", "ïtem 3,ïtem 4"]
    none, notes = printed(run, capsys, *history)
    assert notes[-1] == "no --timestamps: the items count as of one day"
    same, notes = printed(run, capsys, *history, "--timestamps", "900000000,900000000")
    assert same == none and not notes
    apart, _ = printed(run, capsys, *history, "--timestamps", "900000000, 1000000000")
    recent, _ = printed(run, capsys, "--history", "ïtem 4")
    assert apart == recent != same


def test_a_profile_is_taken_and_what_is_unknown_of_it_is_said(run, capsys):
    run.model = Personal()
    unknown, notes = printed(run, capsys, "--history", "ïtem 3")
    assert notes[-1] == "no --profile: nothing is known of the user (gender,job, or none)"
    lines, notes = printed(run, capsys, "--history", "ïtem 3", "--profile", ",y")
    assert lines == unknown and notes == ["not among the values of job, or none ('é', 'x,y', '1') and ignored: 'y'"]
    lines, notes = printed(run, capsys, "--history", "ïtem 3", "--profile", '["M", "x,y"]')
    assert lines != unknown and not notes


@pytest.mark.parametrize(
    ("model", "flags", "message"),
    [
        (TinyModel, ["--timestamps", "5"], "--timestamps: the model does not read it; leave it out"),
        (TinyModel, ["--profile", "F,1"], "--profile: the model does not read it; leave it out"),
        (Dated, ["--timestamps", "5,6"], "--timestamps: 2 values for 1 items of --history; give one for each"),
        (Dated, ["--timestamps", "today"], "--timestamps: 'today' is not a whole number of seconds since 1970"),
        (Dated, ["--timestamps", "1388534400000"], "1388534400000 seconds .* 2100; are these milliseconds?"),
        (Dated, ["--timestamps=-5"], "--timestamps: -5 is negative; give seconds since 1970"),
        (Dated, ["--timestamps", "9" * 30], "is not a whole number of seconds since 1970"),
        (Personal, ["--profile", "F"], "--profile: 1 values for 2 columns: gender, job, or none; give one for each"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(run, model, flags, message):
    run.model = model()
    with pytest.raises(InputError, match=message):
        recommending.main(["--run_dir", str(run.path), "--history", "ïtem 3", *flags])
