"""Text of somebody else (an id, a title) on a page or in a drawing: what nobody would see is shown, and it fits."""

import unicodedata

INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
"""Unicode's classes of characters that XML forbids or that no font shows: control and format characters, halves of
surrogates, private and unassigned characters, ends of lines and paragraphs."""

JOINERS = {"\u200c", "\u200d"}
"""Format characters that belong to words of some languages, and to emoji."""

MOST_MARKS = 8
"""Accents on one letter; more would hide the lines above and below."""

TITLE = 100
"""Columns of a title or an id, at most."""

TURNS = {*map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A)), "\u200e", "\u200f", "\u061c"}
"""Characters that turn the direction of the text after them. Letters that are read from right to left do so by
themselves."""


def visible(text: str) -> str:
    """The text with U+FFFD for each character that nobody would see, or that would turn the text after it."""
    if text.isprintable() and text.isascii():
        return text
    seen, marks = [], 0
    for char in text:
        category = unicodedata.category(char)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks <= MOST_MARKS:
            hidden = category in INVISIBLE and char not in JOINERS
            seen.append("\ufffd" if hidden or char in TURNS else char)
    return "".join(seen)


def width(text: str) -> int:
    """How many columns of ordinary letters the text takes: wide letters (Chinese, emoji) take two, accents none."""
    return sum(_columns(char) for char in text)


def shortened(text: str, columns: int) -> str:
    """The visible text in at most so many columns; "…" stands for what is left out."""
    text = visible(text)
    if width(text) <= columns:
        return text
    taken, kept = 1, []  # the … takes one
    for char in text:
        taken += _columns(char)
        if taken > columns:
            break
        kept.append(char)
    return "".join(kept).rstrip(" ,:;(") + "…"


def _columns(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1
