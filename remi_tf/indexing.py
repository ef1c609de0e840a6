"""index.py: a Faiss index of a run's items, built, measured and stored so that a wrong one cannot be used.

index.faiss   the index; position i is row i + 1
items.txt     raw id of row 1, 2, …
index.json    kind and effort, SHA-256 of the vectors it was built from, the run's step and dataset, recall against
              exact search, checksums of the files
"""

import argparse
import hashlib
import json
import shutil
import time
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from remi_tf.data.interactions import ITEMS, Interactions
from remi_tf.doctor import versions
from remi_tf.errors import InputError
from remi_tf.evaluation import features, histories
from remi_tf.files import atomic_file, atomic_folder, refuse_existing, refuse_file, sha256, write_json
from remi_tf.retrieval.index import EFFORTS, KINDS, ItemIndex, choose_kind, size_bytes
from remi_tf.retrieval.top_k import Model, top_k

FORMAT_VERSION = 1
MANIFEST, FAISS = "index.json", "index.faiss"
MEMORY_MB, TOP_N, MIN_RECALL = 4096, 50, 0.97
MEASURED_USERS, BATCH = 1000, 100
BUILDING = ("kind", "effort", "memory_mb", "top_n", "min_recall", "split", "force")
"""The flags of index.py that are arguments of `build_index`."""


