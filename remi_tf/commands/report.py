"""The command report: a page about a run, or about two runs next to each other."""

import argparse
import sys
from pathlib import Path

from remi_tf.commands.cli import Parser, add_exclude_history, add_run_dir, refuse_missing_run, verification
from remi_tf.commands.compare import one_dataset, one_way, read_configs
from remi_tf.errors import InputError
from remi_tf.files import refuse_file
from remi_tf.quiet_loading import load_tensorflow

AGAINST = "--against"
MOST_USERS = 50
"""Shown at random. A user takes some 40 kB of the page where there is a heat map."""
ENDINGS = (".html", ".htm")


def main(argv: list[str]) -> int:
    """Write the page and, if asked, the item vectors for TensorBoard's projector.

    Raises:
      InputError: a flag cannot be used, there is no run, two runs are of different data, or something is there already.
    """
    flags = _parse(argv)
    load_tensorflow()
    from remi_tf.report.gather import Asked
    from remi_tf.report.write import write_report

    paths = [flags.run_dir, *([flags.against] if flags.against else [])]
    configs = read_configs(paths)
    one_dataset(configs, AGAINST)
    exclude_history = one_way(configs, flags.exclude_history, AGAINST)
    verify = verification(flags.no_verify)
    if flags.projector:
        _write_projector(flags, verify)
    asked = Asked(flags.split, exclude_history, flags.users, flags.seed)
    write_report(paths, flags.output, asked, flags.overwrite, progress=True, **verify)
    print(f"written to {flags.output}", file=sys.stderr)
    return 0


def _write_projector(flags: argparse.Namespace, verify: dict[str, bool]) -> None:
    """Write the vectors for TensorBoard. The model is not kept: the page loads it again."""
    from remi_tf.report.projector import write_projector
    from remi_tf.training.run_folder import load_saved_run

    run = load_saved_run(flags.run_dir, **verify)
    (folder, number), items = write_projector(run, flags.overwrite), run.catalogue.num_items
    which = f"the {number:,} most popular of {items:,}" if number < items else f"{number:,}"
    print(f"vectors of {which} items written to {folder}: tensorboard --logdir {flags.run_dir}")


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = Parser(description="Write one HTML page about a run: curves, metrics, interests, users, bias.")
    add_run_dir(parser)
    parser.add_argument(AGAINST, type=Path, metavar="RUN_B", help="show this run too, and test the difference")
    parser.add_argument("--output", type=Path, metavar="FILE.html", help="the page (default: RUN_DIR/report.html)")
    parser.add_argument("--split", choices=("valid", "test"), default="test", help="users to evaluate (default: test)")
    parser.add_argument(
        "--users", type=int, default=4, metavar="N", help=f"users to show at random, at most {MOST_USERS} (default: 4)"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="what draws the users (default: 0)")
    add_exclude_history(parser)
    parser.add_argument(
        "--projector",
        action="store_true",
        help="also write the vectors of the 100,000 most popular items to RUN_DIR/tensorboard/projector",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace what is there (default: refuse)")
    flags = parser.parse_args(argv)
    _check(flags)
    return flags


def _check(flags: argparse.Namespace) -> None:
    """Refuse what cannot be used, before TensorFlow is loaded; fill in the default of --output."""
    refuse_missing_run(flags.run_dir)
    if flags.against is not None:
        refuse_missing_run(flags.against, AGAINST)
        if flags.against.resolve() == flags.run_dir.resolve():
            raise InputError(f"{AGAINST} {flags.against}: the same run as --run_dir; name another one, or leave it out")
    for name in ("users", "seed"):
        if getattr(flags, name) < 0:
            raise InputError(f"--{name} {getattr(flags, name)}: give a whole number of 0 or more")
    if flags.users > MOST_USERS:
        size = f"each takes some 40 kB, so the page would have {flags.users * 0.04:,.0f} MB"
        raise InputError(f"--users {flags.users}: give {MOST_USERS} or less; {size}")
    if flags.output is None:
        flags.output = flags.run_dir / "report.html"
    if flags.output.suffix.lower() not in ENDINGS:
        raise InputError(f"--output {flags.output}: it is written as HTML; name a file such as report.html")
    refuse_file("--output", flags.output, flags.overwrite)
