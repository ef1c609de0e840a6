"""Claim: prepare is at least 10x faster than plain Python with dicts, in less than 6x the memory of the raw columns.

    python benchmarks/prepare.py [--rows 3000000] [--repeats 3]

Both sides read the same uncompressed CSV. Both leave the filtered, numbered, split and sorted log on disk. The log is
globo-news (2,988,181 rows) if the reference data is present (REMI_TF_SHARED or ../shared), and otherwise a synthetic
one. Each run is a fresh process. The best of the repeats counts. Memory is ru_maxrss of the process, as it is and minus
its value after the imports. The raw columns are the user, item and time column as three int64 arrays: 24 bytes a row.
"""

import argparse
import csv
import json
import os
import random
import resource
import subprocess
import sys
import tarfile
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
GLOBO = ("user_id", "click_article_id", "click_timestamp", "ms")
SYNTHETIC = ("user_id", "item_id", "timestamp", "s")


def plain_python(path: str, columns: tuple[str, ...], output: str) -> None:
    """The papers' protocol with the csv module and dicts, written as text files."""
    users: dict[str, list[tuple[int, str]]] = {}
    counts: dict[str, int] = defaultdict(int)
    with open(path, newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        header = next(rows)
        user_at, item_at, time_at = (header.index(name) for name in columns[:3])
        for row in rows:
            item = row[item_at]
            counts[item] += 1
            users.setdefault(row[user_at], []).append((int(row[time_at]), item))
    ordered = sorted((item for item in counts if counts[item] >= 5), key=lambda item: -counts[item])
    numbers = {item: number for number, item in enumerate(ordered, start=1)}
    kept = []
    for user, events in users.items():
        events = [event for event in events if event[1] in numbers]
        if len(events) >= 5:
            kept.append((user, events))
    random.Random(1230).shuffle(kept)
    os.makedirs(output)
    first, second = int(len(kept) * 0.8), int(len(kept) * 0.9)
    for name, part in (("train", kept[:first]), ("valid", kept[first:second]), ("test", kept[second:])):
        with open(f"{output}/{name}.txt", "w", encoding="utf-8") as out:
            for number, (_, events) in enumerate(part):
                events.sort(key=lambda event: event[0])
                for index, (moment, item) in enumerate(events):
                    out.write(f"{number},{numbers[item]},{index},{moment}\n")


def package(path: str, columns: tuple[str, ...], output: str) -> None:
    """The same through remi_tf."""
    from remi_tf.data.protocol.prepare import prepare_log
    from remi_tf.data.tables.layouts import Columns, Layout
    from remi_tf.data.tables.reading import read_log

    log = read_log([path], Layout(Columns(*columns[:3])), time_unit=columns[3])
    prepare_log(log, output)


SIDES = {"plain": plain_python, "remi_tf": package}


def child(side: str, path: str, columns: tuple[str, ...]) -> None:
    """One timed run in this process; prints seconds and memory as JSON."""
    if side == "remi_tf":
        import remi_tf.data.protocol.prepare
        import remi_tf.data.tables.reading  # noqa: F401 (the time of the import is not measured)
    baseline = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    with tempfile.TemporaryDirectory() as folder:
        begin, cpu = time.perf_counter(), time.process_time()
        SIDES[side](path, columns, f"{folder}/out")
        seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak": peak, "net": peak - baseline}))


def find_log(folder: Path, rows: int) -> tuple[Path, tuple[str, ...], str]:
    """(a plain CSV, its columns, its name)."""
    shared = Path(os.environ.get("REMI_TF_SHARED", ROOT.parent / "shared")) / "data/globo-news/clicks.tar.xz"
    path = folder / "log.csv"
    if shared.is_file():
        with tarfile.open(shared) as archive, open(path, "wb") as out:
            members = {member.name: archive.extractfile(member).read() for member in archive if member.isfile()}
            for index, name in enumerate(sorted(members)):
                data = members[name]
                out.write(data if index == 0 else data[data.index(b"\n") + 1 :])
        return path, GLOBO, "globo-news"
    generator = np.random.default_rng(0)
    table = np.stack(
        [
            generator.integers(0, rows // 10, rows),
            (generator.pareto(1.0, rows) * 500).astype(np.int64) % 50_000,
            1_500_000_000 + np.sort(generator.integers(0, 10_000_000, rows)),
        ],
        axis=1,
    )
    np.savetxt(path, table, fmt="%d", delimiter=",", header=",".join(SYNTHETIC[:3]), comments="")
    return path, SYNTHETIC, "synthetic"


def main() -> None:
    """Run both sides in turn and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=3_000_000, help="rows of the synthetic log (default: 3,000,000)")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each side (default: 3)")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    flags = parser.parse_args()
    if flags.child:
        child(flags.child[0], flags.child[1], GLOBO if "globo" in os.environ.get("PREPARE_LOG", "") else SYNTHETIC)
        return
    with tempfile.TemporaryDirectory() as folder:
        path, _, name = find_log(Path(folder), flags.rows)
        with open(path, "rb") as file:
            rows = sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 22), b"")) - 1
        print(f"{name}: {rows:,} rows, {path.stat().st_size / 1e6:,.0f} MB of CSV, {os.cpu_count()} CPUs")
        results: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES}
        for _ in range(flags.repeats):
            for side in SIDES:
                command = [sys.executable, __file__, "--child", side, str(path)]
                run = subprocess.run(
                    command, env={**os.environ, "PREPARE_LOG": name}, capture_output=True, text=True, check=True
                )
                results[side].append(json.loads(run.stdout))
        raw = rows * 24
        best = {side: min(runs, key=lambda run: run["seconds"]) for side, runs in results.items()}
        for side, run in best.items():
            print(
                f"{side:<8} {run['seconds']:6.2f} s wall, {run['cpu']:6.2f} s CPU, peak {run['peak'] / 1e6:,.0f} MB, "
                f"net {run['net'] / 1e6:,.0f} MB = {run['net'] / raw:.1f}x the raw columns ({raw / 1e6:,.0f} MB)"
            )
        print(f"speed-up {best['plain']['seconds'] / best['remi_tf']['seconds']:.1f}x wall")


if __name__ == "__main__":
    main()
