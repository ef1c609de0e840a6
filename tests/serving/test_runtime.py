"""Exports in other people's processes: TensorFlow's C API as TensorFlow Serving uses it, and saved_model_cli."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from remi_tf.serving import export as serving
from tests.serving_toys import Routed, make_dataset

pytestmark = pytest.mark.trains

SOURCE = Path(__file__).parent / "run_signature.cc"
INPUTS = {
    "history": [["ïtem 30", "nobody", "ïtem 30", "ïtem 44"], ["", "", "", ""], ["item,7", "ïtem 9", "", ""]],
    "top_n": [5, 3, -2],
    "exclude_history": True,
    "exclude": [["ïtem 5", "item,14"]],
    "allow": [[""]],
    "categories": [["crime", "ünivers"], ["", ""], ["", ""]],
    "diversity": [0.5, 0.0, 0.0],
}


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    dataset = make_dataset(tmp_path_factory.mktemp("data") / "tiny", categories=True)
    return serving.export(Routed(), dataset, tmp_path_factory.mktemp("export"), 20)


def definition(path, signature):
    model = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
    return model.meta_graphs[0].signature_def[signature]


@pytest.fixture(scope="module")
def run_signature(tmp_path_factory):
    """The program, compiled against the TensorFlow that is installed: (path, signature, inputs) → text a output."""
    compiler = shutil.which(os.environ.get("CXX", "c++"))
    libraries = Path(tf.sysconfig.get_lib())
    if compiler is None or not (libraries / "libtensorflow_cc.so.2").is_file():
        pytest.skip("needs a C++ compiler and TensorFlow's libtensorflow_cc.so.2")
    program = tmp_path_factory.mktemp("program") / "run_signature"
    link = [f"-L{libraries}", "-l:libtensorflow_cc.so.2", "-l:libtensorflow_framework.so.2", f"-Wl,-rpath,{libraries}"]
    command = [compiler, *tf.sysconfig.get_compile_flags(), "-std=c++17", str(SOURCE), "-o", str(program), *link]
    compiled = subprocess.run(command, capture_output=True, text=True)
    assert compiled.returncode == 0, compiled.stderr

    def run(path, signature, inputs):
        known, lines = definition(path, signature), []
        for name, info in known.inputs.items():
            values = np.array(inputs[name])
            fields = [info.dtype, values.ndim, *values.shape, *values.ravel().tolist()]
            lines.append("\t".join(["in", info.name.split(":")[0], *map(str, fields)]))
        for info in known.outputs.values():
            lines.append("\t".join(["out", *info.name.split(":")]))
        text = "".join(f"{line}\n" for line in lines)
        result = subprocess.run([str(program), str(path)], input=text, capture_output=True, encoding="utf-8")
        return result, dict(zip(known.outputs, result.stdout.splitlines(), strict=False))

    return run


def test_the_c_api_without_xla_answers_as_python_does(exported, run_signature):
    result, answers = run_signature(exported, "recommend", INPUTS)
    assert result.returncode == 0, result.stderr
    signature = tf.saved_model.load(str(exported)).signatures["recommend"]
    kinds = {name: tf.as_dtype(info.dtype) for name, info in definition(exported, "recommend").inputs.items()}
    expected = signature(**{name: tf.constant(value, kinds[name]) for name, value in INPUTS.items()})
    for name, value in expected.items():
        flat = value.numpy().ravel().tolist()
        if value.dtype == tf.float32:
            np.testing.assert_allclose([float(one) for one in answers[name].split("\t")], flat, rtol=1e-4)
        else:
            texts = [one.decode() if isinstance(one, bytes) else str(one) for one in flat]
            assert answers[name].split("\t") == texts, name
    assert answers["status"].split("\t")[0] == "" and answers["status"].endswith("is not in 1..20")


def test_this_runtime_refuses_what_tensorflow_serving_refuses(run_signature, tmp_path):
    """Else the test above would say nothing about XLA."""
    module = tf.Module()
    spec = tf.TensorSpec([None], tf.float32, "x")
    module.double = tf.function(lambda x: {"y": 2 * x}, input_signature=[spec], jit_compile=True)
    tf.saved_model.save(module, str(tmp_path), signatures={"serving_default": module.double})
    result, _ = run_signature(tmp_path, "serving_default", {"x": [1.0]})
    assert result.returncode == 1 and "XLA" in result.stderr


def test_saved_model_cli_shows_and_runs_it(exported):
    cli = Path(sys.executable).with_name("saved_model_cli")
    if not cli.is_file():
        pytest.skip("needs saved_model_cli beside the interpreter")
    options = ["--dir", str(exported), "--tag_set", "serve", "--signature_def", "serving_default"]
    command = [str(cli), "run", *options, "--input_exprs", "history=[[b'item,7', b'']]"]
    result = subprocess.run(command, capture_output=True, encoding="utf-8")
    signature = tf.saved_model.load(str(exported)).signatures["serving_default"]
    best = signature(history=tf.constant([["item,7", ""]]))["items"][0, 0].numpy()
    assert result.returncode == 0 and str(best) in result.stdout, result.stderr
