"""docs/ARCHITECTURE.md is true: it names every file, and the order of imports that test_imports.py holds."""

import re
from pathlib import Path

from tests.test_imports import ORDER

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
PACKAGE = ROOT / "remi_tf"


def test_every_file_of_the_package_has_its_place_in_the_tree():
    tree = TEXT[TEXT.index("    remi_tf/\n") : TEXT.index("    tests/")]
    sections = re.split(r"^      ([\w/]+)/(?: .*)?$", tree, flags=re.M)
    listed = {"": sections[0], **dict(zip(sections[1::2], sections[2::2], strict=True))}
    for file in PACKAGE.rglob("*.py"):
        folder = file.parent.relative_to(PACKAGE).as_posix().strip(".")
        if file.name != "__init__.py":
            assert re.search(rf"(?<!\w){re.escape(file.name)}", listed[folder]), file


def test_the_order_of_imports_on_the_page_is_the_one_that_is_tested():
    block = TEXT[TEXT.index("    errors, files, locks") : TEXT.index("There is no circle")]
    lines = [set(re.findall(r"[\w.]+", line)) for line in block.split("→")]
    assert lines == list(ORDER)
