"""The page as a file: whole, safe, and right for every kind of run."""

import json
import re

import pytest

from remi_tf.errors import InputError
from remi_tf.report.gather import Asked
from remi_tf.report.write import html_of, write_report
from tests.browsers import browser, measured, run  # noqa: F401
from tests.evaluation_toys import TinyModel
from tests.report.test_page import Reader
from tests.report_toys import NASTY, OneVector, findings, make_dataset, routed, stand_ins

SECTIONS = [
    "What ran", "Learning curves", "Metrics", "For whom is it good?", "Interests", "Some users", "Popularity bias",
    "Diversity", "Best and worst users",
]  # fmt: skip


def read(source):
    return Reader(source.replace("<!DOCTYPE html>", ""))


@pytest.fixture
def runs(tmp_path):
    """Folders A and B of runs."""
    models = {"A": routed(), "B": TinyModel(seed=3)}
    for name in models:
        (tmp_path / name).mkdir()
    with stand_ins(make_dataset(tmp_path / "data", NASTY, categories=True), models):
        yield tmp_path


def test_the_page_of_a_run_has_every_section_and_is_whole_html(one):
    source = html_of(one)
    page = read(source)
    assert page.is_balanced
    assert re.findall("<h2>(.*?)</h2>", source) == SECTIONS
    assert "Not here" not in source


def test_no_title_becomes_a_tag_and_nothing_is_fetched(two):
    page = read(html_of(two))
    assert not {"script", "img", "iframe", "link", "b", "i"} & set(page.tags) and page.tags.count("h1") == 1
    assert not [key for _, key, _ in page.attributes if key.startswith("on") or key in ("src", "srcset")]
    links = [value for _, key, value in page.attributes if key in ("href", "xlink:href")]
    assert all(value.startswith("#") for value in links)
    assert any("<script>alert(1)</script>" in word for word in page.words)


def test_two_runs_stand_next_to_each_other_and_are_tested(two):
    source = html_of(two)
    assert "<h2>Is A better than B?</h2>" in source and "Paired t-test" in source
    for name in ("A", "B"):
        assert f"{name} is {two.runs['AB'.index(name)].path}" in source


@pytest.mark.parametrize(
    ("kind", "gone"),
    [
        ("bare", {"Learning curves", "Interests", "Diversity"}),
        ("one vector", {"Interests"}),
    ],
)
def test_sections_without_a_meaning_say_why_in_a_line(kind, gone, bare, tmp_path):
    source = html_of(bare if kind == "bare" else findings(tmp_path, OneVector()))
    page = read(source)
    assert page.is_balanced
    missing = {heading for heading, line in re.findall(r"<h2>(.*?)</h2><p class=\"missing\">(.*?)</p>", source)}
    assert missing == gone


def test_the_file_appears_whole_and_is_not_replaced_unasked(runs, capsys):
    output = runs / "A" / "report.html"
    write_report([runs / "A"], output, Asked())
    first = output.read_text(encoding="utf-8")
    assert first.startswith("<!DOCTYPE html>") and first.endswith("</html>\n")
    with pytest.raises(InputError, match=r"report\.html: exists already; name another file or add --overwrite"):
        write_report([runs / "A"], output, Asked())
    write_report([runs / "A", runs / "B"], output, Asked(), overwrite=True)
    assert "Is A better than B?" in output.read_text(encoding="utf-8")
    write_report([runs / "A"], output, Asked(), overwrite=True)
    assert output.read_text(encoding="utf-8") == first  # the same run gives the same page
    assert capsys.readouterr().err == ""  # no progress was asked for


def test_it_is_said_what_is_being_done_and_that_there_are_fewer_users_than_asked_for(runs, capsys):
    """The dataset has 12 test users."""
    output = runs / "fifty.html"
    write_report([runs / "A", runs / "B"], output, Asked(users=50), progress=True)
    said = capsys.readouterr().err.splitlines()
    steps = [f"{runs / 'A'}: eval", "--users 50: only 12 test", f"{runs / 'A'}: choos", f"{runs / 'B'}: eval"]
    steps += [f"{runs / 'B'}: choos", "for comparison: ", "drawing the page"]
    assert [line[: len(step)] for line, step in zip(said, steps, strict=True)] == steps
    assert "50 were asked for; no more test users have targets." in output.read_text(encoding="utf-8")


def test_a_failure_leaves_no_file(runs, monkeypatch):
    monkeypatch.setattr("remi_tf.report.write.page", lambda *parts: json.loads("no page"))
    with pytest.raises(ValueError, match="Expecting value"):
        write_report([runs / "A"], runs / "new.html", Asked())
    assert not list(runs.glob("*.html")) and not list(runs.glob(".*"))


@pytest.mark.trains
@pytest.mark.parametrize("width", [400, 1200])
def test_a_browser_shows_it_in_a_narrow_and_a_wide_window(two, tmp_path, browser, width):  # noqa: F811
    """Nothing is wider than the window, no script runs, and nothing is asked of the network."""
    page = tmp_path / "report.html"
    page.write_text(html_of(two), encoding="utf-8")
    found = measured(browser, tmp_path, page, width)
    assert found["headings"] == [*SECTIONS[:3], "Is A better than B?", *SECTIONS[3:]]
    assert found["width"] <= width and found["wide"] == []
    assert found["requested"] == [] and "hacked" not in found["title"]
    assert len(found["drawings"]) > 5 and min(found["drawings"]) > 50


@pytest.mark.trains
def test_a_browser_draws_it_and_no_script_changes_it(two, tmp_path, browser):  # noqa: F811
    page = tmp_path / "report.html"
    page.write_text(html_of(two), encoding="utf-8")
    dom = run(browser, tmp_path / "profile", page, "--dump-dom")
    assert "<script" not in dom and "hacked'&gt;" in dom
    run(browser, tmp_path / "profile", page, f"--screenshot={tmp_path / 'shot.png'}", "--window-size=800,2000")
    assert (tmp_path / "shot.png").stat().st_size > 20_000
