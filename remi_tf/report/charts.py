"""Drawings by Matplotlib, and a drawing as SVG inside the page. Labels may be anybody's text: it is never a formula."""

import io
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from remi_tf.numbers import fixed
from remi_tf.report.page import Html, text
from remi_tf.report.words import shortened, width

FONT = 9
"""Size of letters in points."""
COLUMN = 0.62 * FONT / 72
"""Inches that a letter takes, at most, on average."""
CELL = 0.24
LONGEST = 34
"""Columns of a label."""
WIDTH = 5.0
"""Inches of a drawing whose width is free: on a phone its letters can still be read."""
STYLE: Any = {"font.size": FONT, "axes.titlesize": FONT, "axes.spines.top": False, "axes.spines.right": False}
COLOURS, DASHES = ("#1f5fa8", "#c2571a", "#5b8c3a", "#7d5a9e"), ("-", "--", "-.", ":")
_MOST_NUMBERS = 200  # cells of a heat map whose values are written into them


@dataclass(frozen=True)
class Line:
    """A line of a panel. marked: a point of it that stands out."""

    label: str
    x: Sequence[float]
    y: Sequence[float]
    marked: tuple[float, float] | None = None


def heat_map(
    matrix: np.ndarray,
    row_labels: Sequence[str],
    column_labels: Sequence[str],
    title: str = "",
    low: float = 0.0,
    high: float = 1.0,
) -> Figure:
    """A matrix as colours, with its numbers where they are few. NaN is a grey cell.

    Args:
      matrix: `[rows, columns]` float.
      row_labels, column_labels: any text; long ones are shortened.
      low, high: values of the lightest and the darkest colour. Below 0 there is a second colour.
    """
    rows, columns = matrix.shape
    on_left, on_top = _labels(row_labels), _labels(column_labels)
    left = 0.1 + COLUMN * max(map(width, on_left), default=0)
    longest = COLUMN * max(map(width, on_top), default=0)
    cell = max(0.42, min(longest + 0.08, 0.9)) if longest <= 0.9 else 0.42
    upright = longest > cell
    top = 0.1 + (longest if upright else 0.2) + 0.25 * bool(title)
    title = shortened(title, 2 * LONGEST)
    wide = max(left + cell * columns + 0.1, 0.2 + COLUMN * width(title))
    high_ = top + CELL * rows + 0.05
    figure = Figure(figsize=(wide, high_))
    place = (left / wide, 0.05 / high_, cell * columns / wide, CELL * rows / high_)
    axes: Any = figure.add_axes(place)
    axes.set_axis_off()
    colours = matplotlib.colormaps["RdBu" if low < 0 else "Blues"].with_extremes(bad="#dddddd")
    shown = np.ma.masked_invalid(matrix)
    mesh = axes.pcolormesh(shown, cmap=colours, vmin=low, vmax=high, edgecolors="white", linewidth=1)
    axes.invert_yaxis()
    words: dict[str, Any] = {"fontsize": FONT, "parse_math": False}
    for row, label in enumerate(on_left):
        axes.text(-0.08 / cell, row + 0.5, label, ha="right", va="center", **words)
    for column, label in enumerate(on_top):
        turned = {"rotation": 90, "ha": "center", "va": "bottom"} if upright else {"ha": "center", "va": "bottom"}
        axes.text(column + 0.5, -0.06 / CELL, label, **turned, **words)
    if title:
        figure.text(0.1 / wide, 1 - 0.08 / high_, title, va="top", **words)
    if matrix.size <= _MOST_NUMBERS:
        dark = np.abs(shown - (low + high) / 2 if low < 0 else shown - low) > 0.5 * (high if low < 0 else high - low)
        for row, column in np.argwhere(~np.ma.getmaskarray(shown)):
            colour = "white" if dark[row, column] else "#333333"
            value = fixed(matrix[row, column], 2)
            axes.text(column + 0.5, row + 0.5, value, ha="center", va="center", color=colour, fontsize=FONT - 1)
    mesh.set_antialiased(False)
    return figure


def _labels(labels: Sequence[str]) -> list[str]:
    return [shortened(label, LONGEST) for label in labels]


