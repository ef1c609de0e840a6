"""How benchmarks measure: calls that take turns, ratios with their spread, and tables."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np


class Ratio(NamedTuple):
    """The median of the ratios of the rounds, and their quartiles."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f}–{self.high:.2f})"


def milliseconds(call: Callable[[], object]) -> float:
    """The time of one call. The call itself must wait for what it starts on a GPU: see `read_back`."""
    start = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - start)


def read_back(result: Any) -> None:
    """Wait until a tensor is computed, by reading one number of it: a GPU computes after the call has returned."""
    result[(0,) * len(result.shape)].numpy()


def take_turns(calls: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """What each call returns in each round. Machines are shared, so what is compared runs next to each other."""
    found: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            found[name].append(call())
    return found


def ratio(times: Sequence[float], base: Sequence[float]) -> Ratio:
    """Of two lists of the same rounds: the ratio is taken within a round."""
    low, median, high = np.percentile(np.array(times) / np.array(base), [25, 50, 75])
    return Ratio(float(median), float(low), float(high))


def medians(times: Sequence[float], base: Sequence[float]) -> tuple[str, str, str]:
    """Cells of a table: the medians of both, and the ratio with its quartiles."""
    return f"{np.median(times):.2f}", f"{np.median(base):.2f}", str(ratio(times, base))


def print_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a Markdown table, each row when it comes."""
    for line in chain((head, ["---"] * len(head)), rows):
        print(f"| {' | '.join(map(str, line))} |", flush=True)
