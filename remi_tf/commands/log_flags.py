"""The flags of a whole log, of the commands that read one, and what is said about it."""

import argparse
from typing import TYPE_CHECKING, Any

from remi_tf.commands.console import shown
from remi_tf.data.tables.dates import check_format
from remi_tf.data.tables.layouts import QUOTES
from remi_tf.data.tables.units import UNITS
from remi_tf.errors import InputError

if TYPE_CHECKING:
    from remi_tf.recommending.known import Known
    from remi_tf.recommending.log_parts import LogFiles
    from remi_tf.recommending.recommender import Recommender

READING = (
    *("user_col", "item_col", "time_col", "no_header", "time_unit", "time_format"),
    *("keep", "on_bad_row", "quotes", "encoding"),
)
"""The flags that say how --input is read."""


def add_log_flags(group: Any) -> None:
    """--input and the flags of READING; `check_log_flags` and `log_files` read them."""
    group.add_argument("--input", nargs="+", metavar="FILE", help="interactions: CSV, TSV, JSON lines or Parquet")
    group.add_argument("--user_col", help="column of user ids (default: user; with --no_header an index from 0)")
    group.add_argument("--item_col", help="column of item ids (default: item)")
    group.add_argument("--time_col", help="column of times (default: rows are in time order)")
    group.add_argument(
        "--no_header", action="store_true", help="the files have no header line (default: they have one)"
    )
    group.add_argument("--time_unit", choices=UNITS, help="unit of the times (default: auto)")
    group.add_argument("--time_format", metavar="FORM", help="form of text dates, as data/prepare.py's (default: ISO)")
    group.add_argument("--keep", metavar="COL=A,B", help="leave out rows with other values: event=view (default: none)")
    group.add_argument(
        "--on_bad_row", choices=("stop", "skip"), help="at a row that cannot be used: stop, or skip it (default: stop)"
    )
    group.add_argument("--quotes", choices=QUOTES, help="which quotes of a text file enclose a field (default: auto)")
    group.add_argument("--encoding", metavar="NAME", help="encoding of text files (default: utf-8)")


def refuse_given(flags: argparse.Namespace, names: tuple[str, ...], goes_with: str) -> None:
    """Raise InputError if one of the flags `names` was given, without the flag that it goes with."""
    for name in names:
        if getattr(flags, name) not in (None, False):
            raise InputError(f"--{name}: it goes with {goes_with}; leave it out")


def check_log_flags(flags: argparse.Namespace) -> None:
    """Raise InputError for a value that can be refused before anything is loaded."""
    if flags.no_header and (flags.user_col is None or flags.item_col is None):
        raise InputError("--no_header: columns are numbers from 0; give --user_col and --item_col, such as 0 and 1")
    if flags.time_format is not None:
        check_format(flags.time_format)


def log_files(flags: argparse.Namespace) -> "LogFiles":
    """The log that the flags name.

    Raises:
      InputError: --keep or --encoding cannot be used.
    """
    from remi_tf.data.tables.layouts import Columns, TextForm, parse_keep
    from remi_tf.data.tables.rows import BadRows
    from remi_tf.data.tables.streams import check_encoding
    from remi_tf.recommending.log_parts import LogFiles

    return LogFiles(
        flags.input,
        Columns(flags.user_col or "user", flags.item_col or "item", flags.time_col),
        flags.time_format or flags.time_unit or "auto",
        BadRows(flags.on_bad_row or "stop"),
        parse_keep(flags.keep) if flags.keep else None,
        TextForm(quotes=flags.quotes or "auto", encoding=check_encoding(flags.encoding or "utf-8")),
        header=not flags.no_header,
    )


def log_notes(recommender: "Recommender", time_col: str | None) -> list[str]:
    """What is assumed about a log because a column is missing."""
    notes, needs = [], recommender.run.model.needs
    if time_col is None:
        of_days = "; the items of a user count as of one day" if "days" in needs else ""
        notes.append(f"no --time_col: the rows count as in the order of time{of_days}")
    if "profile" in needs:
        notes.append("a log has no profiles: nothing is known of the users (remi_tf.Recommender takes profiles)")
    return notes


def counts_of_log(log: "LogFiles", known: "Known", recommender: "Recommender") -> list[str]:
    """What was found in a log that has been read: rows that were skipped, and how much of it is known."""
    skipped = [f"bad rows skipped: {count:,} ({reason})" for reason, count in log.bad.counts.items()]
    lines = [*(shown(line) for line in [*skipped, *log.bad.notes()]), known.counts()]
    if known.known_interactions < known.interactions:
        lines.append(f"{'WARNING: ' if known.little else ''}{known.why(recommender.catalogue)}")
    return lines
