"""The command vectors: the vectors of a run's items and, of a whole log, its users' interests."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from remi_tf.commands.cli import Parser, add_run_dir, refuse_missing_run, verification
from remi_tf.commands.item_changes import add_item_changes, changed
from remi_tf.commands.log_flags import (
    READING,
    add_log_flags,
    check_log_flags,
    counts_of_log,
    log_files,
    log_notes,
    refuse_given,
)
from remi_tf.errors import InputError
from remi_tf.files import refuse_existing
from remi_tf.quiet_loading import load_tensorflow
from remi_tf.recommending.vector_files import FORMS, MANIFEST

if TYPE_CHECKING:
    from remi_tf.training.run_folder import SavedRun


def main(argv: list[str]) -> int:
    """Write the vectors and say what they are.

    Raises:
      InputError: a flag cannot be used, there is no run, or as `write_vectors`.
    """
    flags = _parse(argv)
    load_tensorflow()
    from remi_tf.recommending.index_folder import refuse_counted
    from remi_tf.recommending.known import Known
    from remi_tf.recommending.recommender import Recommender
    from remi_tf.recommending.vectors import write_vectors
    from remi_tf.training.run_folder import load_saved_run

    run = load_saved_run(flags.run_dir, **verification(flags.no_verify))
    refuse_counted(run)  # before anything else is said
    recommender, known = Recommender(changed(run, flags)), Known()
    log = None if flags.input is None else log_files(flags)
    if log is not None:
        for note in log_notes(recommender, flags.time_col):
            print(note)
    counts = write_vectors(recommender, flags.output, log, form=flags.form, known=known, overwrite=flags.overwrite)
    if log is not None:
        print(*counts_of_log(log, known, recommender), sep="\n")
        if left_out := known.users - counts["users"]:
            print(f"{left_out:,} users without a known item have no interests and are left out")
    users = "" if log is None else f" and the interests of {counts['users']:,} users"
    print(about_scores(run))
    print(f"vectors of {counts['items']:,} items{users} written to {flags.output}")
    return 0


def about_scores(run: "SavedRun") -> str:
    """What to compute with the vectors."""
    cosine = "; all vectors have length 1, so they are cosines" if run.model.by_cosine else ""
    boost = (
        "\nNote: the run has a boost of counted neighbours (--boost counted). It is not in the vectors, so lists that "
        "are made of them lack it"
    )
    text = f"an item's score is its largest inner product with one of the user's interests{cosine}"
    return text + (boost if getattr(run.model, "boost", None) is not None else "")


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = Parser(
        description="Write the vectors of a run's items and, with --input, the interests of every user of a log, for "
        "other engines. An item's score is its largest inner product with an interest of the user.",
    )
    add_run_dir(parser)
    parser.add_argument("--output", type=Path, metavar="DIR", required=True, help="the folder that gets the files")
    parser.add_argument(
        "--form",
        choices=FORMS,
        default="parquet",
        help="parquet: items.parquet, users.parquet; npy: items.npy [I, d], interests.npy [U, K, d], and items.txt and "
        "users.txt with the raw id of each row (default: parquet)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace such a folder (default: refuse)")
    add_log_flags(parser.add_argument_group("the users of a log (default: only items)"))
    add_item_changes(parser)
    flags = parser.parse_args(argv)
    refuse_missing_run(flags.run_dir)
    if flags.input is None:
        refuse_given(flags, READING, "--input")
    check_log_flags(flags)
    refuse_existing(flags.output, MANIFEST, flags.overwrite)
    for path in flags.input or ():
        if Path(path).resolve().is_relative_to(flags.output.resolve()):
            raise InputError(f"--output {flags.output}: the input {path} lies in it; name another folder")
    return flags
