"""Exact retrieval in the graph against only the matrix product, and the memory it takes.

    python benchmarks/serving.py [--rounds 30] [--large] [--json FILE]

There are 367,982 items of 64 dimensions, K = 4, top 50 with 20 seen items excluded, at batch 1 and 32. Retrieval, the
same with a boost of 20 x 100 items a user, and the product take turns in one process. Ratios are medians over rounds,
of time and of CPU time. Other programs disturb CPU time less. Memory is the growth of the process while it answers
(Linux).
--large does something else: it exports 10,000,000 random items (10 GB of memory, 3 GB of disk, some minutes), loads the
SavedModel in a process of its own, and measures its memory and times.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from remi_tf.quiet_loading import load_tensorflow

load_tensorflow()

import tensorflow as tf

from remi_tf.counted.boost import CountedBoost
from remi_tf.data.dataset.catalogue import ITEMS, Catalogue
from remi_tf.encoders.base import Interests
from remi_tf.retrieval.top_k import top_k
from remi_tf.serving.export import export

ITEMS_HERE, LARGE, DIM, INTERESTS, TOP_N, SEEN, NEIGHBOURS = 367_982, 10_000_000, 64, 4, 50, 20, 100


def memory_mb(line: str) -> float:
    """Memory of this process in MB: VmRSS (now) or VmHWM (the most since the last reset)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split(f"{line}:")[1].split()[0]) / 1024


def growth_mb(call: Callable[[], object]) -> float:
    """The most memory that the call takes, in addition to what the process has before it."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # resets VmHWM
    before = memory_mb("VmRSS")
    call()
    return memory_mb("VmHWM") - before


def milliseconds(call: Callable[[], object]) -> tuple[float, float]:
    """Time, and CPU time of all threads."""
    start, cpu = time.perf_counter(), time.process_time()
    call()
    return 1000 * (time.perf_counter() - start), 1000 * (time.process_time() - cpu)


def graphs(table: tf.Variable) -> tuple[Callable, Callable]:
    """Retrieval of the best items, without those seen, and only its product with the table."""

    @tf.function(input_signature=[tf.TensorSpec([None, INTERESTS, DIM]), tf.TensorSpec([None, SEEN], tf.int32)])
    def retrieve(interests: tf.Tensor, seen: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return top_k(interests, table, TOP_N, exclude=seen)

    @tf.function(input_signature=[tf.TensorSpec([None, INTERESTS, DIM])])
    def product(interests: tf.Tensor) -> tf.Tensor:
        return tf.matmul(tf.reshape(interests, [-1, DIM]), table, transpose_b=True)

    return retrieve, product


def against_the_product(rounds: int) -> dict:
    generator = np.random.default_rng(0)
    table = tf.Variable(generator.standard_normal((ITEMS_HERE + 1, DIM), np.float32))

    retrieve, product = graphs(table)
    boost = CountedBoost(NEIGHBOURS, ITEMS_HERE, SEEN)
    boost.ids.assign(generator.integers(1, ITEMS_HERE + 1, boost.ids.shape))

    @tf.function(input_signature=[tf.TensorSpec([None, INTERESTS, DIM]), tf.TensorSpec([None, SEEN], tf.int32)])
    def boosted(interests: tf.Tensor, seen: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return top_k(interests, table, TOP_N, exclude=seen, boosts=boost.of(seen))

    figures = {}
    for batch in (1, 32):
        interests = tf.constant(generator.standard_normal((batch, INTERESTS, DIM), np.float32))
        seen = tf.constant(generator.integers(1, ITEMS_HERE + 1, (batch, SEEN)), tf.int32)
        ours, bare = partial(retrieve, interests, seen), partial(product, interests)
        more = partial(boosted, interests, seen)
        # The first calls also warm up.
        memory = {"retrieval": growth_mb(ours), "product": growth_mb(bare), "boosted": growth_mb(more)}
        times = np.array([[milliseconds(call) for call in (ours, bare, more)] for _ in range(rounds)])  # [rounds, 3, 2]
        ratio, cpu_ratio = np.median(times[:, 0] / times[:, 1], axis=0).tolist()
        boosted_ratio, boosted_cpu_ratio = np.median(times[:, 2] / times[:, 1], axis=0).tolist()
        figures[f"batch {batch}"] = {
            "milliseconds": times[:, :, 0].tolist(),
            "cpu_milliseconds": times[:, :, 1].tolist(),
            "ratio": ratio,
            "cpu_ratio": cpu_ratio,
            "boosted_ratio": boosted_ratio,
            "boosted_cpu_ratio": boosted_cpu_ratio,
            "memory_mb": memory,
        }
        ours_ms, bare_ms, more_ms = np.median(times[:, :, 0], axis=0)
        print(
            f"batch {batch:>2}: retrieval {ours_ms:.1f} ms, only the product {bare_ms:.1f} ms, ratio {ratio:.2f} "
            f"(of CPU time {cpu_ratio:.2f}); with a boost {more_ms:.1f} ms, ratio {boosted_ratio:.2f} (of CPU time "
            f"{boosted_cpu_ratio:.2f}); memory {memory['retrieval']:.0f} MB against {memory['product']:.0f} MB"
        )
    return figures


class RandomModel:
    """A model whose interests are the vectors of the last four items."""

    max_history, needs, by_cosine, boost = INTERESTS, (), False, None

    def __init__(self, num_items: int):
        self.item_table = tf.Variable(np.random.default_rng(0).standard_normal((num_items + 1, DIM), np.float32))

    def item_vectors(self) -> tf.Tensor:
        return tf.convert_to_tensor(self.item_table)

    def interests(self, history: tf.Tensor) -> tf.Tensor:
        return tf.gather(self.item_vectors(), history)

    def encode(self, history: tf.Tensor) -> Interests:
        return Interests(self.interests(history))


SERVE = """
import sys, time
import numpy as np, tensorflow as tf
def peak():
    with open("/proc/self/status") as status:
        return int(status.read().split("VmHWM:")[1].split()[0]) / 1024
