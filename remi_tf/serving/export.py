"""Export: a run → a SavedModel that takes raw item ids and returns raw item ids, with only TensorFlow.

An export folder holds one folder for each version (1, 2, …), as TensorFlow Serving expects. A version is a small
plain tf.Module with its signatures, the vocabulary as its asset, and in assets.extra a model card, warm-up requests
and a manifest with sizes and checksums. It holds no Keras, no custom op and no jit_compile (TensorFlow Serving runs
without XLA).
"""

import shutil
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from remi_tf.counted.base import CountedModel
from remi_tf.data.dataset.catalogue import ITEMS, Catalogue
from remi_tf.data.dataset.folder import PROFILE_COLUMNS
from remi_tf.data.dataset.profiles import columns_to_json
from remi_tf.doctor import versions
from remi_tf.errors import InputError, command
from remi_tf.files import add_version, version_numbers, write_json
from remi_tf.manifests import describe, read_manifest, read_object, verify, write_manifest
from remi_tf.retrieval.top_k import SCORE_BYTES
from remi_tf.serving.graph import ServingGraph
from remi_tf.serving.signatures import MAX_TOP_N, PRODUCT, signatures
from remi_tf.serving.warm_up import WARM_UP, write_warm_up
from remi_tf.systems import System, items_of
from remi_tf.training.run_folder import SavedRun

CARD = Path("assets.extra") / "model_card.json"
MANIFEST, KIND, FORMAT_VERSION = Path("assets.extra") / "manifest.json", "export", 1


