"""Studies that are a table: one row for each system, mean ± standard deviation over seeds. The picture has its means.

OUTPUT.json is a table of benchmarks/quality.py, with the name of the study.
"""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.ticker import MaxNLocator
from quality import run_all
from quality_table import Table, write_markdown
from systems import System

from paper_studies.pictures import heading, save
from paper_studies.study import SERIAL_K, Asked, at, beside

BEST_K = "best_k"
METRICS = {"recall": "recall", "hit_rate": "hit rate", "ndcg": "NDCG"}


@dataclass(frozen=True)
class Row:
    """name: what the paper calls it. flags: of train.py. has_k: whether --best_k tries several numbers of interests."""

    name: str
    flags: str
    has_k: bool = False

    def choices(self, best_k: bool) -> list[str]:
        """The systems that this row may be."""
        return [f"{self.flags} --num_interests {k}" for k in SERIAL_K] if best_k and self.has_k else [self.flags]


def measure_table(asked: Asked, systems: list[str], **more: Any) -> int:
    """Train and evaluate the systems into OUTPUT.json and OUTPUT.md, as quality.py does. Returns how many runs failed.

    Args:
      more: what OUTPUT.json says besides, of all results.
    """
    table = Table(asked.output, {**asked.about, **more})

    def add(system: System, seed: int, result: dict[str, Any]) -> None:
        table.add(system.name, seed, result)

    return run_all(asked.systems(systems), asked.data, asked.budget, asked.runs, asked.jobs, add)


@dataclass(frozen=True)
class Systems:
    """A table of these rows.

    refuse: raises InputError for a dataset that cannot answer the question.
    """

    about: str
    rows: tuple[Row, ...]
    history: str = "no"
    refuse: Callable[[Asked], None] | None = None

    @property
    def options(self) -> tuple[str, ...]:
        """As of `Study`."""
        return (BEST_K,) if any(row.has_k for row in self.rows) else ()

    def measure(self, asked: Asked) -> int:
        """As of `Study`."""
        if self.refuse is not None:
            self.refuse(asked)
        more = {BEST_K: asked.best_k} if self.options else {}
        return measure_table(asked, [flags for row in self.rows for flags in row.choices(asked.best_k)], **more)

    def draw(self, content: dict[str, Any], output: Path) -> None:
        """As of `Study`. Of a row's choices, the one with the best recall@50 on validation users is shown."""
        rows: dict[str, tuple[str, list[dict[str, Any]]]] = {}
        for row in self.rows:
            there = [flags for flags in row.choices(content.get(BEST_K, False)) if flags in content["systems"]]
            results = {flags: list(content["systems"][flags].values()) for flags in there}
            if results:
                rows[row.name] = max(results.items(), key=lambda item: _mean(item[1], "valid_recall@50"))
        cells = {f"{name}: `{flags}`": results for name, (flags, results) in rows.items()}
        write_markdown(beside(output, ".md"), cells, content)
        draw_means({name: results for name, (_, results) in rows.items()}, content, output)


def draw_means(rows: dict[str, list[dict[str, Any]]], content: dict[str, Any], output: Path) -> None:
    """OUTPUT.png: a panel for each metric at the largest cut-off, a bar for each row, the first one on top."""
    size = (9.5, 1.3 + 0.34 * max(len(rows), 3))
    figure, axes = plt.subplots(1, len(METRICS), figsize=size, sharey=True)
    places = range(len(rows), 0, -1)
    for axis, (metric, word) in zip(axes, METRICS.items(), strict=True):
        name = at(metric, content)
        means = [_mean(results, name) for results in rows.values()]
        axis.barh(places, means, xerr=_deviations(rows.values(), name), height=0.6, capsize=3, color="tab:blue")
        axis.set_yticks(places, rows)
        axis.set_xlabel(f"{word}@{name.partition('@')[2]} of test users", fontsize=9)
        axis.tick_params(labelsize=8)
        axis.xaxis.set_major_locator(MaxNLocator(4))
        axis.grid(alpha=0.3, axis="x")
        axis.set_axisbelow(True)
    figure.suptitle(heading(content), fontsize=10)
    figure.tight_layout()
    save(figure, beside(output, ".png"))


def _mean(results: Sequence[dict[str, Any]], metric: str) -> float:
    return statistics.mean(result[metric] for result in results)


def _deviations(rows: Any, metric: str) -> list[float] | None:
    values = [[result[metric] for result in results] for results in rows]
    if all(len(each) < 2 for each in values):
        return None
    return [statistics.stdev(each) if len(each) > 1 else 0.0 for each in values]
