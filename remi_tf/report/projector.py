"""Item vectors for TensorBoard's projector: `tensorboard --logdir RUN` shows the items as a cloud of points."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf

from remi_tf.counted.base import CountedModel
from remi_tf.errors import InputError
from remi_tf.files import atomic_folder
from remi_tf.report.words import TITLE, shortened, visible
from remi_tf.training.run_folder import SavedRun

FOLDER = Path("tensorboard", "projector")
"""Below the run folder."""
CONFIG, VECTORS, METADATA = "projector_config.pbtxt", "vectors.tsv", "metadata.tsv"
MOST_ITEMS = 100_000
"""What the projector shows at most. Rows are in the order of popularity, so these are the most popular ones."""
COLUMNS = ("id", "title", "category", "count")


def write_projector(run: SavedRun, overwrite: bool = False) -> tuple[Path, int]:
    """Write vectors, metadata and config to RUN/tensorboard/projector, whole or not at all.

    vectors.tsv has a line for each item; metadata.tsv has the same after a line of names: id, title, category (both
    empty where the log has none, and long ones shortened) and count, how often training users have the item.

    Returns:
      The folder, and the number of items.

    Raises:
      InputError: the model has no vectors, the run's dataset is gone, or the folder exists and `overwrite` is false.
    """
    if isinstance(run.model, CountedModel):
        model_type = run.settings.encoder.model_type
        raise InputError(f"--projector: {model_type} has no item vectors to show; leave it out")
    number = min(run.catalogue.num_items, MOST_ITEMS)
    counts = np.bincount(run.dataset.train.items, minlength=run.catalogue.num_items + 1)
    path = run.path / FOLDER
    with atomic_folder(path, CONFIG, overwrite) as folder:
        vectors = run.model.item_vectors()[1 : number + 1].numpy()
        np.savetxt(folder / VECTORS, vectors, fmt="%.6g", delimiter="\t", encoding="utf-8")
        with open(folder / METADATA, "w", encoding="utf-8", newline="\n") as file:
            file.writelines("\t".join(row) + "\n" for row in _metadata(run, counts, number))
        (folder / CONFIG).write_text(
            f'embeddings {{\n  tensor_name: "items"\n  tensor_path: "{VECTORS}"\n  metadata_path: "{METADATA}"\n}}\n',
            encoding="utf-8",
        )
        tf.summary.create_file_writer(str(folder)).close()  # TensorBoard looks only into folders with an event file
    return path, number


def _metadata(run: SavedRun, counts: np.ndarray, number: int) -> Iterator[tuple[str, ...]]:
    catalogue = run.catalogue
    titles, categories, names = catalogue.titles, catalogue.categories, ["", *catalogue.category_names]
    yield COLUMNS
    for row, raw_id in enumerate(catalogue.vocabulary.raw_ids(range(1, number + 1)), start=1):
        title = titles[row - 1] if titles else ""
        category = "" if categories is None else names[categories[row]]
        yield _cell(raw_id), shortened(_cell(title), TITLE), shortened(_cell(category), TITLE), str(counts[row])


def _cell(text: str) -> str:
    """Without tabs and ends of lines, which would begin another cell."""
    return visible(" ".join(text.split())) if any(char.isspace() for char in text) else visible(text)