def export(
    model: System,
    catalogue: Catalogue,
    path: str | Path,
    max_top_n: int = MAX_TOP_N,
    exclude_history: bool = False,
    card: dict[str, Any] | None = None,
    score_bytes: int = SCORE_BYTES,
) -> Path:
    """Save the next version under the folder `path`, whole or not at all, and return its folder.

    The number is taken when everything is written and verified, so two exports at once get two numbers.

    Args:
      max_top_n: items returned for each history, cut to the catalogue.
      exclude_history: never return an item of the history, unless a request asks for it.
      card: what the model card is to say besides the signature and the data (step, metrics, …).
      score_bytes: the most bytes of scores that a request holds at a time.

    Raises:
      InputError: model and catalogue do not belong together, an item's id is empty, or the item table is not finite.
      OSError: the disk is full; the message names `path`.
    """
    _check(model, catalogue, max_top_n)
    score = _meaning(model)
    max_top_n = min(max_top_n, catalogue.num_items)

    def write(folder: Path) -> None:
        with tempfile.TemporaryDirectory() as anywhere:
            graph = save_graph(folder, Path(anywhere))
        write_json(folder / CARD, about(graph))
        history = catalogue.vocabulary.raw_ids(range(1, min(model.max_history, catalogue.num_items) + 1))
        write_warm_up(folder / WARM_UP, graph, history)
        written = (file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
        write_manifest(folder / MANIFEST, KIND, FORMAT_VERSION, describe(folder, sorted(written)))
        verify_export(folder)

    def save_graph(folder: Path, anywhere: Path) -> ServingGraph:
        # The tables are named after their file's path: a copy keeps the name unique and the dataset's path private.
        vocabulary = Path(shutil.copy(catalogue.path / ITEMS, anywhere))
        graph = ServingGraph(model, catalogue, max_top_n, exclude_history, score_bytes, vocabulary)
        graph.trace()
        tf.saved_model.save(graph, str(folder), signatures=graph.functions)
        return graph

    def about(graph: ServingGraph) -> dict[str, Any]:
        reader = graph.reader
        return {
            "signatures": signatures(
                model.needs, graph.has_categories, graph.has_routing, score, reader.has_vectors, reader.has_boost
            ),
            "max_top_n": max_top_n,
            "max_history": model.max_history,
            "exclude_history": exclude_history,
            "exported_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "dataset": {"name": catalogue.name, "fingerprint": catalogue.fingerprint, "num_items": catalogue.num_items},
            "limits": limits(graph, exclude_history),
            **({"categories": graph.category_names} if graph.has_categories else {}),
            **({PROFILE_COLUMNS: columns_to_json(catalogue.profile_columns)} if "profile" in model.needs else {}),
            **(card or {}),
            "versions": versions(),
        }

    return add_version(Path(path), write)


def verify_export(path: str | Path) -> dict[str, Any]:
    """Compare every file of a version (`export/1`) with its manifest, and return the manifest.

    Example:
      >>> import remi_tf
      >>> from remi_tf.serving.export import verify_export
      >>> "saved_model.pb" in verify_export(remi_tf.load_run("runs/shop").export("exports/checked"))["files"]
      True

    Raises:
      InputError: a file is missing, shorter, longer or changed, or there is no manifest; the message names it.
    """
    remedy = f"export the run again with {command('export')}"
    manifest = read_manifest(Path(path) / MANIFEST, KIND, FORMAT_VERSION, remedy)
    verify(Path(path), manifest["files"], remedy)
    return manifest


def _meaning(system: System) -> str:
    """What the model card says a score is."""
    if isinstance(system, CountedModel):
        return system.score_meaning
    product = "cosine with the best interest" if system.by_cosine else PRODUCT
    return product if system.boost is None else f"{product}, and the boost of counted neighbours of the history"


def _check(model: System, catalogue: Catalogue, max_top_n: int) -> None:
    num_items = items_of(model)
    if num_items != catalogue.num_items:
        raise InputError(f"the model has {num_items} items, the dataset {catalogue.name} has {catalogue.num_items}")
    if catalogue.vocabulary.rows([""])[0]:
        raise InputError(f"an item of the dataset {catalogue.name} has the empty id, which stands for padding here")
    if max_top_n < 1:
        raise InputError(f"--max_top_n {max_top_n}: give a positive whole number")
    if not isinstance(model, CountedModel) and not np.isfinite(model.item_table.numpy()).all():
        raise InputError("the item table holds NaN or infinite numbers; the run has diverged and is not exported")


def limits(graph: ServingGraph, exclude_history: bool) -> list[str]:
    """What a caller of the model must know, in sentences."""
    categories = f"{len(graph.category_names)} categories" if graph.has_categories else "no categories"
    most = graph.limits
    return [
        f"It reads the last {graph.max_history} known items of a history and ignores unknown ids.",
        "A history without a known id gets the most popular items of the training log, with scores of 0.",
        "It knows only the items that it was exported with; a newer item is never returned.",
        *([f"{graph.num_removed:,} of its items are in no list."] if graph.num_removed else []),
        f"serving_default {'never returns' if exclude_history else 'may return'} items of the history.",
        f"One request can ask for {graph.max_top_n} items at most; the catalogue has {categories}.",
        f"A request may have {most.rows:,} rows, and {most.places:,} places in each of its lists (rows × the longest) "
        f"and in its answer (rows × the largest top_n); items takes {most.items:,} ids. A larger request is refused.",
        f"A request's scores take about {graph.score_bytes >> 20} MiB at a time, for any batch and catalogue.",
        "Scores order items for one user; they are not probabilities and cannot be compared between users.",
    ]


def export_run(
    run: SavedRun, path: Path, max_top_n: int = MAX_TOP_N, exclude_history: bool | str | None = None
) -> Path:
    """`export` a run, with its settings, step and (if evaluate.py was run for this step) metrics in the card.

    Args:
      exclude_history: as of `SavedRun.excludes_history`.
    """
    exclude_history = run.excludes_history(exclude_history)
    metrics, _ = measured_metrics(run, exclude_history)
    card = {"step": run.step, "settings": run.settings.to_json(), "test_metrics": metrics}
    return export(run.model, run.catalogue, path, max_top_n, exclude_history, card)


def measured_metrics(run: SavedRun, exclude_history: bool) -> tuple[dict[str, Any] | None, str | None]:
    """What evaluate.py measured of this step on test users, and what is wrong with its file; None = nothing.

    At its usual cut-offs, else at those that were asked for last.
    """
    usual = run.evaluation_path("test", exclude_history)
    others = sorted(usual.parent.glob(f"{usual.stem}_top_*.json"), key=lambda other: -other.stat().st_mtime)
    path = next((path for path in (usual, *others) if path.is_file()), None)
    if path is None:
        return None, None
    try:
        evaluation = read_object(path, f"run {command('evaluate')} again")
    except InputError as error:
        return None, f"the card has no metrics: {error}"
    if evaluation.get("step") != run.step or evaluation.get("exclude_history") != exclude_history:
        return None, None
    metrics = evaluation.get("metrics")
    if not isinstance(metrics, dict) or not isinstance(metrics.get("model"), dict):
        return None, f"the card has no metrics: {path} holds none; run {command('evaluate')} again"
    return metrics, None


def exported_versions(path: Path) -> list[int]:
    """The numbers of the versions in an export folder."""
    return [number for number in version_numbers(path) if (path / str(number)).is_dir()]
