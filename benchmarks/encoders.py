"""Time of a training step of every encoder, as ratios to SA within one run.

    python benchmarks/encoders.py [--json FILE] [--models SA,PIMI]

Each encoder trains through fit with its own defaults on random sequences (B = 128, N = 1280, L = 20, K = 4, d = 64,
367,982 items). The time of making the windows is included. The encoders take turns within one process, several rounds
each. A ratio is the median of the ratios of the rounds: machines are shared, so a single figure says little.
"""

import argparse
import dataclasses
import json
import statistics
import time
from pathlib import Path

import numpy as np
from systems import settings_of
from timing import read_back
from train_step import BOOKS, random_log  # sets the import path and loads TensorFlow

from remi_tf.data.dataset.interactions import Interactions
from remi_tf.model import MultiInterestModel
from remi_tf.settings.encoders import ENCODERS
from remi_tf.training.batches import TrainingBatches
from remi_tf.training.optimizers import make_optimizer
from remi_tf.training.run_folder import build
from remi_tf.training.weight_average import KeepAverage, WeightAverage

STEPS = 100  # per round
PROFILE_SIZES = (2, 7, 21)  # values of three profile columns, as MovieLens has them


def log_with_profiles(num_items: int) -> Interactions:
    """`random_log` of users with profiles."""
    log = random_log(num_items)
    profiles = np.random.default_rng(1).integers(0, np.array(PROFILE_SIZES) + 1, (log.num_users, 3), np.int32)
    return dataclasses.replace(log, profiles=profiles)


class Case:
    """A model in training. It can run a round and tell its ms per step."""

    def __init__(self, flags: list[str], log: Interactions):
        self.settings = settings = settings_of(flags, "random")
        self.model = MultiInterestModel(settings, int(log.items.max()), PROFILE_SIZES)
        build(self.model)
        self.model.compile(optimizer=make_optimizer(settings.training), steps_per_execution=50)
        average_steps = settings.training.average_steps
        average = [WeightAverage(self.model.trainable_variables, average_steps)] if average_steps else []
        self.callbacks = [KeepAverage(weights) for weights in average]
        self.batches = TrainingBatches(
            log,
            batch_size=settings.training.batch_size,
            max_history=settings.encoder.max_history,
            first_target=settings.training.first_target,
            seed=1,
            needs=self.model.needs,
        )
        self.round()  # traces the graph, fills caches

    def round(self) -> float:
        start = time.perf_counter()
        self.model.fit(self.batches.from_step(0), epochs=1, steps_per_epoch=STEPS, verbose=0, callbacks=self.callbacks)
        read_back(self.model.encoder.trainable_variables[0])
        return 1000 * (time.perf_counter() - start) / STEPS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    everything = [
        "SA",
        "SA --remi",
        "SA --remi --recipe paper --optimizer lazy_adam",
        "SA --remi --recipe released",
        "BaM",
        "UMI_HN",
        *[name for name, entry in ENCODERS.items() if name != "SA" and not entry.counted],
    ]
    parser.add_argument(
        "--models", default=",".join(everything), help="names with commas between them (default: all); SA is always one"
    )
    parser.add_argument("--items", type=int, default=BOOKS, help="size of the catalogue (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each model (default: 5)")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    flags = parser.parse_args()
    names = ["SA", *[name for name in flags.models.split(",") if name != "SA"]]
    log = log_with_profiles(flags.items)
    cases = {name: Case(name.split(), log) for name in names}
    times: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(flags.rounds):
        for name, case in cases.items():
            times[name].append(case.round())
    ratios = {name: float(np.median(np.array(values) / np.array(times["SA"]))) for name, values in times.items()}
    print("| model | median ms/step | min | max | ratio to SA |\n|---|---|---|---|---|")
    for name, values in times.items():
        median, low, high = statistics.median(values), min(values), max(values)
        print(f"| `{name}` | {median:.1f} | {low:.1f} | {high:.1f} | {ratios[name]:.2f} |")
    if flags.json:
        flags.json.write_text(json.dumps({"ms_per_step": times, "ratio_to_SA": ratios}, indent=2) + "\n")


if __name__ == "__main__":
    main()
