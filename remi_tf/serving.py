"""Export: a run → a SavedModel that takes raw item ids and returns raw item ids, with TensorFlow alone.

An export folder holds one folder a version (1, 2, …), as TensorFlow Serving expects them. A version is a small
plain tf.Module with one signature, the vocabulary as its asset, and a model card in assets.extra. It holds no
Keras, no custom op and no jit_compile (TensorFlow Serving runs without XLA).
"""

import argparse
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from remi_tf.data.interactions import ITEMS, Catalogue
from remi_tf.doctor import versions
from remi_tf.errors import InputError
from remi_tf.files import atomic_folder, write_json
from remi_tf.retrieval.top_k import SCORE_BYTES, Model, recommend

MAX_TOP_N = 100
CARD = Path("assets.extra") / "model_card.json"
SAVED_MODEL = "saved_model.pb"
SIGNATURE = {
    "inputs": {"history": 'string [batch, any]: raw item ids, oldest first; "" is padding, unknown ids are ignored'},
    "outputs": {
        "items": "string [batch, max_top_n]: raw item ids, best first",
        "scores": "float32 [batch, max_top_n]: inner product with the best interest; 0 for a history without a "
        "known id, which gets the most popular items",
        "known_items": "int32 [batch]: how many ids of the history were known",
    },
}


class Recommender(tf.Module):
    """Raw ids in, raw ids out: what is saved.

    Args:
      model: its `interests` and `item_table` become part of the graph, the model itself does not.
      vocabulary: text file, line i holds the raw id of row i.
      top_n: items returned.
    """

    def __init__(self, model: Model, vocabulary: Path, top_n: int, exclude_history: bool, score_bytes: int):
        super().__init__("recommender")
        whole, number = tf.lookup.TextFileIndex.WHOLE_LINE, tf.lookup.TextFileIndex.LINE_NUMBER
        path = str(vocabulary)
        self.line_of = tf.lookup.StaticHashTable(
            tf.lookup.TextFileInitializer(path, tf.string, whole, tf.int64, number), default_value=-1
        )
        self.raw_id_at = tf.lookup.StaticHashTable(
            tf.lookup.TextFileInitializer(path, tf.int64, number, tf.string, whole), default_value=""
        )

        def serve(history: tf.Tensor) -> dict[str, tf.Tensor]:
            rows = tf.cast(self.line_of.lookup(history), tf.int32) + 1  # [B, any]; unknown ids and "" are 0
            known = tf.reduce_sum(tf.cast(rows > 0, tf.int32), axis=1)  # [B]
            rows = last_known(rows, model.max_history)  # [B, max_history]
            ids, scores = recommend(model, rows, top_n, exclude_history, score_bytes)
            # Should retrieval give less than top_n items (scores that overflow), the popular ones stand in.
            lacking = ids[:, -1:] == 0  # [B, 1]
            ids = tf.where(lacking, tf.range(1, top_n + 1), ids)
            scores = tf.where(lacking, 0.0, scores)
            items = self.raw_id_at.lookup(tf.cast(ids, tf.int64) - 1)
            return {"items": items, "scores": scores, "known_items": known}

        self.serve = tf.function(serve, input_signature=[tf.TensorSpec([None, None], tf.string, "history")])
        # Saving wants every variable of the graph as a tracked attribute; nothing else of the model is attached.
        self.weights = list(self.serve.get_concrete_function().graph.variables)


def last_known(rows: tf.Tensor, length: int) -> tf.Tensor:
    """The last `length` rows that are not 0, in their order: `[B, any]` → `[B, length]` int32, right-padded with 0."""
    known = tf.cast(rows > 0, tf.int32)
    position = tf.cumsum(known, axis=1) - 1  # [B, any] among the known ones
    count = tf.reduce_sum(known, axis=1, keepdims=True)  # [B, 1]
    slot = position - tf.maximum(count - length, 0)
    kept = tf.where((rows > 0) & (slot >= 0))  # [n, 2] batch, position in rows
    target = tf.stack([kept[:, 0], tf.cast(tf.gather_nd(slot, kept), tf.int64)], axis=1)  # [n, 2] batch, slot
    shape = tf.stack([tf.shape(rows, tf.int64)[0], length])
    return tf.ensure_shape(tf.scatter_nd(target, tf.gather_nd(rows, kept), shape), [None, length])


