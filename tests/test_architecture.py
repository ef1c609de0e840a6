"""docs/ARCHITECTURE.md is true: it names every file, and imports go the one way that it gives."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
PACKAGE = ROOT / "remi_tf"


def folder_of(module: list[str]) -> str:
    """The part of the package that a module belongs to: "settings", "data.tables", "model"."""
    return ".".join(module[:2]) if module[0] == "data" and len(module) > 1 else module[0]


def imports(file: Path) -> set[str]:
    """The parts of the package that a file imports from, late imports and those for types included."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "remi_tf":
            names |= {f"remi_tf.{alias.name}" for alias in node.names if (PACKAGE / f"{alias.name}.py").is_file()}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("remi_tf."):
            names.add(node.module)
    return {folder_of(name.split(".")[1:]) for name in names}


def test_every_file_of_the_package_has_its_place_in_the_tree():
    tree = TEXT[TEXT.index("    remi_tf/\n") : TEXT.index("    tests/")]
    sections = re.split(r"^      ([\w/]+)/(?: .*)?$", tree, flags=re.M)
    listed = {"": sections[0], **dict(zip(sections[1::2], sections[2::2], strict=True))}
    for file in PACKAGE.rglob("*.py"):
        folder = file.parent.relative_to(PACKAGE).as_posix().strip(".")
        if file.name != "__init__.py":
            assert re.search(rf"(?<!\w){re.escape(file.name)}", listed[folder]), file


def test_imports_go_one_way():
    block = TEXT[TEXT.index("    errors, files, progress") : TEXT.index("There is no circle")]
    ranks = {name: rank for rank, line in enumerate(block.split("→")) for name in re.findall(r"[\w.]+", line)}
    for file in PACKAGE.rglob("*.py"):
        path = list(file.relative_to(PACKAGE).with_suffix("").parts)
        if path in (["__init__"], ["data", "__init__"]):
            continue
        here = folder_of(path)
        for other in imports(file) - {here}:
            level = ranks[other] == ranks[here] == 0  # the basics may use each other
            assert ranks[other] < ranks[here] or level, f"{file}: {here} imports {other}"
