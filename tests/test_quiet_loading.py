"""TensorFlow is loaded without noise, and what it printed is shown when it fails."""

import logging
import subprocess
import sys

import pytest

from remi_tf.quiet_loading import no_retracing_warnings

pytestmark = pytest.mark.trains


def run(code: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def test_a_public_name_loads_tensorflow_and_prints_nothing():
    result = run("import remi_tf, sys; remi_tf.train; print('tensorflow' in sys.modules)")
    assert result.stdout == "True\n" and result.stderr == ""


def test_what_was_printed_is_shown_when_loading_fails():
    code = (
        "import os, sys, types; from remi_tf.quiet_loading import load_tensorflow\n"
        "class Broken:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'tensorflow':\n"
        "            os.write(2, b'from the C++ side\\n'); raise ImportError('libbroken.so')\n"
        "sys.meta_path.insert(0, Broken())\n"
        "load_tensorflow()"
    )
    result = run(code)
    assert result.returncode == 1 and "from the C++ side" in result.stderr and "libbroken.so" in result.stderr


def test_warnings_of_graphs_built_anew_are_left_out_within_the_block_and_no_others(caplog):
    logger = logging.getLogger("tensorflow")
    with no_retracing_warnings():
        logger.warning("5 out of the last 5 calls to f triggered tf.function retracing. …")
        logger.warning("another")
    logger.warning("6 out of the last 6 calls to f triggered tf.function retracing. …")
    assert [record.getMessage().split()[0] for record in caplog.records] == ["another", "6"]
