"""The index folder: a Faiss index of a run's items, measured, and stored so that a wrong one is noticed.

index.faiss   the index
items.txt     raw id of position 0, 1, …: the items in the order of their rows, without those that are removed
index.json    the manifest: kind and effort, SHA-256 of the vectors it was built from, the run's step and dataset,
              recall against exact search, sizes and checksums of the files
"""

import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from remi_tf.counted.base import CountedModel
from remi_tf.data.dataset.catalogue import ITEMS
from remi_tf.data.dataset.interactions import Interactions
from remi_tf.data.dataset.views import features, histories
from remi_tf.doctor import versions
from remi_tf.errors import InputError, command
from remi_tf.files import atomic_folder
from remi_tf.flat_files import write_lines
from remi_tf.manifests import describe, read_manifest, read_object, write_manifest
from remi_tf.manifests import verify as verify_files
from remi_tf.model import Encodes
from remi_tf.retrieval.faiss_index import ItemIndex
from remi_tf.retrieval.index_kinds import EFFORTS, KINDS, MEMORY_MB, MIN_RECALL, RECALL_AT, choose_kind, size_bytes
from remi_tf.retrieval.top_k import top_k
from remi_tf.training.run_folder import SavedRun

KIND, FORMAT_VERSION = "index", 2
MANIFEST, FAISS = "index.json", "index.faiss"
MEASURED_USERS, BATCH = 1000, 100


