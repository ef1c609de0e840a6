"""Studies whose picture has curves: a metric against one setting. A line without points is a system without it."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from quality import run_all
from quality_table import metrics_at
from systems import System

from paper_studies.pictures import heading, save
from paper_studies.study import Asked, at, beside
from remi_tf.files import write_json

Series = dict[str, list[tuple[float | None, str]]]  # a curve's name → its points (x or None for a line, flags)
LOG2: dict[str, Any] = {"value": "log", "base": 2}


def from_zero(first: float) -> dict[str, Any]:
    """A logarithmic scale that has 0 too; `first` is the smallest point after it."""
    return {"value": "symlog", "linthresh": first}


WORDS = {
    "valid_recall": "recall@{n} of validation users",
    "recall": "recall@{n} of test users",
    "hit_rate": "hit rate@{n} of test users",
    "ndcg": "NDCG@{n} of test users",
}


@dataclass(frozen=True)
class Panel:
    """A row of the picture: the curves whose names begin with `prefix`, which the legend leaves out."""

    axis: str
    scale: dict[str, Any]
    prefix: str = ""
    title: str = ""


@dataclass(frozen=True)
class Curves:
    """A study of curves.

    shown: the metrics, one column of the picture each.
    """

    about: str
    series: Callable[[Asked], Series]
    panels: tuple[Panel, ...]
    shown: tuple[str, ...] = ("valid_recall", "recall")
    history: str = "no"
    options: tuple[str, ...] = ()

    def measure(self, asked: Asked) -> int:
        """As of `Study`. OUTPUT.json is written again with each run."""
        series = self.series(asked)
        places: dict[str, list[tuple[str, float | None]]] = {}
        for name, points in series.items():
            for x, flags in points:
                places.setdefault(System.parse(flags, asked.seeds).name, []).append((name, x))
        content = {**asked.about, "series": {name: {} for name in series}}
        kept = ("valid_recall@50", *metrics_at(asked.data.top_n))

        def add(system: System, seed: int, result: dict[str, Any]) -> None:
            for name, x in places[system.name]:
                point = content["series"][name].setdefault(system.name, {"x": x, "seeds": {}})
                point["seeds"][str(seed)] = {metric: result[metric] for metric in kept}
            write_json(beside(asked.output, ".json"), content)

        systems = asked.systems([flags for points in series.values() for _, flags in points])
        return run_all(systems, asked.data, asked.budget, asked.runs, asked.jobs, add)

    def draw(self, content: dict[str, Any], output: Path) -> None:
        """As of `Study`. A metric that some run lacks (JSON of an older version) is left out."""
        series = {name: points for name, points in content["series"].items() if points}
        seeds = [seed for points in series.values() for point in points.values() for seed in point["seeds"].values()]
        shown = [metric for metric in self.shown if all(at(metric, content) in seed for seed in seeds)]
        size = (4.4 * len(shown) + 2.6, 3.6 * len(self.panels) + 0.3)
        figure, axes = plt.subplots(len(self.panels), len(shown), figsize=size, squeeze=False)
        for row, panel in zip(axes, self.panels, strict=True):
            names = [name for name in series if name.startswith(panel.prefix)]
            for axis, metric in zip(row, shown, strict=True):
                for name in names:
                    _curve(axis, series[name], at(metric, content), name.removeprefix(panel.prefix))
                axis.set_xscale(**panel.scale)
                places = sorted({point["x"] for name in names for point in series[name].values()} - {None})
                axis.set_xticks(places, [f"{place:g}" for place in places], fontsize=8)
                axis.minorticks_off()
                axis.set_xlabel(panel.axis)
                axis.set_ylabel(WORDS[metric].format(n=at(metric, content).partition("@")[2]))
                axis.grid(alpha=0.3)
            row[0].set_title(", ".join(filter(None, (panel.title, heading(content)))), fontsize=10, loc="left")
            if len(names) > 1:
                row[-1].legend(loc="center left", bbox_to_anchor=(1, 0.5))
        figure.tight_layout()
        save(figure, beside(output, ".png"))


def _curve(axis: Axes, points: dict[str, Any], metric: str, label: str) -> None:
    """Means over seeds, with the standard deviation where there are several."""
    found = []
    for point in points.values():
        values = [seed[metric] for seed in point["seeds"].values()]
        found.append((point["x"], statistics.mean(values), statistics.stdev(values) if len(values) > 1 else 0.0))
    if found[0][0] is None:
        axis.axhline(found[0][1], linestyle="--", color="black", label=label)
        return
    x, mean, deviation = zip(*sorted(found), strict=True)
    axis.errorbar(x, mean, yerr=deviation if any(deviation) else None, marker="o", capsize=3, label=label)
