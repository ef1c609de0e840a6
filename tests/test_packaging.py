"""What a new machine depends on: the two lists of requirements say the same, and the package stands alone."""

import subprocess
import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]


def normal(requirement: str) -> str:
    return requirement.replace(" ", "").replace('"', "'")


def test_requirements_txt_is_the_dependencies_and_the_dev_extra_of_pyproject():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {*map(normal, project["dependencies"]), *map(normal, project["optional-dependencies"]["dev"])}
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert {normal(line) for line in lines if line and not line.startswith("#")} == declared


def test_preparing_data_does_not_load_tensorflow():
    program = "import sys, remi_tf.data.protocol.request; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT).returncode == 0
