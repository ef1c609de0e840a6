"""MTMI's figure 5: recall over a grid of alpha, beta and K, as a heat map for each K.

The recipe mtmi_study has the loss as printed, which allows an alpha of 6 at most.
"""

import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import Normalize
from quality_table import write_markdown

from paper_studies.pictures import heading, heat_map, save
from paper_studies.study import Asked, at, beside
from paper_studies.tables import measure_table

ALPHAS, REPELS, TOWERS = (1, 2, 4, 5.5), (1, 10, 100, 1000), (2, 4, 8)


def system(alpha: float, repel: float, towers: int) -> str:
    """One cell of the grid."""
    return f"MTMI-DNN --recipe mtmi_study --idw_alpha {alpha} --idw_repel {repel} --num_interests {towers}"


@dataclass(frozen=True)
class Grid:
    """The study of the grid. OUTPUT.md has a row for each cell."""

    about: str = "MTMI, figure 5: MTMI-DNN over alpha, beta of the repel loss, and K; the paper's log is ml-100k"
    history: str = "no"
    options: tuple[str, ...] = ()

    def measure(self, asked: Asked) -> int:
        """As of `Study`."""
        return measure_table(asked, [system(a, b, k) for k in TOWERS for a in ALPHAS for b in REPELS])

    def draw(self, content: dict[str, Any], output: Path) -> None:
        """As of `Study`. Cells that are missing stay white."""
        metric, found = at("recall", content), content["systems"]
        write_markdown(
            beside(output, ".md"), {f"`{name}`": list(seeds.values()) for name, seeds in found.items()}, content
        )

        def mean(name: str) -> float:
            return statistics.mean(seed[metric] for seed in found[name].values()) if name in found else np.nan

        values = np.array([[[mean(system(a, b, k)) for b in REPELS] for a in ALPHAS] for k in TOWERS])
        norm = Normalize(np.nanmin(values), np.nanmax(values))
        size = (3.6 * len(TOWERS) + 1, 3.4)
        figure, panels = plt.subplots(1, len(TOWERS), figsize=size, sharey=True, squeeze=False, layout="constrained")
        axes = panels[0]
        for axis, towers, matrix in zip(axes, TOWERS, values, strict=True):
            image = heat_map(matrix, list(map(str, ALPHAS)), list(map(str, REPELS)), f"K = {towers}", axis, norm)
            axis.set_xlabel("beta of the repel loss")
            for (row, column), value in np.ndenumerate(matrix):
                if not np.isnan(value):
                    dark = norm(value) < 0.6
                    text = f"{value:.3f}".lstrip("0")
                    axis.text(column, row, text, ha="center", va="center", size=8, color="w" if dark else "k")
        axes[0].set_ylabel("alpha")
        figure.colorbar(image, ax=axes, label=f"{metric} of test users", shrink=0.9)
        figure.suptitle(f"MTMI-DNN on {heading(content)}", fontsize=10)
        save(figure, beside(output, ".png"))
