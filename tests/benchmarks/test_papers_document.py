"""docs/PAPERS.md is true: files and tests are there, commands can be typed, and every study has its row."""

import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
import studies

from tests.typed_commands import assert_can_be_typed

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "PAPERS.md").read_text(encoding="utf-8")
ROWS = [line for line in TEXT.splitlines() if line.startswith("| ") and "| file |" not in line]
COMMANDS = sorted(set(re.findall(r"`python ((?:data/prepare|train|evaluate|tune)\.py --?[^`\n]+)`", TEXT)))


def test_every_row_names_a_file_and_a_test_that_are_there():
    rows = [row for row in ROWS if not row.startswith(("| paper |", "| system |", "| equation |", "| protocol |"))]
    assert len(rows) > 50
    for row in rows:
        named = re.findall(r"(?<![\w/`])((?:remi_tf|benchmarks|tests)/[\w/]+\.py)", row)
        assert any(path.startswith("tests/") for path in named), row
        assert any(not path.startswith("tests/") for path in named), row
        for path in named:
            assert (ROOT / path).is_file(), path


@pytest.mark.parametrize("typed", COMMANDS)
def test_a_command_in_the_document_can_be_typed(typed, monkeypatch):
    assert_can_be_typed(typed, monkeypatch)


def test_the_document_has_commands():
    assert len([typed for typed in COMMANDS if typed.startswith("train.py")]) > 15


def test_every_study_of_a_paper_has_a_row_and_every_row_a_study():
    of_papers = {name for name in studies.STUDIES if name not in ("samplers", "beta_lambda")}
    in_document = set(re.findall(r"^\|[^|]+\|[^|]+\| `(\w+)` \|", TEXT, re.M))
    assert in_document == of_papers


def test_what_differs_is_in_differences():
    differences = (ROOT / "DIFFERENCES.md").read_text(encoding="utf-8").lower()
    for row in ROWS:
        for word in re.findall(r"`([a-z_]+)`", row.rstrip("| ").rpartition("|")[2]):
            assert f"`{word}`" in differences, word
