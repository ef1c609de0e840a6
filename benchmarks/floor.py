"""Time of a training step of each encoder, against only its matrix products and activations.

    python benchmarks/floor.py [--models "SA,SA --remi"] [--json FILE]

A step is that of benchmarks/encoders.py: through fit, with the making of the windows, on random sequences of
367,982 items (B = 128, N = 1280, L = 20, K = 4, d = 64). Its floor has the products and activations of the same
shapes, forward and backward, and nothing else (floor_shapes.py). Both run 50 steps in one call into the graph. They
take turns in one process; the ratio is the median of the ratios of the rounds, with quartiles.
"""

import argparse
import gc
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from encoders import BOOKS, PROFILE_SIZES, Case, log_with_profiles  # loads TensorFlow
from floor_shapes import FLOORS, Activation, Product, Sizes, Work, floor_of
from timing import medians, milliseconds, print_table, read_back, take_turns

# isort: split
import tensorflow as tf

from remi_tf.data.dataset.interactions import Interactions
from remi_tf.quiet_loading import no_retracing_warnings

STEPS = 50  # in one call, as in training
FUNCTIONS: dict[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "tanh": tf.tanh,
    "sigmoid": tf.sigmoid,
    "relu": tf.nn.relu,
    "softmax": tf.nn.softmax,
    "exp": tf.exp,
}


class Floor:
    """Steps of a list of products and activations. It can run a round and tell its ms per step.

    Every round of a product reads numbers of its own, so that TensorFlow computes it, and waits for the round before.
    """

    def __init__(self, work: Work):
        self.parts = [(each, [_operands(each) for _ in range(each.rounds)]) for each in work if each.rounds]
        self._run = tf.function(self._steps).get_concrete_function()
        self.round()

    def round(self) -> float:
        return milliseconds(lambda: read_back(self._run())) / STEPS

    def _steps(self) -> tf.Tensor:
        """[results]: one number of each result of the last of STEPS steps."""
        # Results are carried through the loop, so none can be left out as unread.
        _, *results = tf.while_loop(
            lambda step, *_: step < STEPS,
            lambda step, *_: (step + 1, *self._step()),
            (tf.constant(1), *self._step()),
            parallel_iterations=1,
        )
        return tf.stack([tf.reshape(result, [-1])[0] for result in results])

    def _step(self) -> list[tf.Tensor]:
        """Results, forward and backward, of all parts."""
        results: list[tf.Tensor] = []
        for each, rounds in self.parts:
            for compute in _passes(each):
                found: list[tf.Tensor] = []
                for operands in rounds:
                    with tf.control_dependencies(found[:1]):
                        found = compute(*operands)
                    results += found
        return results


def _operands(each: Product | Activation) -> tuple[tf.Tensor, ...]:
    """Random operands, and the gradient of the result: small, so that no function overflows."""
    if isinstance(each, Activation):
        shapes = [[each.rows, each.columns]] * 2
    else:
        shapes = [[each.rows, each.inner], [each.inner, each.columns], [each.rows, each.columns]]
        if each.count > 1:
            shapes = [[each.count, *shape] for shape in shapes]
    return tuple(tf.random.normal(shape, stddev=0.1) for shape in shapes)


def _forward(left: tf.Tensor, right: tf.Tensor, gradient: tf.Tensor) -> list[tf.Tensor]:
    return [tf.matmul(left, right)]


def _to_right(left: tf.Tensor, right: tf.Tensor, gradient: tf.Tensor) -> list[tf.Tensor]:
    return [tf.matmul(left, gradient, transpose_a=True)]


def _to_both(left: tf.Tensor, right: tf.Tensor, gradient: tf.Tensor) -> list[tf.Tensor]:
    return [tf.matmul(gradient, right, transpose_b=True), *_to_right(left, right, gradient)]


def _both(function: str, inputs: tf.Tensor, gradient: tf.Tensor) -> list[tf.Tensor]:
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        result = FUNCTIONS[function](inputs)
    return [result, tape.gradient(result, inputs, gradient)]


def _passes(each: Product | Activation) -> list[Callable[..., list[tf.Tensor]]]:
    """What computes a part from its operands, pass by pass."""
    if isinstance(each, Activation):
        return [partial(_both, each.function)]
    return [_forward, *{0: [], 1: [_to_right], 2: [_to_both]}[each.backward]]


def measure(name: str, log: Interactions, rounds: int) -> dict[str, list[float]]:
    """ms per step of a system and of its floor, round by round: "step" and "floor"."""
    with no_retracing_warnings():
        case = Case(name.split(), log)
    batches = list(case.batches.from_step(0).take(10))
    items_read = sum(int(tf.math.count_nonzero(batch["history"])) for batch in batches) // len(batches)
    negatives = case.model.sampler(batches[0]["target"], tf.constant(0)).ids
    count = int(log.items.max()) if negatives is None else len(negatives)
    floor = Floor(floor_of(case.settings, Sizes.of(case.settings, count, items_read, len(PROFILE_SIZES))))
    return take_turns({"step": case.round, "floor": floor.round}, rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    everything = ["SA", "SA --remi", *[name for name in FLOORS if name != "SA"]]
    parser.add_argument("--models", default=",".join(everything), help="names with commas between them (default: all)")
    parser.add_argument("--items", type=int, default=BOOKS, help="size of the catalogue (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each model (default: 7)")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    flags = parser.parse_args()
    log, times = log_with_profiles(flags.items), {}

    def rows() -> Iterator[tuple[str, ...]]:
        for name in flags.models.split(","):
            times[name] = found = measure(name, log, flags.rounds)
            yield f"`{name}`", *medians(found["step"], found["floor"])
            gc.collect()  # tables of the catalogue's size

    print_table(("model", "step ms", "floor ms", "ratio (quartiles)"), rows())
    if flags.json:
        flags.json.write_text(json.dumps({"ms_per_step": times}, indent=2) + "\n")


if __name__ == "__main__":
    main()
