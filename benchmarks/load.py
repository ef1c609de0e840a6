"""Load test of serving: clients on this machine ask the stand-in server at the same time. Also measures its memory.

    python benchmarks/load.py [--clients 8] [--seconds 60] [--items 367982] [--export_dir RUN_DIR/export]

Without --export_dir a random catalogue is exported. The server is examples/stand_in_server.py in a process of its own,
not TensorFlow Serving. So the test measures the exported graph with a Python server around it. Each client is a thread
that asks by gRPC, with one history in each request, and asks again as soon as it has an answer. A tenth of the requests
are bad on purpose and must come back with a status. Memory is that of the server after each tenth of the time (Linux).
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from remi_tf.quiet_loading import load_tensorflow

load_tensorflow()

import tensorflow as tf

from benchmarks.serving import RandomModel
from examples.client import NOTHING_CHOSEN, GrpcClient
from remi_tf.data.dataset.catalogue import ITEMS, Catalogue
from remi_tf.serving.export import export

HISTORY, TOP_N, BAD_ONE_IN = 20, 50, 10


def export_random(folder: Path, num_items: int) -> Path:
    """Export a random table of items called item-1, item-2, …"""
    (folder / ITEMS).write_text("".join(f"item-{row}\n" for row in range(1, num_items + 1)), encoding="utf-8")
    export(RandomModel(num_items), Catalogue(folder, "random", "none", num_items), folder / "export", TOP_N)
    return folder / "export"


def resident_mb(process: int) -> float:
    """Memory that a process has now, in MB."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


class Load:
    """Clients in threads, and what became of their requests."""

    def __init__(self, address: str, raw_ids: list[str], seconds: float):
        self.address, self.raw_ids, self.seconds = address, raw_ids, seconds
        self.milliseconds: list[float] = []
        self.errors: list[str] = []

    def run(self, clients: int, server: int) -> list[float]:
        """Ask with this many clients. Returns the server's memory after each tenth of the time, in MB."""
        threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(clients)]
        for thread in threads:
            thread.start()
        memory = []
        for _ in range(10):
            time.sleep(self.seconds / 10)
            memory.append(resident_mb(server))
        for thread in threads:
            thread.join()
        return memory

    def _ask(self, number: int) -> None:
        client, draw = GrpcClient(self.address, "remi", timeout=60), np.random.default_rng(number)
        names = client.inputs("recommend")
        plain = NOTHING_CHOSEN | {"top_n": TOP_N, "exclude_history": True, "timestamps": [0] * HISTORY, "profile": []}
        stop = time.perf_counter() + self.seconds
        while time.perf_counter() < stop:
            bad = draw.integers(BAD_ONE_IN) == 0
            row = plain | {"history": draw.choice(self.raw_ids, HISTORY).tolist(), "top_n": -1 if bad else TOP_N}
            start = time.perf_counter()
            try:
                (answer,) = client.predict("recommend", [{name: row[name] for name in names}])
            except Exception as error:
                self.errors.append(repr(error))
                continue
            self.milliseconds.append(1000 * (time.perf_counter() - start))
            returned = [item for item in answer["items"] if item]
            right = answer["status"].startswith("error: top_n") if bad else len(set(returned)) == TOP_N
            if not right or (set(returned) & set(row["history"])):
                self.errors.append(f"{answer['status']!r}, {len(returned)} items")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=8, help="concurrent clients (default: 8)")
    parser.add_argument("--seconds", type=float, default=60, help="how long they ask (default: 60)")
    parser.add_argument("--items", type=int, default=367_982, help="size of the random catalogue (default: 367,982)")
    parser.add_argument("--export_dir", type=Path, help="serve this export instead; it must return 50 items")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory() as anywhere:
        exported = flags.export_dir or export_random(Path(anywhere), flags.items)
        newest = max((folder for folder in exported.iterdir() if folder.name.isdigit()), key=lambda one: int(one.name))
        raw_ids = (newest / "assets" / ITEMS).read_text(encoding="utf-8").split("\n")[:-1]
        command = [sys.executable, str(ROOT / "examples" / "stand_in_server.py"), "--model_base_path", str(exported)]
        server = subprocess.Popen([*command, "--port", "0", "--rest_api_port", "0"], stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            port = server.stdout.readline().split("gRPC on port ")[1].split(",")[0]
            load = Load(f"localhost:{port}", raw_ids, flags.seconds)
            memory = load.run(flags.clients, server.pid)
        finally:
            server.terminate()
            server.wait()
    p50, p99 = np.percentile(load.milliseconds, [50, 99])
    figures = {"clients": flags.clients, "seconds": flags.seconds, "items": len(raw_ids), "errors": len(load.errors)}
    figures |= {"requests": len(load.milliseconds), "p50 ms": p50, "p99 ms": p99, "memory MB": memory}
    print(
        f"{len(raw_ids):,} items, {flags.clients} clients, {flags.seconds:.0f} s: {len(load.milliseconds)} answers, "
        f"{len(load.errors)} errors, p50 {p50:.0f} ms, p99 {p99:.0f} ms (stand-in server, TensorFlow "
        f"{tf.__version__})\nserver's memory, MB: {', '.join(f'{size:.0f}' for size in memory)}"
    )
    for error in load.errors[:5]:
        print(f"error: {error}", file=sys.stderr)
    if flags.json:
        flags.json.write_text(json.dumps(figures, indent=2) + "\n")
    sys.exit(bool(load.errors))


if __name__ == "__main__":
    main()