def export(
    model: Model,
    catalogue: Catalogue,
    path: str | Path,
    max_top_n: int = MAX_TOP_N,
    exclude_history: bool = False,
    card: dict[str, Any] | None = None,
    score_bytes: int = SCORE_BYTES,
) -> Path:
    """Save the next version under the folder `path`, whole or not at all, and return its folder.

    Args:
      max_top_n: items returned for each history, cut to what the catalogue can always give.
      exclude_history: never return the known items that the model reads (the last `model.max_history` of them).
      card: what the model card is to say besides the signature and the data (step, metrics, …).
      score_bytes: bound on the scores a request holds at a time.

    Raises:
      InputError: model and catalogue do not belong together, an item's id is empty, the catalogue is too small, or
        the item table is not finite.
    """
    rows = int(model.item_table.shape[0])
    if rows != catalogue.num_items + 1:
        raise InputError(f"the model has {rows - 1} items, the dataset {catalogue.name} has {catalogue.num_items}")
    if catalogue.vocabulary.rows([""])[0]:
        raise InputError(f"an item of the dataset {catalogue.name} has the empty id, which stands for padding here")
    if max_top_n < 1:
        raise InputError(f"--max_top_n {max_top_n}: give a positive whole number")
    top_n = min(max_top_n, catalogue.num_items - (model.max_history if exclude_history else 0))
    if top_n < 1:
        raise InputError(
            f"--exclude_history: a catalogue of {catalogue.num_items} items has nothing left to recommend after a "
            f"history of {model.max_history}"
        )
    if not np.isfinite(model.item_table.numpy()).all():
        raise InputError("the item table holds NaN or infinite numbers; the run has diverged and is not exported")
    path = Path(path)
    version = max(_versions(path), default=0) + 1
    content = {
        "signature": SIGNATURE,
        "max_top_n": top_n,
        "max_history": model.max_history,
        "exclude_history": exclude_history,
        "dataset": {"name": catalogue.name, "fingerprint": catalogue.fingerprint, "num_items": catalogue.num_items},
        **(card or {}),
        "versions": versions(),
    }
    with tempfile.TemporaryDirectory() as anywhere, atomic_folder(path / str(version), SAVED_MODEL) as folder:
        # The tables are named after their file's path: a copy keeps the name unique and the dataset's path private.
        vocabulary = Path(shutil.copy(catalogue.path / ITEMS, anywhere))
        module = Recommender(model, vocabulary, top_n, exclude_history, score_bytes)
        tf.saved_model.save(module, str(folder), signatures={"serving_default": module.serve})
        write_json(folder / CARD, content)
    return path / str(version)


def export_run(run: Any, path: Path, max_top_n: int = MAX_TOP_N, exclude_history: bool = False) -> Path:
    """`export` a run, with its settings, step and (if evaluate.py was run for this step) metrics in the card."""
    evaluated = run.path / "evaluation_test.json"
    evaluation = json.loads(evaluated.read_text(encoding="utf-8")) if evaluated.is_file() else {}
    same_question = evaluation.get("step") == run.step and evaluation.get("exclude_history") == exclude_history
    card = {**_origin(run), "test_metrics": evaluation["metrics"] if same_question else None}
    return export(run.model, run.catalogue, path, max_top_n, exclude_history, card)


def _origin(run: Any) -> dict[str, Any]:
    """What tells one export from another: the settings and the step of the weights."""
    return {"step": run.step, "settings": run.settings.to_json()}


class Exported:
    """The latest version of an export folder, loaded with TensorFlow alone."""

    def __init__(self, path: str | Path):
        """Raises InputError if the folder holds no version."""
        found = [version for version in _versions(Path(path)) if (Path(path) / str(version) / CARD).is_file()]
        if not found:
            raise InputError(f"{path}: no exported model here; make one with python export.py --run_dir RUN")
        self.path = Path(path) / str(max(found))
        self.card: dict[str, Any] = json.loads((self.path / CARD).read_text(encoding="utf-8"))
        self._module = tf.saved_model.load(str(self.path))  # holds the weights of the signature
        self._signature = self._module.signatures["serving_default"]

    def recommend(self, history: list[str], top_n: int) -> tuple[list[str], list[float], int]:
        """Raw ids and scores of the best items for one history (oldest first), and how many of its ids were known.

        Raises:
          InputError: `top_n` is not in 1..max_top_n of the export.
        """
        if not 1 <= top_n <= self.card["max_top_n"]:
            raise InputError(
                f"--top_n {top_n}: {self.path} returns 1 to {self.card['max_top_n']} items; export again with a "
                "higher --max_top_n (at most the catalogue)"
            )
        result = self._signature(history=tf.constant([history], tf.string, [1, len(history)]))
        items = [item.decode() for item in result["items"][0, :top_n].numpy()]
        return items, result["scores"][0, :top_n].numpy().tolist(), int(result["known_items"][0])