def build_index(
    run: SavedRun,
    path: Path,
    *,
    kind: str | None = None,
    effort: int | None = None,
    memory_mb: int = MEMORY_MB,
    top_n: int = RECALL_AT,
    min_recall: float = MIN_RECALL,
    split: str = "valid",
    force: bool = False,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Build an index of `run`'s items, measure it and store it in the folder `path`.

    Args:
      kind: one of KINDS; None chooses by the number of items and `memory_mb`.
      effort: how much a search looks at; None takes the smallest of EFFORTS that reaches `min_recall`.
      top_n, split: recall@top_n is measured on the histories of that split's first users.
      force: store it even if its recall is too low.
      overwrite: replace an existing index.

    Returns:
      What index.json holds.

    Raises:
      InputError: the recall is too low, the item vectors are not finite, the dataset to measure it on is gone or has no
        histories, the memory is too small, or `path` holds something that may not be replaced.
    """
    with atomic_folder(path, MANIFEST, overwrite) as folder:
        vectors, removed = finite_vectors(run), run.catalogue.removed
        num_items, dim = len(vectors) - 1 - len(removed), vectors.shape[1]
        kind = kind or choose_kind(num_items, dim, memory_mb << 20)
        users = _user_interests(run.model, run.dataset.split(split))
        index = ItemIndex.build(vectors, kind, removed)
        efforts = EFFORTS[kind] if effort is None else (effort,)
        measured = _least_effort(index, efforts, users, min(top_n, num_items), min_recall)
        if measured["value"] < min_recall and not force:
            raise InputError(
                f"recall@{measured['at']} of the {kind} index is {measured['value']:.3f} at effort {index.effort}, "
                f"below --min_recall {min_recall}; take a larger --effort, another --kind or more --memory_mb, or keep "
                "it with --force"
            )
        _write_index(index, folder / FAISS)
        write_lines(folder / ITEMS, run.catalogue.vocabulary.raw_ids(index.rows.tolist()))
        about = {
            "index_kind": kind,
            "effort": index.effort,
            "num_items": num_items,
            "dim": dim,
            "scores": "cosine" if run.model.by_cosine else "inner product",
            "about_bytes": size_bytes(kind, num_items, dim),
            "recall": {**measured, "min_recall": min_recall, "split": split},
            "step": run.step,
            "dataset": {"name": run.catalogue.name, "fingerprint": run.catalogue.fingerprint},
            "vectors_sha256": _fingerprint(vectors, removed),
            "versions": versions(),
        }
        write_manifest(folder / MANIFEST, KIND, FORMAT_VERSION, describe(folder, (FAISS, ITEMS)), **about)
        return read_manifest(folder / MANIFEST, KIND, FORMAT_VERSION, "")


def _write_index(index: ItemIndex, path: Path) -> None:
    """Through Python's files: Faiss's own say nothing if the disk is full when they are closed."""
    write_through: Any = faiss.PyCallbackIOWriter  # type: ignore[attr-defined]
    with open(path, "wb") as file:
        faiss.write_index(index.faiss_index, write_through(file.write, 1 << 20))


def _least_effort(
    index: ItemIndex, efforts: Sequence[int], users: Sequence[np.ndarray], top_n: int, min_recall: float
) -> dict[str, Any]:
    """Set the index's effort to the first of `efforts` that reaches `min_recall`, else to the last.

    Args:
      users: batches [B, K, d] of interests.

    Returns:
      at, value: recall@at against exact search; users: how many; ms_a_user.
    """
    kept = np.concatenate([index.vectors[:1], index.vectors[index.rows]])
    positions = [top_k(batch, kept, top_n)[0].numpy() for batch in users]
    exact = np.concatenate([[0], index.rows])[np.concatenate(positions)]  # [users, top_n]
    for effort in efforts:
        index.effort = effort
        start = time.perf_counter()
        found = np.concatenate([index.search(batch, top_n)[0] for batch in users])
        seconds = time.perf_counter() - start
        recall = float(np.mean([len(np.intersect1d(*ids)) / top_n for ids in zip(found, exact, strict=True)]))
        if recall >= min_recall:
            break
    return {"at": top_n, "value": recall, "users": len(found), "ms_a_user": round(1000 * seconds / len(found), 4)}


def refresh_index(run: SavedRun, path: Path) -> dict[str, Any]:
    """Build the index in the folder `path` again, with its kind and recall; with the defaults if there is none.

    Raises:
      InputError: as `build_index`.
    """
    if not (path / MANIFEST).is_file():
        return build_index(run, path)
    asked = _read_manifest(path, _again(run))
    recall = asked["recall"]
    options = {
        "kind": asked["index_kind"],
        "top_n": recall["at"],
        "min_recall": recall["min_recall"],
        "split": recall["split"],
    }
    return build_index(run, path, overwrite=True, **options)


def _read_manifest(path: Path, again: str) -> dict[str, Any]:
    """index.json of the index in the folder `path`; what version 1 of the format had is read as version 2.

    Raises:
      InputError: it is damaged.
    """
    file = path / MANIFEST
    manifest = read_object(file, again)
    if manifest.get("format_version") == 1:
        listed = manifest.get("files")
        sums = listed if isinstance(listed, dict) else {}
        files = {name: {"sha256": sums.get(name)} for name in (FAISS, ITEMS)}
        manifest = {**manifest, "index_kind": manifest.get("kind"), "files": files}
    else:
        manifest = read_manifest(file, KIND, FORMAT_VERSION, again)
    for key, is_right in _KEYS.items():
        if not is_right(manifest.get(key)):
            raise InputError(f"{file}: damaged ({key!r} is missing or not what index.py writes); {again}")
    return manifest


def _is_recall(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and type(value.get("at")) is int
        and value.get("split") in ("valid", "test")
        and isinstance(value.get("min_recall"), int | float)
    )


_KEYS: dict[str, Callable[[Any], bool]] = {
    "index_kind": lambda value: value in KINDS,
    "effort": lambda value: type(value) is int and value > 0,
    "step": lambda value: type(value) is int,
    "vectors_sha256": lambda value: isinstance(value, str),
    "recall": _is_recall,
    "dataset": lambda value: isinstance(value, dict) and {"name", "fingerprint"} <= value.keys(),
    "files": lambda value: value.keys() >= {FAISS, ITEMS},
}


def open_index(path: Path, run: SavedRun, verify: bool = True) -> ItemIndex:
    """The index in the folder `path`, if it is whole and holds the items of `run` with its weights.

    Args:
      verify: compare the checksums of its files; sizes and vectors are looked at always.

    Raises:
      InputError: there is none, it is damaged, or it belongs to another run, other weights or another catalogue.
    """
    again = _again(run)
    if not (path / MANIFEST).is_file():
        raise InputError(f"--index {path}: no index here ({MANIFEST} is missing); {again}")
    manifest = _read_manifest(path, again)
    verify_files(path, manifest["files"], again, verify)
    if manifest["dataset"]["fingerprint"] != run.catalogue.fingerprint:
        raise InputError(
            f"--index {path}: built for the dataset {manifest['dataset']['name']} "
            f"({manifest['dataset']['fingerprint'][:12]}), the run {run.path} has {run.catalogue.name} "
            f"({run.catalogue.fingerprint[:12]}); {again}"
        )
    vectors = finite_vectors(run)
    removed = run.catalogue.removed
    if manifest["vectors_sha256"] != _fingerprint(vectors, removed):
        raise InputError(
            f"--index {path}: built from other weights (step {manifest['step']}) than those of {run.path} "
            f"(step {run.step}), or with other items added or removed: give the same --add_items and --remove_items, "
            f"or {again}"
        )
    try:
        index = faiss.read_index(str(path / FAISS))
    except RuntimeError as error:  # seen only where checksums are not compared
        raise InputError(f"{path / FAISS}: Faiss cannot read it ({str(error).splitlines()[-1]}); {again}") from error
    if (index.ntotal, index.d) != (len(vectors) - 1 - len(removed), vectors.shape[1]):
        raise InputError(f"{path / FAISS}: holds {index.ntotal} items of {index.d} dimensions, not the run's; {again}")
    return ItemIndex(index, manifest["index_kind"], vectors, manifest["effort"], removed)


def refuse_counted(run: SavedRun) -> None:
    """Refuse a run that has no item vectors.

    Raises:
      InputError: the model scores items without vectors.
    """
    if isinstance(run.model, CountedModel):
        raise InputError(
            f"{run.path}: {run.settings.encoder.model_type} is counted and has no item vectors to search or to write; "
            f"{command('recommend')} and {command('export')} answer exactly without an index"
        )


def finite_vectors(run: SavedRun) -> np.ndarray:
    """[I + 1, d] float32: the item vectors that the interests of `run`'s model are multiplied with.

    Raises:
      InputError: one of them is NaN or infinite, or as `refuse_counted`.
    """
    refuse_counted(run)
    vectors = np.ascontiguousarray(run.model.item_vectors().numpy(), np.float32)
    if not np.isfinite(vectors).all():
        raise InputError(f"{run.path}: an item vector is NaN or infinite; the run has diverged")
    return vectors


def _user_interests(model: Encodes, users: Interactions) -> list[np.ndarray]:
    """Batches [BATCH, K, d] of the interests of the first users that have a history."""
    chosen = np.flatnonzero(np.asarray(users.cuts) > 0)[:MEASURED_USERS]
    if not len(chosen):
        raise InputError("no user of the split has a history to measure the recall on; take another --split")
    return [
        model.encode(
            histories(users, batch, model.max_history), **features(users, batch, model.max_history, model.needs)
        ).vectors.numpy()
        for batch in np.array_split(chosen, -(-len(chosen) // BATCH))
    ]


def _fingerprint(vectors: np.ndarray, removed: np.ndarray) -> str:
    digest = hashlib.sha256(vectors.data)
    digest.update(np.ascontiguousarray(removed, np.int32).data)
    return digest.hexdigest()


def _again(run: SavedRun) -> str:
    return f"build it again with {command('index', '--run_dir', run.path, '--overwrite')}"


def summary(manifest: dict[str, Any]) -> str:
    """What was built, in one line."""
    recall = manifest["recall"]
    return (
        f"{manifest['index_kind']} index of {manifest['num_items']:,} items, effort {manifest['effort']}, about "
        f"{manifest['about_bytes'] / 1e6:.1f} MB: recall@{recall['at']} {recall['value']:.4f} against exact search, "
        f"{recall['ms_a_user']:.2f} ms a user ({recall['users']} users of {recall['split']})"
    )
