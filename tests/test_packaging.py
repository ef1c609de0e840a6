"""What a new machine depends on: the lists of requirements agree, and the wheel works without the checkout."""

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
DEMO = """
from remi_tf.commands.main import dispatch
for line in '''
prepare --source synthetic
train --dataset synthetic --remi --run_dir runs/demo --max_steps 20 --eval_every 20 --eval_users 50
evaluate --run_dir runs/demo --split valid
export --run_dir runs/demo
recommend --run_dir runs/demo --history c1i3,c1i5,c4i2 --top_n 3
'''.strip().splitlines():
    assert dispatch(line.split()) == 0, line
"""


def normal(requirement: str) -> str:
    return requirement.replace(" ", "").replace('"', "'")


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_requirements_txt_is_the_dependencies_and_the_dev_extra_of_pyproject():
    declared = {*map(normal, project()["dependencies"]), *map(normal, project()["optional-dependencies"]["dev"])}
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert {normal(line) for line in lines if line and not line.startswith("#")} == declared


@pytest.mark.trains
def test_preparing_data_does_not_load_tensorflow():
    program = "import sys, remi_tf.data.protocol.prepare_request; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT).returncode == 0


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A folder with the sdist, and the wheel that was built from it; the checkout is left as it is."""
    path = tmp_path_factory.mktemp("dist")
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if files.returncode:
        pytest.skip("needs a git checkout, to know which files are the project's")
    source = path / "source"
    for name in filter(None, files.stdout.split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(path / "dist"), str(source)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return path / "dist"


def outside(site: Path, work: Path, *command: str) -> str:
    """What a command prints that sees the package in `site` only, in the folder `work`."""
    environment = {**os.environ, "PYTHONPATH": str(site)}
    result = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.mark.trains
def test_the_wheel_holds_the_package_and_nothing_else(built):
    (wheel,), (sdist,) = built.glob("*.whl"), built.glob("*.tar.gz")
    names = zipfile.ZipFile(wheel).namelist()
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "remi_tf").rglob("*.py")}
    assert {name for name in names if name.endswith(".py")} == modules
    assert "remi_tf/py.typed" in names and not [name for name in names if name.startswith(("tests", "benchmarks"))]
    with tarfile.open(sdist) as archive:
        inside = {name.split("/", 1)[-1] for name in archive.getnames()}
    assert modules <= inside and "README.md" in inside


@pytest.mark.trains
def test_the_demo_runs_from_the_wheel_outside_the_checkout(built, tmp_path):
    site, work = tmp_path / "site", tmp_path / "work"
    work.mkdir()
    (wheel,) = built.glob("*.whl")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(site), str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    where = outside(site, work, sys.executable, "-c", "import remi_tf; print(remi_tf.__file__)")
    assert where.startswith(str(site))
    printed = outside(site, work, sys.executable, "-c", DEMO)
    assert "remi-tf evaluate --run_dir runs/demo" in printed  # not python evaluate.py, which is not there
    assert (work / "runs/demo/export/1/saved_model.pb").is_file()
    assert "prepare" in outside(site, work, sys.executable, str(site / "bin" / "remi-tf"), "--help")


@pytest.mark.slow
def test_the_demo_runs_in_an_empty_environment(built, tmp_path):
    """Only what the wheel itself asks for is installed."""
    venv.create(tmp_path / "env", with_pip=True)
    (wheel,) = built.glob("*.whl")
    subprocess.run([tmp_path / "env/bin/python", "-m", "pip", "install", "--quiet", str(wheel)], check=True)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    for command in (["remi-tf", "doctor"], ["python", "-c", DEMO]):
        command[0] = str(tmp_path / "env" / "bin" / command[0])
        result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert result.returncode == 0, result.stdout + result.stderr
