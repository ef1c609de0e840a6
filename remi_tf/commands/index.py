"""The command index: a Faiss index of a run's items."""

import argparse
from pathlib import Path

from remi_tf.commands.cli import Parser, add_run_dir, refuse_missing_run, verification
from remi_tf.commands.item_changes import add_item_changes, changed
from remi_tf.errors import InputError, command
from remi_tf.quiet_loading import load_tensorflow
from remi_tf.retrieval.index_kinds import KINDS, MEMORY_MB, MIN_RECALL, RECALL_AT

BUILDING = ("kind", "effort", "memory_mb", "top_n", "min_recall", "split", "force")
"""The flags that are arguments of `build_index`."""


def main(argv: list[str]) -> int:
    """Build, measure and store the index.

    Raises:
      InputError: as `build_index`, or a flag cannot be used.
    """
    flags = _parse(argv)
    load_tensorflow()
    from remi_tf.recommending.index_folder import build_index, summary
    from remi_tf.training.run_folder import load_saved_run

    run = changed(load_saved_run(flags.run_dir, **verification(flags.no_verify)), flags)
    path = getattr(flags, "index", flags.run_dir / "index")
    options = {name: getattr(flags, name) for name in BUILDING if name in flags}
    print(summary(build_index(run, path, overwrite=flags.overwrite, **options)))
    print(f"stored in {path}")
    return 0


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = Parser(description="Build a Faiss index of a run's items, measured against exact search.")
    add_run_dir(parser)
    index = parser.add_argument_group("the index", argument_default=argparse.SUPPRESS)
    index.add_argument("--index", type=Path, metavar="DIR", help="where the index goes (default: RUN_DIR/index)")
    index.add_argument("--kind", choices=KINDS, help="default: by the number of items and --memory_mb")
    index.add_argument("--memory_mb", type=int, help=f"memory the index may take, in MiB (default: {MEMORY_MB})")
    index.add_argument(
        "--effort", type=int, help="candidates (hnsw) or cells (ivf) to look at (default: enough for --min_recall)"
    )
    index.add_argument("--top_n", type=int, help=f"items the recall is measured on (default: {RECALL_AT})")
    index.add_argument("--min_recall", type=float, help=f"refuse an index below it (default: {MIN_RECALL})")
    index.add_argument("--split", choices=("valid", "test"), help="users to measure the recall on (default: valid)")
    index.add_argument("--force", action="store_true", help="store the index even if its recall is too low")
    parser.add_argument("--parquet", help=argparse.SUPPRESS)
    add_item_changes(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace what is there (default: refuse)")
    flags = parser.parse_args(argv)
    if flags.parquet is not None:
        instead = command("vectors", "--run_dir", flags.run_dir, "--output", "DIR")
        raise InputError(f"--parquet: vectors for other engines have a command of their own now: {instead}")
    refuse_missing_run(flags.run_dir)
    for name in ("memory_mb", "effort", "top_n"):
        if getattr(flags, name, 1) < 1:
            raise InputError(f"--{name} {getattr(flags, name)}: give a positive whole number")
    if not 0 <= getattr(flags, "min_recall", 1) <= 1:
        raise InputError(f"--min_recall {flags.min_recall}: give a number from 0 to 1")
    if "kind" in flags and "memory_mb" in flags:
        raise InputError(f"--memory_mb: it chooses the kind, which --kind {flags.kind} gives; leave one of them out")
    return flags
