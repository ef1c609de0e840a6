"""The golden numbers are what the script of this folder computes, without TensorFlow and without this package."""

import subprocess
import sys

import numpy as np
import pytest

from tests.golden import generate


@pytest.mark.trains
@pytest.mark.parametrize("name", generate.CASES)
def test_the_script_gives_the_committed_numbers(name):
    made, committed = generate.make(name), generate.load(name)
    assert list(made) == list(committed)
    for key, value in made.items():  # machines differ in the last bits of exp, and a difference quotient shows it
        np.testing.assert_allclose(value, committed[key], rtol=1e-5, atol=1e-6, err_msg=key)


def test_every_file_has_its_case_and_all_are_small():
    files = list(generate.FOLDER.glob("*.npz"))
    assert {file.stem for file in files} == set(generate.CASES)
    assert sum(file.stat().st_size for file in files) < 100_000


@pytest.mark.trains
def test_the_numbers_are_independent_of_the_package():
    check = "import sys, tests.golden.generate; sys.exit(bool({'remi_tf', 'tensorflow'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", check], cwd=generate.FOLDER.parents[1]).returncode == 0
