"""Time of a training step with features of items, against the same step with ids only.

    python benchmarks/item_features.py [--year] [--json FILE]

It trains SA + REMI as benchmarks/train_step.py does (367,982 items, B = 128, N = 1280, L = 20, K = 4, d = 64). An item
has four features: one to three of 300 genres, one of 30,000 brands, one of 20 buckets of the price, and four to twelve
of 50,000 words of a title (with --year one of 100 years instead: an item then has five codes, not twelve). The cases
take turns within one process, several rounds each. A ratio is the median of the ratios of the rounds.
"""

import argparse
import json
import statistics
from pathlib import Path

import numpy as np
from train_step import BOOKS, Case  # sets the import path and loads TensorFlow

from remi_tf.data.features.columns import FIRST, FeatureColumn
from remi_tf.data.features.store import Features

TOWERS = ("id", "sum", "mlp")


def long_tailed(generator: np.random.Generator, number: int, values: int) -> np.ndarray:
    """[number] codes of a column with so many values; small codes are frequent."""
    return FIRST + np.minimum(values ** generator.random(number), values - 1).astype(np.int64)


def random_features(num_items: int, has_year: bool = False) -> Features:
    """Features as the module's docstring has them."""
    generator, rows = np.random.default_rng(0), num_items + 1
    names = [tuple(map(str, range(values))) for values in (300, 30_000, 100 if has_year else 50_000)]
    columns = (
        FeatureColumn("genres", "multi", values=names[0]),
        FeatureColumn("brand", "category", values=names[1]),
        FeatureColumn("price", "number", edges=tuple(map(float, range(19)))),
        FeatureColumn("year" if has_year else "title", "category" if has_year else "text", values=names[2]),
    )
    last = np.ones(rows, int) if has_year else generator.integers(4, 13, rows)
    counts = [generator.integers(1, 4, rows), np.ones(rows, int), np.ones(rows, int), last]
    offsets = np.concatenate([[0], np.cumsum(np.stack(counts, axis=1).ravel())])
    codes = np.empty(offsets[-1], np.int32)
    start = 0
    for number, (column, count) in enumerate(zip(columns, counts, strict=True)):
        drawn = start + long_tailed(generator, int(count.sum()), column.size - FIRST)
        begins = np.repeat(offsets[number : -1 : len(columns)] - (np.cumsum(count) - count), count)
        codes[begins + np.arange(len(drawn))] = drawn
        start += column.size
    return Features(columns, codes, offsets)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each case (default: 7)")
    parser.add_argument("--items", type=int, default=BOOKS, help="size of the catalogue")
    parser.add_argument("--year", action="store_true", help="a year instead of a title")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    flags = parser.parse_args()
    features = random_features(flags.items, flags.year)
    cases = {
        tower: Case(flags.items, "lazy_adam", 200, features=None if tower == "id" else features, item_tower=tower)
        for tower in TOWERS
    }
    times: dict[str, list[float]] = {tower: [] for tower in TOWERS}
    for _ in range(flags.rounds):
        for tower, case in cases.items():
            times[tower].append(case.round())
    print(f"{'item_tower':<12} {'median ms':>9} {'min':>7} {'max':>7} {'ratio':>6}")
    ratios = {}
    for tower, values in times.items():
        ratios[tower] = statistics.median(np.array(values) / np.array(times["id"]))
        figures = f"{statistics.median(values):>9.2f} {min(values):>7.2f} {max(values):>7.2f} {ratios[tower]:>6.2f}"
        print(f"{tower:<12} {figures}")
    if flags.json:
        flags.json.write_text(json.dumps({"ms": times, "ratios": ratios}, indent=1) + "\n")


if __name__ == "__main__":
    main()
