"""Training, evaluation and exact serving on a GPU, against that GPU's bare products of the same shapes.

    python benchmarks/gpu.py [--json FILE]

It prints a Markdown table with the device and the versions. Products are those of 32-bit floats, once in full and once
with TF32, which TensorFlow uses unless told otherwise. What is measured runs in the same mode as its product. Without
a GPU the script says so, and measures the CPU with smaller sizes.

* A step of `SA` and `SA --remi`: as in benchmarks/floor.py, which says what its floor has.
* Evaluation: evaluate.py's on an untrained `SA`, the history left out, in batches of 256 users. Next to it: the
  products of all interests with all items.
* Serving: the best 50 items of 1 and of 32 users in the graph, 20 seen items left out, as in benchmarks/serving.py.

What is measured and its product take turns. All are warm, and one number of each result is read back.
"""

import argparse
import dataclasses
import json
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from encoders import BOOKS, log_with_profiles  # loads TensorFlow
from floor import measure
from serving import DIM, INTERESTS, SEEN, graphs
from systems import settings_of
from timing import medians, milliseconds, print_table, read_back, take_turns

# isort: split
import tensorflow as tf

from remi_tf.data.dataset.interactions import Interactions
from remi_tf.data.dataset.views import history_cuts
from remi_tf.evaluation.evaluate import BATCH_SIZE, Evaluator
from remi_tf.model import MultiInterestModel
from remi_tf.training.run_folder import build

SYSTEMS = ("SA", "SA --remi")
Times = dict[str, list[float]]
"""Of each round: what is measured ("ours"), and its bare products ("bare")."""


class Sizes(NamedTuple):
    """Items of the catalogue, users that are evaluated, rounds of each measurement."""

    items: int
    users: int
    rounds: int


ON_GPU, ON_CPU = Sizes(BOOKS, 8192, 15), Sizes(20_000, 1024, 5)


def turns(ours: Callable[[], object], bare: Callable[[], object], rounds: int) -> Times:
    """The times of both, after a call of each that warms up."""
    ours(), bare()
    return take_turns({"ours": partial(milliseconds, ours), "bare": partial(milliseconds, bare)}, rounds)


def random_interests(batch: int) -> tf.Tensor:
    return tf.random.stateless_normal([batch, INTERESTS, DIM], [1, batch])


def step(name: str, log: Interactions, rounds: int) -> Times:
    """ms per step."""
    times = measure(name, log, rounds)
    return {"ours": times["step"], "bare": times["floor"]}


def evaluation(log: Interactions, sizes: Sizes) -> Times:
    """ms to evaluate all users. As everywhere, the last batch may be smaller; its product is not."""
    model = MultiInterestModel(settings_of(SYSTEMS[0].split(), "random"), sizes.items)
    build(model)
    users = dataclasses.replace(log, cuts=history_cuts(log.lengths)).first(sizes.users)
    evaluator = Evaluator(model, (50,), exclude_history=True)
    _, product = graphs(model.item_table)
    interests = random_interests(BATCH_SIZE)

    def bare() -> None:
        for _ in range(-(-users.num_users // BATCH_SIZE)):
            read_back(product(interests))

    return turns(lambda: evaluator.evaluate(users), bare, sizes.rounds)


def serving(batch: int, sizes: Sizes) -> Times:
    """ms to answer one request of `batch` users."""
    generator = np.random.default_rng(0)
    retrieve, product = graphs(tf.Variable(generator.standard_normal((sizes.items + 1, DIM), np.float32)))
    interests = random_interests(batch)
    seen = tf.constant(generator.integers(1, sizes.items + 1, (batch, SEEN)), tf.int32)
    return turns(lambda: read_back(retrieve(interests, seen)[0]), lambda: read_back(product(interests)), sizes.rounds)


def measurements(sizes: Sizes) -> Iterator[tuple[str, Times]]:
    """What, and its times, one after the other."""
    log = log_with_profiles(sizes.items)
    for name in SYSTEMS:
        yield f"a step of `{name}`", step(name, log, sizes.rounds)
    yield f"evaluation of {sizes.users:,} users", evaluation(log, sizes)
    for batch in (1, 32):
        yield f"serving, batch {batch}", serving(batch, sizes)


def about() -> str:
    """The device and the versions, in a line."""
    built, gpus = tf.sysconfig.get_build_info(), tf.config.list_physical_devices("GPU")
    if not gpus:
        return f"CPU with {os.cpu_count()} cores, TensorFlow {tf.__version__}"
    device = tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU of unknown name")
    versions = [
        f"{name} {built.get(key, 'unknown')}" for name, key in (("CUDA", "cuda_version"), ("cuDNN", "cudnn_version"))
    ]
    return ", ".join([device, f"TensorFlow {tf.__version__}", *versions])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    there = bool(tf.config.list_physical_devices("GPU"))
    default = ON_GPU if there else ON_CPU
    parser.add_argument("--items", type=int, default=default.items, help="size of the catalogue (here: %(default)s)")
    parser.add_argument("--users", type=int, default=default.users, help="users to evaluate (here: %(default)s)")
    parser.add_argument("--rounds", type=int, default=default.rounds, help="of each measurement (here: %(default)s)")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    flags = parser.parse_args()
    sizes = Sizes(flags.items, flags.users, flags.rounds)
    if not there:
        print("No GPU is here: this measures the CPU, with smaller sizes.\n")
    print(f"{about()}; {sizes.items:,} items.\n")
    found: dict[str, Times] = {}

    def rows() -> Iterator[tuple[str, ...]]:
        for mode in ("float32", "TF32") if there else ("float32",):
            tf.config.experimental.enable_tensor_float_32_execution(mode == "TF32")
            for what, times in measurements(sizes):
                found[f"{what}, {mode}"] = times
                yield what, mode, *medians(times["ours"], times["bare"])

    print_table(("what", "numbers", "ms", "bare products, ms", "ratio (quartiles)"), rows())
    if flags.json:
        flags.json.write_text(json.dumps({"about": about(), **sizes._asdict(), "ms": found}, indent=2) + "\n")


if __name__ == "__main__":
    main()