before, start = peak(), time.perf_counter()
module = tf.saved_model.load(sys.argv[1])
serve = module.signatures["serving_default"]
print(f"TensorFlow itself {before:.0f} MB; loaded in {time.perf_counter() - start:.0f} s; {peak():.0f} MB")
for batch in (1, 32):
    rows = np.random.default_rng(batch).integers(1, int(sys.argv[2]) + 1, (batch, 4))
    history = tf.constant([[f"item-{row}" for row in user] for user in rows])
    times = []
    for _ in range(5):
        start = time.perf_counter()
        answer = serve(history=history)
        times.append(time.perf_counter() - start)
    assert (answer["known_items"].numpy() == 4).all()
    print(f"batch {batch}: {1000 * np.median(times):.0f} ms, peak {peak():.0f} MB")
"""


def large(num_items: int) -> None:
    """Export a random table of `num_items` and serve it from a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        with open(path / ITEMS, "w", encoding="utf-8") as file:
            file.writelines(f"item-{row}\n" for row in range(1, num_items + 1))
        catalogue = Catalogue(path, "random", "none", num_items)
        start = time.perf_counter()
        exported = export(RandomModel(num_items), catalogue, path / "export", TOP_N)
        print(f"{num_items:,} items x {DIM} ({num_items * DIM * 4 / 2**20:.0f} MB) exported in "
              f"{time.perf_counter() - start:.0f} s")  # fmt: skip
        subprocess.run([sys.executable, "-c", SERVE, str(exported), str(num_items)], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30, help="rounds of each batch size (default: 30)")
    parser.add_argument("--large", action="store_true", help=f"serve {LARGE:,} items instead")
    parser.add_argument("--items", type=int, default=LARGE, help=f"number of items with --large (default: {LARGE:,})")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    flags = parser.parse_args()
    if flags.large:
        large(flags.items)
        return
    figures = against_the_product(flags.rounds)
    if flags.json:
        flags.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
