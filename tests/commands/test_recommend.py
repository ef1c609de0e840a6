"""recommend.py: a history as people type it, and what is printed."""

import re
from pathlib import Path

import pandas as pd
import pytest

from remi_tf.commands import recommend as recommending
from remi_tf.errors import InputError
from remi_tf.recommending.index_folder import build_index
from remi_tf.serving.graph import ServingGraph
from tests.serving_toys import COLUMNS, RAW_IDS, Dated, Personal, TinyModel, expected, make_dataset, make_run


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return make_dataset(tmp_path_factory.mktemp("data") / "tiny", profile_columns=COLUMNS, categories=True)


@pytest.fixture(scope="module")
def model():
    """The tests only read it."""
    return TinyModel()


@pytest.fixture(scope="module")
def graph_of():
    """The served graph of a model, made and traced at its first use."""
    graphs = {}

    def graph(model, catalogue, **options):
        if model not in graphs:
            graphs[model] = ServingGraph(model, catalogue, **options)
        return graphs[model]

    return graph


@pytest.fixture
def run(dataset, model, graph_of, tmp_path, monkeypatch):
    run = make_run(tmp_path / "run", model, dataset)
    run.dataset = dataset
    monkeypatch.setattr("remi_tf.training.run_folder.load_saved_run", lambda path, **_: run)
    monkeypatch.setattr("remi_tf.recommending.recommender.ServingGraph", graph_of)
    return run


