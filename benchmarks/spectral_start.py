"""What --init spectral costs: seconds and peak memory against items and interactions.

    python benchmarks/spectral_start.py [--dim 64] [--json FILE]

The logs are made up: users of 5 to 15 items, drawn at random with a long-tailed popularity. Memory is what NumPy
holds at the peak, without the log itself, which is memory-mapped in a dataset folder. Seconds are those of the
processor: one process, one thread.
"""

import argparse
import json
import time
import tracemalloc
from pathlib import Path
from sys import path as import_path

import numpy as np

import_path.insert(0, str(Path(__file__).resolve().parents[1]))

from remi_tf.data.dataset.interactions import Interactions
from remi_tf.training.spectral_start import spectral_rows

CASES = [  # (items, interactions)
    (10_000, 100_000),
    (10_000, 1_000_000),
    (100_000, 1_000_000),
    (100_000, 10_000_000),
    (1_000_000, 1_000_000),
    (1_000_000, 10_000_000),
]


def random_log(num_items: int, interactions: int) -> Interactions:
    """Users of 5 to 15 items with a long-tailed popularity; `interactions` in all, or a few less."""
    generator = np.random.default_rng(0)
    lengths = generator.integers(5, 16, interactions // 5)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    offsets = offsets[: np.searchsorted(offsets, interactions, side="right")]
    items = (num_items ** generator.random(offsets[-1])).astype(np.int32).clip(1, num_items)
    return Interactions(items, np.broadcast_to(np.int64(0), len(items)), offsets, np.diff(offsets))


def measure(num_items: int, interactions: int, dim: int) -> dict[str, float]:
    """One row of the table."""
    log = random_log(num_items, interactions)
    tracemalloc.start()
    start = time.process_time()
    spectral_rows(log, num_items, dim, seed=1)
    seconds, peak = time.process_time() - start, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    table = 4 * num_items * dim
    row = {"items": num_items, "interactions": len(log.items), "users": log.num_users, "seconds": round(seconds, 2)}
    return {**row, "peak_mb": round(peak / 2**20, 1), "tables": round(peak / table, 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dim", type=int, default=64, help="size of the vectors (default: 64)")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    flags = parser.parse_args()
    print(f"{'items':>10} {'interactions':>12} {'users':>10} {'seconds':>8} {'peak MB':>8} {'in item tables':>14}")
    rows = []
    for num_items, interactions in CASES:
        rows.append(measure(num_items, interactions, flags.dim))
        items, read, users, seconds, peak, tables = rows[-1].values()
        print(f"{items:>10,} {read:>12,} {users:>10,} {seconds:>8.2f} {peak:>8.1f} {tables:>14.2f}", flush=True)
    if flags.json:
        flags.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
