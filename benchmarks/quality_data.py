"""The dataset of a benchmark, and how its lists are judged."""

from dataclasses import dataclass
from pathlib import Path

import systems  # noqa: F401  # sets the import path

from remi_tf.evaluation.metrics import CUT_OFFS
from remi_tf.quiet_loading import load_tensorflow
from remi_tf.settings.exclusion import excludes_history


@dataclass(frozen=True)
class Data:
    """A dataset: its folder, its name, the fingerprint of its present content, its number of items, its share of
    repeats and whether it has features of items. The lists of all systems for test users: whether they leave out the
    history, and the cut-offs n of metric@n."""

    path: Path
    name: str
    fingerprint: str
    num_items: int
    repeats: float
    exclude_history: bool
    has_features: bool = False
    top_n: tuple[int, ...] = CUT_OFFS


def find_data(name_or_path: str, exclude_history: str = "auto", top_n: tuple[int, ...] = CUT_OFFS) -> Data:
    """The dataset as train.py would find it.

    Args:
      exclude_history: whether lists leave out the history: auto, yes or no.

    Raises:
      InputError: there is none.
    """
    load_tensorflow()
    from remi_tf.data.dataset.folder import find_dataset

    dataset = find_dataset(name_or_path)
    return Data(
        dataset.path.absolute(),
        dataset.name,
        dataset.fingerprint,
        dataset.num_items,
        dataset.repeats,
        excludes_history(exclude_history, lambda: dataset.repeats),
        dataset.features is not None,
        tuple(top_n),
    )