@pytest.mark.trains
def test_what_the_model_gives_is_printed_with_titles_and_what_was_ignored(run, capsys):
    arguments = ["--run_dir", str(run.path), "--top_n", "3", "--history"]
    assert recommending.main([*arguments, "ïtem 3, nobody,ïtem 4"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "history left in the lists (auto: 50.0% of targets repeat)"
    assert lines[1] == "not in the catalogue and ignored: 'nobody'"
    assert lines[2].split() == ["rank", "item_id", "score", "interest", "title"]
    items, scores = expected(run.model, run.catalogue, ["ïtem 3", "ïtem 4"], False)
    for rank in range(3):
        assert lines[3 + rank].startswith(f"   {rank + 1}  {items[rank]}")
        assert re.search(rf"{scores[rank]:.4f} +[01]  Title of {items[rank]}$", lines[3 + rank])
    recommending.main([*arguments, "nobody"])
    output = capsys.readouterr().out
    assert "these are the most popular items" in output
    assert re.findall(r"^ +\d  (.+?) +0\.0000 +-  Title", output, re.M) == RAW_IDS[:3]


@pytest.mark.trains
def test_an_index_gives_the_same_as_every_item(run, capsys):
    run.model = TinyModel()  # whose weights change below
    build_index(run, run.path / "index")
    flags = ["--history", "ïtem 3,ïtem 4", "--exclude_history", "--exclude", "ïtem 5"]
    exact, _ = printed(run, capsys, *flags)
    by_index, _ = printed(run, capsys, *flags, "--index", str(run.path / "index"))
    assert by_index == exact
    run.model.item_table.assign_add(run.model.item_table)
    with pytest.raises(InputError, match=r"built from other weights .* build it again with python index.py"):
        recommending.main(["--run_dir", str(run.path), *flags, "--index", str(run.path / "index")])


@pytest.mark.trains
def test_what_is_wanted_can_be_said(run, capsys):
    history = ["--history", "ïtem 3,ïtem 4"]
    lines, notes = printed(run, capsys, *history, "--allow", "ïtem 8,ïtem 9,nobody", "--exclude", "ïtem 8")
    assert [line.split("  ")[2] for line in lines] == ["ïtem 9"]
    assert notes == ["only 1 items may be recommended"]
    lines, _ = printed(run, capsys, *history, "--categories", "ünivers")
    categories = run.catalogue.categories
    rows = run.catalogue.vocabulary.rows(RAW_IDS)
    of = dict(zip(RAW_IDS, categories[rows], strict=True))
    assert {of[re.match(r" +\d  (.+?) {2,}", line)[1]] for line in lines} == {3}


@pytest.mark.trains
def test_bad_rows_of_a_log_are_skipped_and_counted_when_asked_for(run, tmp_path, capsys):
    log, output = tmp_path / "log.csv", tmp_path / "out.parquet"
    log.write_text("user,item\na,ïtem 3\na,\nb\nb,ïtem 4\n", encoding="utf-8")
    flags = ["--run_dir", str(run.path), "--input", str(log), "--output", str(output)]
    with pytest.raises(InputError, match=r"line 3: item is empty; mend it or add --on_bad_row skip"):
        recommending.main(flags)
    assert recommending.main([*flags, "--on_bad_row", "skip"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len([line for line in lines if line.startswith("bad rows skipped: 1 (")]) == 2
    assert "skipped log.csv line 3: item is empty" in lines
    assert set(pd.read_parquet(output)["user"]) == {"a", "b"}


@pytest.mark.trains
def test_every_user_of_a_log_is_answered(run, tmp_path, capsys):
    log = tmp_path / "log.csv"
    log.write_text('who,what\na,ïtem 3\nb,"item,7"\na,ïtem 4\n', encoding="utf-8")
    columns = ["--user_col", "who", "--item_col", "what"]
    flags = ["--run_dir", str(run.path), "--input", str(log), "--output", str(tmp_path / "out.parquet"), "--top_n", "4"]
    assert recommending.main([*flags, *columns]) == 0
    note, lists, known, counts = capsys.readouterr().out.splitlines()
    assert lists == "history left in the lists (auto: 50.0% of targets repeat)"
    assert known == "3 of 3 interactions and 2 of 2 users are known"
    assert note == "no --time_col: the rows count as in the order of time"
    assert counts.startswith("8 rows for 2 users written to")
    table = pd.read_parquet(tmp_path / "out.parquet")
    for user, history in (("a", ["ïtem 3", "ïtem 4"]), ("b", ["item,7"])):
        items, _ = expected(run.model, run.catalogue, history, False)
        assert table[table.user == user]["item"].tolist() == items[:4]
    with pytest.raises(InputError, match=r"--output .*out.parquet: exists already; .* add --overwrite"):
        recommending.main([*flags, *columns])
    assert recommending.main([*flags, *columns, "--top_n", "1", "--overwrite"]) == 0
    assert len(pd.read_parquet(tmp_path / "out.parquet")) == 2
    source = log.rename(tmp_path / "log")
    before = source.read_bytes()
    with pytest.raises(InputError, match=r"--output .*log: one of the inputs; name another file"):
        recommending.main([*flags, *columns, "--input", str(source), "--output", str(source), "--overwrite"])
    assert source.read_bytes() == before


@pytest.mark.trains
def test_a_log_with_unknown_ids_is_told_with_counts_and_stops_where_none_is_known(run, tmp_path, capsys):
    log, output = tmp_path / "log.csv", tmp_path / "out.parquet"
    flags = ["--run_dir", str(run.path), "--input", str(log), "--output", str(output), "--top_n", "2"]
    log.write_text("user,item\na,ïtem 3\na,x\nb,ïtem 4\n", encoding="utf-8")
    assert recommending.main(flags) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "2 of 3 interactions and 2 of 2 users are known" in lines
    assert any(line.startswith("not in the catalogue: 'x'; the known ones") for line in lines)
    log.write_text("user,item\na,ïtem 3\na,x\nb,ÏTEM 4\n", encoding="utf-8")
    assert recommending.main([*flags, "--overwrite"]) == 0
    assert "WARNING: not in the catalogue: 'x', 'ÏTEM 4'; 'ÏTEM 4' is unknown, 'ïtem 4' is known" in (
        capsys.readouterr().out
    )
    before = output.read_bytes()
    log.write_text("user,item\na,x\nb,ÏTEM 4\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"no item of the 2 interactions is known; .*--allow_unknown"):
        recommending.main([*flags, "--overwrite"])
    assert output.read_bytes() == before and len(list(tmp_path.iterdir())) == 3
    assert recommending.main([*flags, "--overwrite", "--allow_unknown"]) == 0
    assert "0 of 2 interactions and 0 of 2 users are known" in capsys.readouterr().out
    assert pd.read_parquet(output)["item"].tolist() == RAW_IDS[:2] * 2


@pytest.mark.trains
def test_other_spellings_an_empty_history_and_too_many_items_are_told(run, capsys):
    _, notes = printed(run, capsys, "--history", "ÏTEM 3")
    assert "'ÏTEM 3' is unknown, 'ïtem 3' is known" in notes
    _, notes = printed(run, capsys, "--history", "")
    assert notes == ["the history is empty: these are the most popular items"]
    lines, notes = printed(run, capsys, "--history", "ïtem 3", "--top_n", "1000")
    assert notes == ["--top_n 1000: the catalogue has 200 items"] and len(lines) == 200
    one, _ = printed(run, capsys, "--history", " ïtem 3 , ïtem 4 ")
    assert one == printed(run, capsys, "--history", ' ["ïtem 3", "ïtem 4"]')[0]


@pytest.mark.trains
def test_whole_numbers_may_have_point_zero(tmp_path, monkeypatch, capsys):
    catalogue = make_dataset(tmp_path / "data", [str(number) for number in range(len(RAW_IDS))])
    run = make_run(tmp_path / "run", TinyModel(), catalogue)
    monkeypatch.setattr("remi_tf.training.run_folder.load_saved_run", lambda path, **_: run)
    plain = printed(run, capsys, "--history", "7,8", "--exclude", "9")
    assert printed(run, capsys, "--history", "7.0,8.0", "--exclude", "9.0") == plain and not plain[1]
    _, notes = printed(run, capsys, "--history", "7.0,8.5")  # not a list of whole numbers
    assert "'7.0' is unknown, '7' is known" in notes


@pytest.mark.trains
def test_ids_and_titles_cannot_steer_the_terminal(tmp_path, monkeypatch, capsys):
    ids = ["\x1b[2Jclear", "\u202eright", *RAW_IDS[2:]]
    catalogue = make_dataset(tmp_path / "data", ids)
    run = make_run(tmp_path / "run", TinyModel(), catalogue)
    monkeypatch.setattr("remi_tf.training.run_folder.load_saved_run", lambda path, **_: run)
    lines, notes = printed(run, capsys, "--history", "\x1b[31mnobody", "--top_n", "2")
    text = "".join([*lines, *notes])
    assert "\x1b" not in text and "\u202e" not in text
    assert r"\x1b[2Jclear" in lines[0] and r"Title of \u202eright" in lines[1]


@pytest.mark.trains
@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--history", "a", "--allow", ""], "allow: an empty list allows nothing"),
        (["--history", "a", "--categories", ","], "categories: an empty list allows nothing"),
        (["--history", "a", "--allow_unknown"], "--allow_unknown: it goes with --input; leave it out"),
        (["--input", "b.csv", "--output", "top.csv"], "--output top.csv: it is written as Parquet"),
        ([], "give either --history IDS or --input FILE"),
        (["--history", "a", "--input", "b.csv"], "give either --history IDS or --input FILE"),
        (["--input", "b.csv"], "--output is missing"),
        (
            ["--input", "b.csv", "--output", "c", "--user_profile", "F"],
            "--user_profile: it goes with --history; leave it out",
        ),
        (["--history", "a", "--output", "c"], "--output: it goes with --input; leave it out"),
        (["--history", "a", "--top_n", "0"], "top_n 0: give a positive whole number"),
        (["--history", "a", "--diversity", "nan"], "diversity nan is not 0 or more"),
        (["--history", "a", "--overwrite"], "--overwrite: it goes with --input; leave it out"),
        (["--history", "a", "--user_col", "who"], "--user_col: it goes with --input; leave it out"),
        (["--history", "a", "--time_unit", "s"], "--time_unit: it goes with --input; leave it out"),
        (["--input", "nowhere.csv", "--output", "."], r"--output \.: a folder; name a file such as \./top.parquet"),
        (["--input", "nowhere.csv", "--output", "c"], "nowhere.csv: no such file"),
    ],
)
def test_flags_that_do_not_fit_are_refused(run, flags, message):
    with pytest.raises(InputError, match=message):
        recommending.main(["--run_dir", str(run.path), *flags])
    assert not Path("c").exists()


def printed(run, capsys, *flags):
    """The ranked lines, and what is said before them besides whether they leave out the history."""
    recommending.main(["--run_dir", str(run.path), "--top_n", "3", *flags])
    lines = capsys.readouterr().out.splitlines()
    head = next(number for number, line in enumerate(lines) if line.split()[:1] == ["rank"])
    return lines[head + 1 :], [line for line in lines[:head] if not line.startswith("history left ")]


@pytest.mark.trains
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


@pytest.mark.trains
def test_a_profile_is_taken_and_what_is_unknown_of_it_is_said(run, capsys):
    run.model = Personal()
    unknown, notes = printed(run, capsys, "--history", "ïtem 3")
    assert notes[-1] == "no --user_profile: nothing is known of the user (gender,job, or none)"
    lines, notes = printed(run, capsys, "--history", "ïtem 3", "--user_profile", ",y")
    assert lines == unknown and notes == ["not among the values of job, or none ('é', 'x,y', '1') and ignored: 'y'"]
    lines, notes = printed(run, capsys, "--history", "ïtem 3", "--user_profile", '["M", "x,y"]')
    assert lines != unknown and not notes


@pytest.mark.trains
@pytest.mark.parametrize(
    ("model", "flags", "message"),
    [
        (TinyModel, ["--timestamps", "5"], "--timestamps: the model does not read it; leave it out"),
        (TinyModel, ["--user_profile", "F,1"], "--user_profile: the model does not read it; leave it out"),
        (Dated, ["--timestamps", "5,6"], "--timestamps: 2 values for 1 items of --history; give one for each"),
        (Dated, ["--timestamps", "today"], "--timestamps: 'today' is not a whole number of seconds since 1970"),
        (Dated, ["--timestamps", "1388534400000"], "1388534400000 seconds .* 2100; are these milliseconds?"),
        (Dated, ["--timestamps=-5"], "--timestamps: -5 is negative; give seconds since 1970"),
        (Dated, ["--timestamps", "9" * 30], "is not a whole number of seconds since 1970"),
        (
            Personal,
            ["--user_profile", "F"],
            "--user_profile: 1 values for 2 columns: gender, job, or none; give one for each",
        ),
    ],
)
def test_inputs_that_do_not_fit_are_refused(run, model, flags, message):
    run.model = model()
    with pytest.raises(InputError, match=message):
        recommending.main(["--run_dir", str(run.path), "--history", "ïtem 3", *flags])