def _versions(path: Path) -> list[int]:
    return [int(folder.name) for folder in path.iterdir() if folder.name.isdigit()] if path.is_dir() else []


def parse_history(values: list[str]) -> list[str]:
    """Raw ids, oldest first, of the --history flags: "a,b,c" once, or once for each id, or a JSON list.

    Raises:
      InputError: something in square brackets is not a JSON list of ids.
    """
    history: list[str] = []
    for value in values:
        if value.startswith("["):
            try:
                ids = json.loads(value)
            except ValueError as error:
                raise InputError(f"--history {value}: not a JSON list ({error})") from error
            if not all(isinstance(raw_id, str | int) and not isinstance(raw_id, bool) for raw_id in ids):
                raise InputError(f"--history {value}: the list may hold strings and whole numbers only")
            history.extend(map(str, ids))
        else:
            history.extend(map(str.strip, value.split(",")) if len(values) == 1 else [value])
    return [raw_id for raw_id in history if raw_id]


def main(argv: list[str]) -> int:
    """export.py: save the next version of a run's model.

    Raises:
      InputError: a flag cannot be used, or there is no run.
    """
    from remi_tf.cli import Parser

    parser = Parser(description="Export a run's best checkpoint as a SavedModel for TensorFlow Serving.")
    _add_run_flags(parser)
    parser.add_argument("--max_top_n", type=int, default=MAX_TOP_N, help=f"items returned (default: {MAX_TOP_N})")
    parser.add_argument("--exclude_history", action="store_true", help="never return what the model has read")
    flags = parser.parse_args(argv)
    path = export_run(_load_run(flags), flags.export_dir, flags.max_top_n, flags.exclude_history)
    print(f"exported to {path}")
    return 0


def recommend_main(argv: list[str]) -> int:
    """recommend.py: print what the exported model returns for one history.

    Raises:
      InputError: a flag cannot be used, or there is no run.
    """
    from remi_tf.cli import Parser

    parser = Parser(
        description="Recommend for a history of raw item ids, by the exported model (exported first if need be).",
        epilog='Ids that hold commas: give --history once for each id, or as a JSON list: --history \'["a,b", "c"]\'.',
    )
    _add_run_flags(parser)
    parser.add_argument("--history", action="append", required=True, help='raw item ids, oldest first: "a,b,c"')
    parser.add_argument("--top_n", type=int, default=10, help="items to print (default: 10)")
    flags = parser.parse_args(argv)
    history = parse_history(flags.history)
    run = _load_run(flags)
    if not _versions(flags.export_dir):
        print(f"nothing exported yet: exporting to {export_run(run, flags.export_dir, max(MAX_TOP_N, flags.top_n))}")
    exported = Exported(flags.export_dir)
    if any(exported.card.get(name) != value for name, value in _origin(run).items()):
        print(f"note: {exported.path} holds other weights than the run's best (step {run.step}); export.py renews it")
    items, scores, known = exported.recommend(history, flags.top_n)
    rows = run.catalogue.vocabulary.rows(history)
    if unknown := [raw_id for raw_id, row in zip(history, rows, strict=True) if row == 0]:
        print(f"not in the catalogue and ignored: {', '.join(map(repr, unknown))}")
    if known == 0:
        print("no item of the history is known: these are the most popular items")
    titles = run.catalogue.titles
    of_items = [titles[row - 1] if titles and row else "" for row in run.catalogue.vocabulary.rows(items)]
    width = max(7, *map(len, items))
    print(f"{'rank':>4}  {'item_id':<{width}}  {'score':>8}  {'title' if titles else ''}".rstrip())
    for rank, (item, score, title) in enumerate(zip(items, scores, of_items, strict=True), start=1):
        print(f"{rank:>4}  {item:<{width}}  {score:>8.4f}  {title}".rstrip())
    return 0


def _add_run_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--run_dir", type=Path, required=True, help="the folder train.py wrote")
    parser.add_argument("--export_dir", type=Path, help="folder of the versions (default: RUN_DIR/export)")


def _load_run(flags: argparse.Namespace) -> Any:
    """The run of --run_dir; sets the default of --export_dir."""
    if not flags.run_dir.is_dir():
        raise InputError(f"--run_dir {flags.run_dir}: there is no such folder; train.py writes one")
    flags.export_dir = flags.export_dir or flags.run_dir / "export"
    from remi_tf.run import load_run

    return load_run(flags.run_dir)
