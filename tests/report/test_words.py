"""Text of others: nothing invisible, and it fits its place."""

import pytest

from remi_tf.report.words import shortened, visible, width


@pytest.mark.parametrize("text", ["plain", "שלום עולם", "😀", "漢字", "é", "a b"])
def test_letters_of_any_script_stay_as_they_are(text):
    assert visible(text) == text


@pytest.mark.parametrize("char", ["\x00", "\x07", "\x1b", "\x7f", "\t", "\n", "\u202e", "\u2066", "\u200f", "\ufffe"])
def test_what_would_steer_or_turn_is_shown_as_a_replacement(char):
    assert visible(f"a{char}b") == "a\ufffdb"


def test_a_long_text_ends_with_dots_and_fits():
    assert shortened("a" * 50, 10) == "a" * 9 + "…"
    assert shortened("one two", 5) == "one…"
    assert shortened("exactly10!", 10) == "exactly10!"


def test_wide_letters_take_two_columns_and_accents_none():
    assert width("漢字") == 4 and width("e\u0301") == 1 and width("😀") == 2
    assert shortened("漢字" * 5, 10) == "漢字漢字…"


@pytest.mark.parametrize("char", ["\u200b", "\u00ad", "\ufeff", "\u2060", "\U000e0041"])
def test_what_no_font_shows_is_shown_as_a_replacement_but_words_and_emoji_keep_their_joiners(char):
    assert visible(f"a{char}b") == "a\ufffdb"
    for text in ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\U0001f468\u200d\U0001f469\u200d\U0001f467"):
        assert visible(text) == text


def test_a_letter_cannot_carry_accents_over_the_whole_page():
    assert len(shortened("e" + "\u0301" * 4000 + "x", 5)) < 20
    assert visible("e\u0301\u0302") == "e\u0301\u0302"
