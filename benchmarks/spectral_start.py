"""Time and memory of `--init spectral` as the catalogue and the log grow.

    python benchmarks/spectral_start.py [--sizes 10000x1000000,100000x1000000,1000000x10000000] [--json FILE]

A size is items x interactions. The log is random: users of 5 to 40 items with a long-tailed popularity, d = 64. Each
size runs in a process of its own. Memory is the largest the process took, minus what it took with the log loaded; next
to it stands what the docstring of `spectral_start` promises for the arrays alone.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from remi_tf.data.dataset.interactions import Interactions
from remi_tf.files import write_json

DIM = 64
SIZES = "10000x1000000,100000x1000000,100000x10000000,1000000x10000000"


def random_log(num_items: int, interactions: int) -> Interactions:
    """About so many interactions of users with 5 to 40 items."""
    generator = np.random.default_rng(0)
    lengths = generator.integers(5, 41, max(interactions * 2 // 45, 1))
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    items = (num_items ** generator.random(offsets[-1])).astype(np.int32).clip(1, num_items)
    return Interactions(items, np.zeros(len(items), np.int64), offsets, lengths)


def measure(num_items: int, interactions: int) -> dict[str, float]:
    """Seconds, and GB above the log, of one start in this process."""
    from remi_tf.training.spectral_start import OVERSAMPLING, spectral_start

    log = random_log(num_items, interactions)
    before, start = peak(), time.perf_counter()
    spectral_start(log, num_items, DIM, seed=1)
    seconds, arrays = time.perf_counter() - start, 2 * 4 * (num_items + 1) * (DIM + OVERSAMPLING)
    return {"seconds": seconds, "gigabytes": peak() - before, "arrays": arrays / 1e9}


def peak() -> float:
    """GB: the largest memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default=SIZES, help="items x interactions, several with commas")
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(measure(*map(int, arguments.child.split("x")))))
        return
    found = {}
    print(f"{'items':>12} {'interactions':>14} {'seconds':>9} {'GB':>7} {'GB of arrays':>13}")
    for size in arguments.sizes.split(","):
        command = [sys.executable, __file__, "--child", size]
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        row = found[size] = json.loads(output.splitlines()[-1])
        items, interactions = map(int, size.split("x"))
        print(
            f"{items:>12,} {interactions:>14,} {row['seconds']:>9.1f} {row['gigabytes']:>7.2f} {row['arrays']:>13.2f}",
            flush=True,
        )
    if arguments.json:
        write_json(arguments.json, found)


if __name__ == "__main__":
    main()
