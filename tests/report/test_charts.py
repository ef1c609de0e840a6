"""Drawings: their labels are anybody's text, and they are accessible SVG."""

import re
import warnings
from xml.etree import ElementTree

import numpy as np
import pytest

from remi_tf.report.charts import Line, bars, curves, heat_map, panels, svg
from tests.report_toys import NASTY


def tree(figure, about="what it shows"):
    """The SVG, read as XML."""
    source = svg(figure, about).replace("<svg ", '<svg xmlns:xlink="http://www.w3.org/1999/xlink" ', 1)
    return ElementTree.fromstring(source)


def texts(figure):
    return [each.text for each in tree(figure).iter("text")]


def test_labels_are_text_whatever_they_hold():
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # letters that Matplotlib's own font does not have are no reason for a warning
        drawn = heat_map(np.zeros((len(NASTY), 2)), NASTY, NASTY[:2], "<b>title</b> $1")
        found = tree(drawn)
    kinds = {each.tag for each in found.iter()}
    assert kinds <= {"svg", "g", "path", "defs", "clipPath", "rect", "text", "use"}
    labels = [each.text for each in found.iter("text")]
    assert {"<script>alert(1)</script>", "שלום עולם", "$x_1$ is no formula", "<b>title</b> $1"} <= set(labels)
    assert max(map(len, labels)) < 40


def test_a_heat_map_has_the_numbers_and_the_labels_of_its_cells():
    drawn = texts(heat_map(np.array([[0.25, 1.0], [np.nan, 0.5]]), ["a", "b"], ["0", "1"]))
    assert sorted(drawn) == ["0", "0.25", "0.50", "1", "1.00", "a", "b"]


def test_a_darker_cell_is_a_larger_value_and_one_without_a_value_is_grey():
    drawn = tree(heat_map(np.array([[0.0, 0.5, 1.0, np.nan]]), ["a"], list("0123")))
    fills = [re.search("fill: #(.{6})", each.get("style", "")) for each in drawn.iter("path")]
    colours = [int(match[1][:2], 16) for match in fills if match][-4:]
    whole = [match[1] for match in fills if match][-4:]
    assert colours[0] > colours[1] > colours[2] and whole[3] == "dddddd"


def test_a_title_that_is_wider_than_the_cells_has_its_room():
    """Letters of 9 points are about 5 points wide."""
    box = tree(heat_map(np.eye(1), ["0"], ["0"], "cosine of two interests")).get("viewBox")
    assert float(box.split()[2]) > 23 * 5


def test_large_matrices_have_no_numbers_in_their_cells():
    assert len(texts(heat_map(np.zeros((30, 30)), ["r"] * 30, ["c"] * 30))) == 60


def test_a_heat_map_can_be_written_as_png(tmp_path):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")
        heat_map(np.eye(3), NASTY[:3], ["0", "1", "2"]).savefig(tmp_path / "map.png")
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")


def test_labels_that_would_lie_on_each_other_are_left_out_and_the_ends_stay():
    near = [(0.5 + at / 1e4, 0.2 - at / 1e4, f"λ{at}") for at in range(5)]
    drawn = texts(curves({"A": [(0.1, 0.9, "first"), *near, (0.9, 0.1, "last")]}, "diversity", "recall"))
    assert {"first", "last"} <= set(drawn) and sum(each.startswith("λ") for each in drawn) == 1
    apart = texts(curves({"A": [(at, at, f"λ{at}") for at in range(5)]}, "x", "y"))
    assert sum(each.startswith("λ") for each in apart) == 5


@pytest.mark.parametrize(
    "figure",
    [
        panels(
            {"loss": [Line("A", [1, 2], [3, 4], (2, 4)), Line("B", [1], [3])], "recall": [Line("", [1], [2])]}, "step"
        ),
        bars(["1", "2"], {"log": [0.9, 0.1], "lists": [1, 0]}, "tenth", "share"),
        curves({"A": [(0.1, 0.2, "0"), (0.2, 0.1, "∞")], "B": [(0, 0, "0")]}, "diversity", "recall"),
    ],
    ids=["panels", "bars", "curves"],
)
def test_every_drawing_has_a_text_for_those_who_do_not_see_it_and_asks_for_nothing(figure):
    source = svg(figure, 'says "this" & <that>')
    found = ElementTree.fromstring(source.replace("<svg ", '<svg xmlns:xlink="http://www.w3.org/1999/xlink" ', 1))
    assert found.get("role") == "img" and found.get("aria-label") == 'says "this" & <that>'
    assert "http" not in source and "<style" not in source and "<image" not in source
    ids = {each.get("id") for each in found.iter()} - {None}
    used = re.findall(r'xlink:href="#(.*?)"|url\(#(.*?)\)', source)
    assert {a or b for a, b in used} <= ids
