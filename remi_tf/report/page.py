"""The building blocks of the page. Text becomes HTML here, and only here: whatever is no `Html` is escaped."""

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from remi_tf.numbers import fixed
from remi_tf.report.words import visible

NO_VALUE = "–"
_SHORT = 8  # letters of a cell that is not broken
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""No script runs and nothing is fetched, even if a text slipped through unescaped."""

STYLE = """
:root { color-scheme: light; }
body { margin: 0 auto; padding: 1rem; max-width: 64rem; font: 16px/1.5 sans-serif; color: #1a1a1a; background: #fff;
  overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; } h2 { margin-top: 2.5rem; border-bottom: 1px solid #bbb; font-size: 1.3rem; }
h3 { margin-top: 2rem; font-size: 1.1rem; } h4 { margin: 1rem 0 .3rem; font-size: 1rem; }
p, ul { max-width: 44rem; } nav ul { columns: 14rem; }
.how, .missing, .note, small { color: #555; }
.parts { display: flex; flex-wrap: wrap; gap: 1rem 2rem; align-items: flex-start; }
.parts > * { flex: 1 1 18rem; min-width: 0; max-width: 100%; }
figure { margin: 1rem 0; } figure svg { display: block; width: 100%; height: auto; }
figcaption, caption { color: #555; font-size: .9rem; text-align: left; }
svg * { stroke-linejoin: round; stroke-linecap: butt; } svg text { font-family: 'DejaVu Sans', Verdana, sans-serif; }
table { border-collapse: collapse; margin: .5rem 0 1rem; font-size: .9rem; }
th, td { padding: .15rem .9rem .15rem 0; border-bottom: 1px solid #ddd; text-align: left; vertical-align: top; }
thead th { border-bottom: 1px solid #888; overflow-wrap: normal; word-break: normal; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.short { white-space: nowrap; }
ol { margin: .3rem 0; padding-left: 2rem; font-size: .9rem; }
summary { cursor: pointer; color: #555; }
@media (max-width: 32rem) { body { padding: .8rem; } table, ol { font-size: .8rem; } th, td { padding-right: .35rem; } }
""".strip()


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


@dataclass(frozen=True)
class Section:
    """A part of the page. how: one sentence that says how to read it. parts: what is shown; none if it is missing."""

    heading: str
    how: str
    parts: tuple[Html, ...] = ()

    @property
    def anchor(self) -> str:
        """Its name within the page."""
        return re.sub(r"[^a-z]+", "-", self.heading.lower()).strip("-")


def missing(heading: str, why: str) -> Section:
    """A section that has no meaning for this run, and the line that says why."""
    return Section(heading, f"Not here: {why}.")


def text(value: object) -> Html:
    """A value as HTML. Numbers with a point have four decimals; None is a dash."""
    if isinstance(value, Html):
        return value
    if value is None or (isinstance(value, float) and value != value):
        return Html(NO_VALUE)
    if isinstance(value, float):
        return Html(fixed(value, 4))
    if isinstance(value, int) and not isinstance(value, bool):
        return Html(f"{value:,}")
    return Html(html.escape(visible(str(value))))


def name(value: str, tooltip: str = "") -> Html:
    """An id or a title: its direction is its own. tooltip: what is shown while the mouse is over it."""
    return element("bdi", value, **({"title": tooltip} if tooltip and tooltip != value else {}))


def joined(*parts: object) -> Html:
    """Pieces of text and HTML, one after the other."""
    return Html("".join(map(text, parts)))


def element(tag: str, *parts: object, **attributes: str) -> Html:
    """`<tag …>parts</tag>`. An attribute called `class_` is the class."""
    given = "".join(f' {key.rstrip("_")}="{text(value)}"' for key, value in attributes.items())
    return Html(f"<{tag}{given}>{joined(*parts)}</{tag}>")


def paragraph(*parts: object, kind: str = "") -> Html:
    return element("p", *parts, **({"class_": kind} if kind else {}))


def table(head: Sequence[object], rows: Iterable[Sequence[object]], caption: str = "") -> Html:
    """A table. Columns of numbers, or None among them, stand at the right; columns of short words stay on one line."""
    rows = list(rows)
    kinds = [_kind([row[place] for row in rows]) for place in range(len(head))]

    def cells(tag: str, row: Sequence[object]) -> Html:
        return joined(
            *(element(tag, cell, **({"class_": kind} if kind else {})) for cell, kind in zip(row, kinds, strict=True))
        )

    return element(
        "table",
        element("caption", caption) if caption else "",
        element("thead", element("tr", cells("th", head))),
        element("tbody", *(element("tr", cells("td", row)) for row in rows)),
    )


def _kind(cells: Sequence[object]) -> str:
    """The class of a column."""
    if cells and all(isinstance(cell, int | float | None) for cell in cells):
        return "number"
    return "short" if all(len(text(cell)) <= _SHORT for cell in cells) else ""


def listing(items: Iterable[object], start: int = 1) -> Html:
    """A numbered list."""
    return element("ol", *(element("li", item) for item in items), start=str(start))


def figure(drawing: Html, caption: object) -> Html:
    return element("figure", drawing, element("figcaption", caption))


def next_to_each_other(*parts: Html) -> Html:
    """Parts in a row where the window is wide enough, else below each other."""
    return element("div", *(element("div", part) for part in parts), class_="parts")


def folded(summary: str, *parts: object) -> Html:
    """What is shown when its summary is clicked."""
    return element("details", element("summary", summary), *parts)


def page(title: str, intro: Sequence[Html], sections: Sequence[Section]) -> str:
    """The whole page."""
    links = [element("li", element("a", each.heading, href=f"#{each.anchor}")) for each in sections]
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            element("title", title),
            f"<style>\n{STYLE}\n</style>\n</head>\n<body>",
            element("h1", title),
            *intro,
            element("nav", element("ul", *links)),
            *map(_section, sections),
            "</body>\n</html>\n",
        ]
    )


def _section(section: Section) -> Html:
    kind = "how" if section.parts else "missing"
    how = paragraph(section.how, kind=kind)
    return element("section", element("h2", section.heading), how, *section.parts, id=section.anchor)
