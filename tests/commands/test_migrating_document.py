"""docs/MIGRATING.md is true: its commands can be typed, and its table of flags is that of other_names.py."""

import re
from pathlib import Path

import pytest

from remi_tf.commands.other_names import OTHER_NAMES
from tests.typed_commands import assert_can_be_typed, main_of

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "MIGRATING.md").read_text(encoding="utf-8")
LINES = re.sub(r"\\\n +", "", TEXT)  # a command over two lines is one
COMMANDS = sorted(set(re.findall(r"python ((?:data/prepare|train|evaluate|vectors|recommend)\.py --[^`\n]+)", LINES)))


@pytest.mark.parametrize("typed", [typed for typed in COMMANDS if "--help" not in typed])
def test_a_command_in_the_document_can_be_typed(typed, monkeypatch):
    if "--interest_num" in typed:  # the document's example of a flag that is refused
        script, *flags = typed.split()
        with pytest.raises(Exception, match=re.escape(re.search(r"error: (unknown flag .*)", TEXT)[1])):
            main_of(script)(flags)
        return
    assert_can_be_typed(typed, monkeypatch)


def test_the_document_has_commands():
    assert {typed.split(".py")[0] for typed in COMMANDS} == {"data/prepare", "train", "evaluate", "vectors"}


def test_the_table_has_each_flag_of_the_releases_with_its_name_here():
    rows = dict(re.findall(r"^\| `(--?\w+)` \|[^|]*\| ([^|]*) \|", TEXT, re.M))
    assert rows.pop("-p") == "a command for each part"
    named = {flag: (re.findall(r"`(--\w+)`", here) or [None])[0] for flag, here in rows.items()}
    assert named == {flag: entry.flag for flag, entry in OTHER_NAMES.items() if flag != "-p"}
    for flag, here in rows.items():
        scripts = re.findall(r"`(\w+)\.py`", here)
        assert not scripts or tuple(scripts) == OTHER_NAMES[flag].commands
