"""The benchmark for a GPU runs without one, and says so."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
import encoders
import gpu
import tensorflow as tf


@pytest.mark.trains
def test_everything_is_measured_on_toys(monkeypatch, capsys):
    monkeypatch.setattr(encoders, "STEPS", 20)
    monkeypatch.setattr(gpu, "SYSTEMS", ("SA --batch_size 8 --num_negatives 16",))
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda *kind: [])
    monkeypatch.setattr(sys, "argv", ["gpu.py", "--items", "300", "--users", "300", "--rounds", "2"])
    gpu.main()
    said, _, device, _, _, _, *rows = capsys.readouterr().out.splitlines()
    assert said == "No GPU is here: this measures the CPU, with smaller sizes." and device.endswith("300 items.")
    names = [row.split(" | ")[0].removeprefix("| ") for row in rows]
    assert names == [
        f"a step of `{gpu.SYSTEMS[0]}`",
        "evaluation of 300 users",
        "serving, batch 1",
        "serving, batch 32",
    ]


def test_a_gpu_is_named_with_its_versions(monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["a GPU"])
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda device: {"device_name": "Card 9"})
    monkeypatch.setattr(tf.sysconfig, "get_build_info", lambda: {"cuda_version": "12.5", "cudnn_version": "9"})
    assert gpu.about() == f"Card 9, TensorFlow {tf.__version__}, CUDA 12.5, cuDNN 9"
