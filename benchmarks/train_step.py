"""Time of a training step: LazyAdam against dense Adam, and how the time grows with the catalogue.

    python benchmarks/train_step.py [--json FILE]

It trains SA + REMI through fit on random sequences (B = 128, N = 1280, L = 20, K = 4, d = 64). The time of making the
windows is included. The cases take turns within one process, several rounds each. A ratio is the
median of the ratios of the rounds: machines are shared, so a single figure says little.
"""

import argparse
import json
import statistics
import time
from pathlib import Path
from sys import path as import_path

import numpy as np

import_path.insert(0, str(Path(__file__).resolve().parents[1]))

from remi_tf.quiet_loading import load_tensorflow

load_tensorflow()

from remi_tf.data.dataset.interactions import Interactions
from remi_tf.data.features.store import Features
from remi_tf.model import MultiInterestModel
from remi_tf.settings.presets import compose
from remi_tf.training.batches import TrainingBatches
from remi_tf.training.optimizers import make_optimizer

BOOKS = 367_982
CASES = [  # (items, optimizer, steps per round)
    (BOOKS, "adam", 50),
    (BOOKS, "lazy_adam", 400),
    (36_800, "lazy_adam", 400),
    (3_680_000, "lazy_adam", 400),
]


def random_log(num_items: int, users: int = 100_000) -> Interactions:
    """Users of 5 to 40 items with a long-tailed popularity."""
    generator = np.random.default_rng(0)
    lengths = generator.integers(5, 41, users)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    items = (num_items ** generator.random(offsets[-1])).astype(np.int32).clip(1, num_items)
    return Interactions(items, np.zeros(len(items), np.int64), offsets, lengths)


class Case:
    """A model in training. It can run a round and tell its ms per step."""

    def __init__(
        self, num_items: int, optimizer: str, steps: int, features: Features | None = None, item_tower: str = "id"
    ):
        self.name, self.steps = f"{num_items:>9,} items, {optimizer}", steps
        settings = compose("book", "paper", True, {"model_type": "SA", "optimizer": optimizer})
        settings = settings.replace(item_tower=item_tower)
        self.model = MultiInterestModel(settings, num_items, features=features)
        self.model.compile(optimizer=make_optimizer(settings.training), steps_per_execution=50)
        self.batches = TrainingBatches(random_log(num_items), batch_size=128, max_history=20, first_target=4, seed=1)
        self.round()  # traces the graph, fills caches

    def round(self) -> float:
        start = time.perf_counter()
        self.model.fit(self.batches.from_step(0), epochs=1, steps_per_epoch=self.steps, verbose=0)
        return 1000 * (time.perf_counter() - start) / self.steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each case (default: 7)")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    flags = parser.parse_args()
    cases = [Case(*case) for case in CASES]
    times: dict[str, list[float]] = {case.name: [] for case in cases}
    for _ in range(flags.rounds):
        for case in cases:
            times[case.name].append(case.round())
    print(f"{'case':<28} {'median ms':>9} {'min':>7} {'max':>7}")
    for name, values in times.items():
        print(f"{name:<28} {statistics.median(values):>9.2f} {min(values):>7.2f} {max(values):>7.2f}")
    dense, lazy, small, large = (np.array(times[case.name]) for case in cases)
    ratios = {
        "dense Adam / LazyAdam at 367,982 items": float(np.median(dense / lazy)),
        "3,680,000 items / 36,800 items": float(np.median(large / small)),
    }
    for name, ratio in ratios.items():
        print(f"{name}: {ratio:.2f}x (median of the rounds' ratios)")
    if flags.json:
        flags.json.write_text(json.dumps({"ms_per_step": times, "ratios": ratios}, indent=2) + "\n")


if __name__ == "__main__":
    main()
