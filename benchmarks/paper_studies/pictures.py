"""What all pictures share: files, titles that fit, heat maps."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

matplotlib.use("Agg")

from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from remi_tf.files import atomic_file

MOST_LABELS = 14


def save(figure: Figure, path: Path) -> None:
    """The figure as a PNG, whole or not at all."""
    with atomic_file(path, "wb") as file:
        figure.savefig(file, format="png", dpi=110)
    matplotlib.pyplot.close(figure)


def heading(content: dict[str, Any]) -> str:
    """What was trained on, and for how long."""
    return f"{content['dataset']}, {content['max_steps']:,} steps"


def heat_map(
    matrix: np.ndarray,
    row_labels: Sequence[str],
    column_labels: Sequence[str],
    title: str,
    axes: Axes,
    norm: Normalize | None = None,
) -> AxesImage:
    """Draw `matrix` [rows, columns] into `axes`. Where there are many columns, only some have their label.

    Args:
      norm: the scale of the colours; None takes the smallest and the largest value.
    """
    image = axes.imshow(matrix, aspect="auto", cmap="viridis", norm=norm, interpolation="nearest")
    every = max(1, -(-len(column_labels) // MOST_LABELS))
    axes.set_xticks(range(0, len(column_labels), every), column_labels[::every])
    axes.set_yticks(range(len(row_labels)), row_labels)
    axes.tick_params(labelsize=8)
    axes.set_title(title, fontsize=9)
    return image
