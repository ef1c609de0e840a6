"""tests/ mirrors remi_tf/: whoever changes a module knows where its tests are."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# Modules without a test file of their name, and why.
EXCEPTIONS = {
    "__init__.py": "tests/test_imports.py and tests/test_api.py test what the package gives at its top level",
    "encoders/__init__.py": "make_encoder builds every encoder of tests/encoders/test_contract.py",
}


def needs_a_test_file(module: Path) -> bool:
    """An __init__.py that only says what its folder is for has nothing to test."""
    return module.name != "__init__.py" or "import" in module.read_text(encoding="utf-8")


def test_every_module_has_a_test_file_of_its_name():
    package = ROOT / "remi_tf"
    modules = [path.relative_to(package) for path in package.rglob("*.py") if needs_a_test_file(path)]
    assert len(modules) > 50
    missing = [
        f"remi_tf/{module} has no tests/{module.with_name('test_' + module.name)}"
        for module in modules
        if module.as_posix() not in EXCEPTIONS
        and not (ROOT / "tests" / module.with_name("test_" + module.name)).is_file()
    ]
    assert not missing, "\n".join(sorted(missing))


def test_every_exception_is_still_one():
    for module in EXCEPTIONS:
        path = Path(module)
        assert (ROOT / "remi_tf" / path).is_file()
        assert not (ROOT / "tests" / path.with_name("test_" + path.name)).exists()
