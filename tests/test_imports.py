"""Imports go one way: the folder a file lies in says what it may use."""

import ast
import graphlib
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "remi_tf"
ORDER = (
    {
        "errors",
        "files",
        "flat_files",
        "locks",
        "manifests",
        "numbers",
        "progress",
        "quiet_loading",
        "randomness",
        "doctor",
        "temporary",
    },
    {"settings", "data.tables"},
    {"data.features"},
    {"data.dataset"},
    {"data.protocol", "encoders", "retrieval"},
    {"counted"},
    {"objective", "item_tower"},
    {"model"},
    {"systems"},
    {"evaluation"},
    {"training"},
    {"serving", "tuning", "report"},
    {"recommending"},
    {"api"},
    {"commands"},
)
"""Each room may use those on the lines above its own. Rooms on one line do not know each other."""
LEVEL = {room: level for level, rooms in enumerate(ORDER) for room in rooms}
WITHIN = {
    ("files", "errors"),
    ("files", "locks"),
    ("files", "temporary"),
    ("flat_files", "errors"),
    ("flat_files", "files"),
    ("temporary", "locks"),
    ("locks", "errors"),
    ("manifests", "errors"),
    ("manifests", "files"),
    ("doctor", "quiet_loading"),
}
"""What is used within one level."""


def modules() -> dict[str, Path]:
    """remi_tf's modules by their name below the package; the package itself is ""."""
    names = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        names[".".join(part for part in parts if part != "__init__")] = path
    return names


MODULES = modules()


def room_of(module: str) -> str:
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] == "data" and len(parts) > 1 else parts[0]


def imported(name: str, only_top: bool = False) -> set[str]:
    """Modules of remi_tf that a module imports anywhere, or at its top only; not those for type checkers."""
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
                continue
            if only_top and isinstance(child, ast.FunctionDef):
                continue
            if isinstance(child, ast.ImportFrom) and (child.module or "").split(".")[0] == "remi_tf":
                base = (child.module or "").removeprefix("remi_tf").removeprefix(".")
                for alias in child.names:
                    whole = f"{base}.{alias.name}".strip(".")
                    found.add(whole if whole in MODULES else base)
            elif isinstance(child, ast.Import):
                found.update(
                    alias.name.removeprefix("remi_tf.") for alias in child.names if alias.name.startswith("remi_tf.")
                )
            visit(child)

    visit(ast.parse(MODULES[name].read_text(encoding="utf-8")))
    return found - {name}


@pytest.mark.parametrize("name", [name for name in MODULES if name and room_of(name) in LEVEL])
def test_a_module_uses_only_what_lies_below_its_room(name):
    room = room_of(name)
    for other in imported(name) - {""}:
        theirs = room_of(other)
        if theirs == "data":  # the package that only holds the three
            continue
        assert theirs == room or LEVEL[theirs] < LEVEL[room] or (room, theirs) in WITHIN, f"{name} imports {other}"


def test_every_module_has_a_room():
    assert {room_of(name) for name in MODULES} - {"", "data"} == set(LEVEL)


def test_no_circle_of_imports_not_even_one_hidden_in_functions():
    graph = {name: imported(name) for name in MODULES if name}
    graphlib.TopologicalSorter({name: others - {""} for name, others in graph.items()}).prepare()


def test_encoders_know_nothing_of_the_objective():
    encoders = [name for name in MODULES if room_of(name) == "encoders"]
    assert len(encoders) > 10
    assert not {other for name in encoders for other in imported(name) if room_of(other) in ("objective", "model")}


@pytest.mark.parametrize("name", [name for name in MODULES if name and room_of(name) != "commands"])
def test_only_commands_import_inside_functions(name):
    """Commands load TensorFlow after their flags are read; elsewhere such an import would only hide a circle."""
    assert imported(name) == imported(name, only_top=True)


@pytest.mark.parametrize("name", [name for name in MODULES if room_of(name) != "commands"])
def test_only_commands_print(name):
    tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
    scripts = [node for node in tree.body if isinstance(node, ast.If) and "__main__" in ast.dump(node.test)]
    tree.body = [node for node in tree.body if node not in scripts]
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    assert not [call.lineno for call in calls if call.func.id == "print"]


@pytest.mark.parametrize("name", MODULES)
def test_files_and_functions_stay_short(name):
    """Files of about 300 lines, functions of about 50, docstrings not counted: at more than that there is a seam."""
    text = MODULES[name].read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            documented = len((ast.get_docstring(node, clean=False) or "").splitlines())
            assert node.end_lineno - node.lineno + 1 - documented <= 50, node.name