def panels(lines: Mapping[str, Sequence[Line]], x_label: str) -> Figure:
    """Panels below each other with one x axis, each with its lines. The key is a panel's title."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 0.4 + 1.5 * len(lines)), layout="constrained")
        several: Any = figure.subplots(len(lines), 1, sharex=True, squeeze=False)
        for axes, (title, its_lines) in zip(several[:, 0], lines.items(), strict=True):
            axes.set_title(title, loc="left", parse_math=False)
            axes.grid(alpha=0.3)
            for number, line in enumerate(its_lines):
                colour, dash = COLOURS[number % len(COLOURS)], DASHES[number % len(DASHES)]
                dot = "o" if len(line.x) == 1 else None
                axes.plot(line.x, line.y, color=colour, linestyle=dash, marker=dot, label=line.label)
                if line.marked:
                    axes.plot(*line.marked, marker="*", markersize=11, color=colour, linestyle="")
            if len(its_lines) > 1:
                axes.legend(fontsize=FONT - 1, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
        several[-1, 0].set_xlabel(x_label)
        return figure


def bars(groups: Sequence[str], series: Mapping[str, Sequence[float]], x_label: str, y_label: str) -> Figure:
    """For each group a bar of each series."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 3), layout="constrained")
        axes: Any = figure.subplots()
        wide, at = 0.85 / len(series), np.arange(len(groups))
        for number, (label, values) in enumerate(series.items()):
            colour = COLOURS[number % len(COLOURS)]
            axes.bar(at + (number - (len(series) - 1) / 2) * wide, values, wide, color=colour, label=label)
        axes.set_xticks(at, list(groups))
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
        axes.legend(fontsize=FONT - 1, frameon=False)
        return figure


def curves(lines: Mapping[str, Sequence[tuple[float, float, str]]], x_label: str, y_label: str) -> Figure:
    """Lines through points (x, y, label of the point). A label that would lie on another one is left out."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 3), layout="constrained")
        axes: Any = figure.subplots()
        axes.grid(alpha=0.3)
        axes.margins(0.12)
        ends: list[Any] = []
        between: list[Any] = []
        for number, (label, points) in enumerate(lines.items()):
            colour, dash = COLOURS[number % len(COLOURS)], DASHES[number % len(DASHES)]
            x, y, names = zip(*points, strict=True)
            axes.plot(x, y, marker="o", color=colour, linestyle=dash, label=label)
            style: Any = {"textcoords": "offset points", "color": colour, "fontsize": FONT - 1}
            of_line = [
                axes.annotate(words, place, xytext=(4, 4), **style) for words, *place in zip(names, x, y, strict=True)
            ]
            ends += of_line[:: max(len(of_line) - 1, 1)]
            between += of_line[1:-1]
        if len(lines) > 1:
            axes.legend(fontsize=FONT - 1, frameon=False)
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
        _without_overlaps(figure, [*ends, *between])  # the ends say which way a line runs
        return figure


def _without_overlaps(figure: Figure, labels: Sequence[Any]) -> None:
    """Remove each label that lies on one before it."""
    figure.draw_without_rendering()  # gives the places
    kept: list[Any] = []
    for label in labels:
        box = label.get_window_extent()
        if any(box.overlaps(other) for other in kept):
            label.remove()
        else:
            kept.append(box)


def svg(figure: Figure, about: str) -> Html:
    """The drawing as SVG for the page: as large as it is drawn where there is room, else smaller.

    Args:
      about: what it shows, for those who do not see it.
    """
    written = io.StringIO()
    style: Any = {"svg.fonttype": "none", "svg.hashsalt": about}
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with matplotlib.rc_context(style), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # the reader's fonts draw the letters
        figure.savefig(written, format="svg", metadata=nothing)
    opening, inside = re.split(r"(?<=>)", written.getvalue()[written.getvalue().index("<svg") :], maxsplit=1)
    box = re.search(r'viewBox="([\d. ]+)"', opening)
    assert box is not None
    points = float(box[1].split()[2])
    inside = re.sub(r"\s*<metadata>.*?</metadata>|\s*<style.*?</style>", "", inside, flags=re.S)
    inside = re.sub(r'<g id="[^"]*"', "<g", inside)  # the same in every drawing; nothing refers to them
    inside = re.sub(r"font-family: [^;\"]*;? ?", "", inside)  # the page has one
    drawn = f'<svg viewBox="{box[1]}" style="max-width: {points:.0f}pt" role="img" aria-label="{text(about)}">'
    return Html(drawn + inside.strip())
