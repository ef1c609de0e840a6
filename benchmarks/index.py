"""Approximate search against exact search in the graph, on the items and users of a trained run.

    python benchmarks/index.py --run_dir RUN [--items 367982] [--kinds hnsw] [--rounds 30] [--json FILE]

It measures recall@50 over 500 validation users, and times at batch 1 and 32 (medians; exact search and index take
turns). If --items is more than the run has, the table is filled up with copies of trained rows, moved by noise of half
their own length. This keeps directions and lengths as uneven as they are. It stands for a larger trained table, and
the output says so.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from remi_tf.quiet_loading import load_tensorflow

load_tensorflow()

import tensorflow as tf
from timing import milliseconds

from remi_tf.data.dataset.views import features, histories
from remi_tf.retrieval.faiss_index import ItemIndex
from remi_tf.retrieval.index_kinds import EFFORTS, KINDS
from remi_tf.retrieval.top_k import top_k
from remi_tf.training.run_folder import load_saved_run

TOP_N, USERS, NOISE, ENOUGH = 50, 500, 0.5, 0.97


def larger(vectors: np.ndarray, num_items: int) -> np.ndarray:
    """[num_items + 1, d]: the vectors, then noisy copies of random ones."""
    generator = np.random.default_rng(0)
    copies = vectors[generator.integers(1, len(vectors), num_items + 1 - len(vectors))]
    spread = NOISE * np.linalg.norm(copies, axis=1, keepdims=True) / copies.shape[1] ** 0.5
    return np.concatenate([vectors, copies + spread * generator.standard_normal(copies.shape)]).astype(np.float32)


def measure(kind: str, vectors: np.ndarray, interests: np.ndarray, exact: Callable, rounds: int) -> list[dict]:
    """One row for each effort, up to the first one that is good enough."""
    seconds = time.perf_counter()
    index = ItemIndex.build(vectors, kind)
    seconds = time.perf_counter() - seconds
    wanted = np.concatenate([exact(interests[start : start + 100])[0].numpy() for start in range(0, USERS, 100)])
    rows: list[dict] = []
    for index.effort in EFFORTS[kind]:
        found, _ = index.search(interests, TOP_N)
        recall = float(np.mean([len(np.intersect1d(*ids)) / TOP_N for ids in zip(found, wanted, strict=True)]))
        row = {"kind": kind, "effort": index.effort, "recall@50": round(recall, 4), "build_s": round(seconds, 1)}
        for batch in (1, 32):
            searches = exact, partial(index.search, k=TOP_N)
            times = [
                [milliseconds(partial(search, interests[start : start + batch])) for search in searches]
                for start in range(rounds)
            ]
            in_graph, by_index = np.median(times, axis=0)
            row |= {f"exact_ms@{batch}": round(in_graph, 2), f"index_ms@{batch}": round(by_index, 2)}
            row[f"ratio@{batch}"] = round(by_index / in_graph, 3)
        print("  ".join(f"{name} {value}" for name, value in row.items()), flush=True)
        rows.append(row)
        if recall >= ENOUGH:
            break
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run_dir", type=Path, required=True, help="a trained run")
    parser.add_argument("--items", type=int, default=0, help="fill the table up to this size (default: no filling)")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS[1:], help="default: all but flat")
    parser.add_argument("--rounds", type=int, default=30, help="searches of each batch size (default: 30)")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    flags = parser.parse_args()
    run = load_saved_run(flags.run_dir)
    vectors, users, users_of = run.model.item_vectors().numpy(), np.arange(USERS), run.dataset.valid
    history = histories(users_of, users, run.model.max_history)
    given = features(users_of, users, run.model.max_history, run.model.needs)
    interests = run.model.interests(history, **given).numpy()
    trained = len(vectors) - 1
    if flags.items > trained:
        vectors = larger(vectors, flags.items)
    print(f"{len(vectors) - 1:,} items ({trained:,} trained), {USERS} users of {run.catalogue.name}, top {TOP_N}")
    table = tf.constant(vectors)
    exact = tf.function(lambda users: top_k(users, table, TOP_N), reduce_retracing=True)
    rows = [row for kind in flags.kinds for row in measure(kind, vectors, interests, exact, flags.rounds)]
    if flags.json:
        flags.json.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
