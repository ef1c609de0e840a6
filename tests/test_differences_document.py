"""DIFFERENCES.md is true: every test that it names by a file and some words is there."""

import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TEXT = " ".join((ROOT / "DIFFERENCES.md").read_text(encoding="utf-8").split())
NAMED = re.findall(r"((?:tests/)?[\w/]*test_\w+\.py): ([^;|().,]+)", TEXT)


@cache
def names_in(file: str) -> str:
    path = ROOT / file if file.startswith("tests/") else ROOT / "tests" / "benchmarks" / file
    return " ".join(re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.M))


def test_every_named_test_is_there():
    assert len(NAMED) > 80
    missing = [
        f"{file}: {words}"
        for file, words in NAMED
        if re.sub(r"\W+", "_", words.strip().lower().replace("'", "")).strip("_") not in names_in(file)
    ]
    assert not missing, "\n".join(missing)
