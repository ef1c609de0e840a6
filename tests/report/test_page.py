"""The building blocks: whatever is text is escaped, and the page is whole HTML."""

from html.parser import HTMLParser

import pytest

from remi_tf.report.page import Html, Section, element, joined, listing, missing, name, page, table, text
from tests.report_toys import NASTY

VOID = ("meta",)


class Reader(HTMLParser):
    """Tags in their order, text, and whether every tag is closed by its own end."""

    def __init__(self, source):
        super().__init__()
        self.tags, self.words, self.attributes, self._open, self.is_balanced = [], [], [], [], True
        self.feed(source)
        self.close()
        self.is_balanced &= not self._open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *pair) for pair in attrs]
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *pair) for pair in attrs]

    def handle_endtag(self, tag):
        self.is_balanced &= bool(self._open) and self._open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


@pytest.mark.parametrize("title", NASTY)
def test_any_text_is_text_and_nothing_else(title):
    read = Reader(joined(name(title), table(["head", title], [[title, 1]], title), listing([title])))
    assert read.is_balanced
    assert set(read.tags) == {"bdi", "table", "caption", "thead", "tbody", "tr", "th", "td", "ol", "li"}
    shown = [word for word in read.words if word not in ("head", "1")]
    assert len(shown) == 5 and len(set(shown)) == 1
    assert shown[0].replace("\ufffd", "?") == title.translate(dict.fromkeys([0x202E, 7, 9], "?"))


def test_attributes_cannot_be_left():
    (found,) = Reader(element("p", href='"><script>')).attributes
    assert found == ("p", "href", '"><script>')


def test_numbers_have_their_form_and_what_is_not_there_a_dash():
    assert [text(value) for value in (0.5, 12345, None, float("nan"), "a", Html("<b>"))] == [
        "0.5000", "12,345", "–", "–", "a", "<b>",
    ]  # fmt: skip


def test_columns_of_numbers_stand_at_the_right_also_with_gaps():
    source = table(["metric", "A"], [["recall", 0.5], ["gini", None]])
    assert [kind for _, key, kind in Reader(source).attributes if key == "class"].count("number") == 3


def test_the_page_is_whole_and_every_section_can_be_reached():
    sections = [Section("First & best", "Read it so.", (element("p", "x"),)), missing("Second?", "there is nothing")]
    source = page("A <title>", [element("p", "intro")], sections)
    read = Reader(source.replace("<!DOCTYPE html>", ""))
    assert read.is_balanced and "script" not in read.tags
    ids = [value for tag, key, value in read.attributes if (tag, key) == ("section", "id")]
    links = [value for tag, key, value in read.attributes if (tag, key) == ("a", "href")]
    assert links == [f"#{anchor}" for anchor in ids] and len(set(ids)) == 2
    assert "Not here: there is nothing." in read.words
    assert any("default-src 'none'" in value for _, key, value in read.attributes if key == "content")