def build_index(
    run: Any,
    path: Path,
    *,
    kind: str | None = None,
    effort: int | None = None,
    memory_mb: int = MEMORY_MB,
    top_n: int = TOP_N,
    min_recall: float = MIN_RECALL,
    split: str = "valid",
    force: bool = False,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Build an index of `run`'s items, measure it and store it in the folder `path`.

    Args:
      kind: one of KINDS; None chooses by the number of items and `memory_mb`.
      effort: what a search looks at; None takes the least of EFFORTS that reaches `min_recall`.
      top_n, split: recall@top_n is measured on the histories of that split's first users.
      force: store it whatever its recall is.
      overwrite: in place of an index there.

    Returns:
      What index.json holds.

    Raises:
      InputError: the recall is too low, the item vectors are not finite, the dataset to measure it on is gone or has no
        histories, the memory is too small, or `path` holds something that may not be replaced.
    """
    refuse_existing(path, MANIFEST, overwrite)
    vectors = finite_vectors(run)
    num_items, dim = len(vectors) - 1, vectors.shape[1]
    kind = kind or choose_kind(num_items, dim, memory_mb << 20)
    top_n = min(top_n, num_items)
    users = _user_interests(run.model, run.dataset.split(split))
    exact = np.concatenate([top_k(batch, vectors, top_n)[0].numpy() for batch in users])  # [users, top_n]
    index = ItemIndex.build(vectors, kind)
    for attempt in EFFORTS[kind] if effort is None else (effort,):
        index.effort = attempt
        start = time.perf_counter()
        found = np.concatenate([index.search(batch, top_n)[0] for batch in users])
        seconds = time.perf_counter() - start
        recall = float(np.mean([len(np.intersect1d(*ids)) / top_n for ids in zip(found, exact, strict=True)]))
        if recall >= min_recall:
            break
    if recall < min_recall and not force:
        raise InputError(
            f"recall@{top_n} of the {kind} index is {recall:.3f} at effort {index.effort}, below --min_recall "
            f"{min_recall}; take a larger --effort, another --kind or more --memory_mb, or keep it with --force"
        )
    manifest = {
        "format_version": FORMAT_VERSION,
        "kind": kind,
        "effort": index.effort,
        "num_items": num_items,
        "dim": dim,
        "scores": "cosine" if run.model.by_cosine else "inner product",
        "about_bytes": size_bytes(kind, num_items, dim),
        "recall": {
            "at": top_n,
            "value": recall,
            "min_recall": min_recall,
            "split": split,
            "users": len(found),
            "ms_a_user": round(1000 * seconds / len(found), 4),
        },
        "step": run.step,
        "dataset": {"name": run.catalogue.name, "fingerprint": run.catalogue.fingerprint},
        "vectors_sha256": _fingerprint(vectors),
        "versions": versions(),
    }
    with atomic_folder(path, MANIFEST, overwrite) as folder:
        faiss.write_index(index.faiss_index, str(folder / FAISS))
        shutil.copyfile(run.catalogue.path / ITEMS, folder / ITEMS)
        manifest["files"] = {name: sha256(folder / name) for name in (FAISS, ITEMS)}
        write_json(folder / MANIFEST, manifest)
    return manifest


def refresh_index(run: Any, path: Path) -> dict[str, Any]:
    """`build_index` as the index in the folder `path` was asked for (kind, recall); with the defaults if none is there.

    Raises:
      InputError: as `build_index`.
    """
    if not (path / MANIFEST).is_file():
        return build_index(run, path)
    try:
        asked = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        recall = asked["recall"]
        options = {
            "kind": asked["kind"],
            "top_n": recall["at"],
            "min_recall": recall["min_recall"],
            "split": recall["split"],
        }
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path / MANIFEST}: damaged ({error!r}); {_again(run)}") from error
    return build_index(run, path, overwrite=True, **options)


def open_index(path: Path, run: Any) -> ItemIndex:
    """The index in the folder `path`, if it is whole and holds the items of `run` with its weights.

    Raises:
      InputError: there is none, it is damaged, or it belongs to another run, other weights or another catalogue.
    """
    again = _again(run)
    if not (path / MANIFEST).is_file():
        raise InputError(f"--index {path}: no index here ({MANIFEST} is missing); {again}")
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        files = {name: manifest["files"][name] for name in (FAISS, ITEMS)}
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path / MANIFEST}: damaged ({error!r}); {again}") from error
    if manifest.get("format_version") != FORMAT_VERSION:
        raise InputError(f"{path / MANIFEST}: format version {manifest.get('format_version')!r}; {again}")
    for name, checksum in files.items():
        if not (path / name).is_file() or sha256(path / name) != checksum:
            raise InputError(f"{path / name}: missing or not as index.py wrote it; {again}")
    if manifest["dataset"]["fingerprint"] != run.catalogue.fingerprint:
        raise InputError(
            f"--index {path}: built for the dataset {manifest['dataset']['name']} "
            f"({manifest['dataset']['fingerprint'][:12]}), the run {run.path} has {run.catalogue.name} "
            f"({run.catalogue.fingerprint[:12]}); {again}"
        )
    vectors = finite_vectors(run)
    if manifest["vectors_sha256"] != _fingerprint(vectors):
        raise InputError(
            f"--index {path}: built from other weights (step {manifest['step']}) than those of {run.path} "
            f"(step {run.step}); {again}"
        )
    return ItemIndex(faiss.read_index(str(path / FAISS)), manifest["kind"], vectors, manifest["effort"])


def write_parquet(run: Any, path: Path) -> None:
    """Item vectors for other engines: columns item (raw id), row, vector (list of float32) and title where known.

    Raises:
      InputError: a vector is not finite.
    """
    import pyarrow as pa
    from pyarrow import parquet

    vectors = finite_vectors(run)
    flat = pa.array(vectors[1:].ravel())
    columns = {
        "item": pa.array(run.catalogue.vocabulary.raw_ids(range(1, len(vectors))), pa.string()),
        "row": pa.array(np.arange(1, len(vectors), dtype=np.int32)),
        "vector": pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1]),
    }
    if run.catalogue.titles:
        columns["title"] = pa.array(run.catalogue.titles, pa.string())
    about = {"scores": "cosine" if run.model.by_cosine else "inner product", "step": str(run.step)}
    with atomic_file(path, "wb") as file:
        parquet.write_table(pa.table(columns).replace_schema_metadata(about), file)


def finite_vectors(run: Any) -> np.ndarray:
    """[I + 1, d] float32 what the interests of `run`'s model are scored with.

    Raises:
      InputError: one of them is NaN or infinite.
    """
    vectors = np.ascontiguousarray(run.model.item_vectors().numpy(), np.float32)
    if not np.isfinite(vectors).all():
        raise InputError(f"{run.path}: an item vector is NaN or infinite; the run has diverged and is not indexed")
    return vectors


def _user_interests(model: Model, users: Interactions) -> list[np.ndarray]:
    """Batches [BATCH, K, d] of the interests of the first users that have a history."""
    chosen = np.flatnonzero(np.asarray(users.cuts) > 0)[:MEASURED_USERS]
    if not len(chosen):
        raise InputError("no user of the split has a history to measure the recall on; take another --split")
    return [
        model.interests(
            histories(users, batch, model.max_history), **features(users, batch, model.max_history, model.needs)
        ).numpy()
        for batch in np.array_split(chosen, -(-len(chosen) // BATCH))
    ]


def _fingerprint(vectors: np.ndarray) -> str:
    return hashlib.sha256(vectors.data).hexdigest()


def _again(run: Any) -> str:
    return f"build it again with python index.py --run_dir {run.path} --overwrite"


def _parse(argv: list[str]) -> argparse.Namespace:
    from remi_tf.cli import Parser

    parser = Parser(description="Build a Faiss index of a run's items, measured against exact search.")
    parser.add_argument("--run_dir", type=Path, required=True, help="the folder train.py wrote")
    index = parser.add_argument_group("the index", argument_default=argparse.SUPPRESS)
    index.add_argument("--index", type=Path, metavar="DIR", help="where the index goes (default: RUN_DIR/index)")
    index.add_argument("--kind", choices=KINDS, help="default: by the number of items and --memory_mb")
    index.add_argument("--memory_mb", type=int, help=f"memory the index may take (default: {MEMORY_MB})")
    index.add_argument(
        "--effort", type=int, help="candidates (hnsw) or cells (ivf) a search looks at (default: as many as it takes)"
    )
    index.add_argument("--top_n", type=int, help=f"items the recall is measured on (default: {TOP_N})")
    index.add_argument("--min_recall", type=float, help=f"refuse an index below it (default: {MIN_RECALL})")
    index.add_argument("--split", choices=("valid", "test"), help="users of the recall (valid)")
    index.add_argument("--force", action="store_true", help="store the index whatever its recall is")
    parser.add_argument(
        "--parquet", type=Path, metavar="FILE", help="write item vectors and raw ids to FILE instead of an index"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace what is there (default: refuse)")
    flags = parser.parse_args(argv)
    if not flags.run_dir.is_dir():
        raise InputError(f"--run_dir {flags.run_dir}: there is no such folder; train.py writes one")
    for name in ("memory_mb", "effort", "top_n"):
        if getattr(flags, name, 1) < 1:
            raise InputError(f"--{name} {getattr(flags, name)}: give a positive whole number")
    if not 0 <= getattr(flags, "min_recall", 1) <= 1:
        raise InputError(f"--min_recall {flags.min_recall}: give a number from 0 to 1")
    if "kind" in flags and "memory_mb" in flags:
        raise InputError(f"--memory_mb: it chooses the kind, which --kind {flags.kind} gives; leave one of them out")
    if flags.parquet is not None:
        if given := [name for name in ("index", *BUILDING) if name in flags]:
            raise InputError(f"--{given[0]}: it is about an index, and --parquet writes none; leave one of them out")
        refuse_file("--parquet", flags.parquet, flags.overwrite)
    return flags


def main(argv: list[str]) -> int:
    """index.py: build, measure and store the index, or write the Parquet file.

    Raises:
      InputError: as `build_index`, or a flag cannot be used.
    """
    flags = _parse(argv)
    from remi_tf.run import load_run

    run = load_run(flags.run_dir)
    if flags.parquet is not None:
        write_parquet(run, flags.parquet)
        print(f"{run.catalogue.num_items:,} item vectors written to {flags.parquet}")
        return 0
    path = getattr(flags, "index", flags.run_dir / "index")
    options = {name: getattr(flags, name) for name in BUILDING if name in flags}
    print(summary(build_index(run, path, overwrite=flags.overwrite, **options)))
    print(f"stored in {path}")
    return 0


def summary(manifest: dict[str, Any]) -> str:
    """What was built, in a line."""
    recall = manifest["recall"]
    return (
        f"{manifest['kind']} index of {manifest['num_items']:,} items, effort {manifest['effort']}, about "
        f"{manifest['about_bytes'] / 1e6:.1f} MB: recall@{recall['at']} {recall['value']:.4f} against exact search, "
        f"{recall['ms_a_user']:.2f} ms a user ({recall['users']} users of {recall['split']})"
    )
