"""Small training runs on the toy log, and what tells two of them apart."""

import json
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

from train import main

ROOT = Path(__file__).resolve().parents[1]
SMALL = ["--num_negatives", "20", "--embedding_dim", "8", "--batch_size", "16", "--eval_every", "20"]


def command(*arguments) -> list[str]:
    return [sys.executable, str(ROOT / "train.py"), *map(str, arguments)]


def train(dataset: Path, path: Path, *arguments: str) -> int:
    return main(["--dataset", str(dataset), "--run_dir", str(path), *SMALL, *arguments])


def newest_state(path: Path) -> dict[str, np.ndarray]:
    reader = tf.train.load_checkpoint(str(path / "checkpoints"))
    names = [name for name in reader.get_variable_to_shape_map() if not name.startswith(("_CHECK", "save_counter"))]
    return {name: reader.get_tensor(name) for name in names}


def measurements(path: Path) -> list[dict]:
    lines = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "time"} for line in lines]


def assert_same_run(ours: Path, theirs: Path) -> None:
    left, right = newest_state(ours), newest_state(theirs)
    assert left.keys() == right.keys() and any("velocit" in name or "/_variables" in name for name in left)
    for name in left:
        np.testing.assert_array_equal(left[name], right[name], err_msg=name)
    assert measurements(ours) == measurements(theirs)
