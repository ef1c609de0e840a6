"""The command prepare: a raw log → a dataset folder, and what it holds."""

import argparse
from typing import Any

from remi_tf.commands.cli import Parser
from remi_tf.data.protocol.options import CORES, RENAMED, SPLITS_BY
from remi_tf.data.tables.layouts import MOST_BAD, QUOTES
from remi_tf.data.tables.sources import ALL_SOURCES
from remi_tf.data.tables.units import UNITS
from remi_tf.errors import InputError, command

EXAMPLES = f"""\
examples:
  {command("prepare")} --source synthetic
  {command("prepare")} --source ml-100k --download
  {command("prepare")} --source gowalla --input loc-gowalla_totalCheckins.txt.gz --output data/gowalla
  {command("prepare")} --source amazon-2023:Movies_and_TV --input Movies_and_TV.csv.gz
  {command("prepare")} --input clicks.csv.gz --user_col user_id --item_col item_id --time_col timestamp \\
      --items items.csv --output data/clicks
"""


SWITCH: dict[str, Any] = {"action": "store_true"}
READ: dict[str, dict[str, Any]] = {
    "--source": {
        "metavar": "NAME",
        "help": f"a log known by name: {', '.join(ALL_SOURCES)} (default: none, give the column flags)",
    },
    "--input": {
        "nargs": "+",
        "metavar": "FILE",
        "help": "the log's files, plain or .gz, .bz2, .xz, .zst, .tar, .tar.*, .zip; for comirec its folder",
    },
    "--download": {**SWITCH, "help": "fetch a public source into data/raw/NAME first (default: off)"},
    "--user_col": {"metavar": "COL", "help": "column of the user ids (with --no_header an index from 0)"},
    "--item_col": {"metavar": "COL", "help": "column of the item ids"},
    "--time_col": {"metavar": "COL", "help": "column of the times (default: none, the order of the file)"},
    "--category_col": {"metavar": "COL", "help": "column of the item's category (default: none)"},
    "--title_col": {"metavar": "COL", "help": "column of the item's title (default: none)"},
    "--no_header": {**SWITCH, "help": "the files have no header line (default: they have one)"},
    "--sep": {
        "metavar": "TEXT",
        "help": "separator: a character, tab, or '::' (default: guessed from name and first line)",
    },
    "--layout": {
        "choices": ("rows", "sequence"),
        "default": "rows",
        "help": "rows: one interaction each; sequence: one row a user, --item_col (and --time_col) hold a list, or "
        "text separated by commas, | or spaces (default: rows)",
    },
    "--keep": {
        "metavar": "COL=A,B",
        "help": "leave out rows with other values of this column: event_type=view,purchase (default: keep all)",
    },
    "--time_unit": {
        "choices": UNITS,
        "help": "seconds, milliseconds, microseconds, nanoseconds, ISO dates, or none: numbers that only give an order "
        "(default: what the source has, else auto: guessed from lines all over each file)",
    },
    "--time_format": {
        "metavar": "FORM",
        "help": "form of text dates, as Python's strptime has it: '%%m/%%d/%%Y %%I:%%M:%%S %%p' (default: ISO dates)",
    },
    "--items": {
        "metavar": "FILE",
        "help": "table of titles and categories (default: none)",
    },
    "--items_id_col": {"metavar": "COL", "help": "its id column (default: the name of --item_col, else the first)"},
    "--items_title_col": {"metavar": "COL", "help": "its title column (default: title or name, if there)"},
    "--items_category_col": {"metavar": "COL", "help": "its category column (default: category, genres, … if there)"},
    "--category_level": {
        "metavar": "LEVEL",
        "help": "of a category that is a list or path: first, last, deepest, or a number from 1 (default: deepest: the "
        "deepest level that several items share and that tells items apart)",
    },
    "--category_sep": {"metavar": "TEXT", "help": "text between the elements of a category (default: |)"},
    "--item_features": {
        "metavar": "COL:KIND,COL",
        "help": "columns of the item table that models read; kinds: category, multi (several categories), number, "
        "date, text, vector (a list column, or COL.npy next to the table); without a kind it is guessed (default: what "
        "the source has; none leaves it out)",
    },
    "--users": {"metavar": "FILE", "help": "table of user profiles (default: the source's own, else none)"},
    "--users_id_col": {"metavar": "COL", "help": "its id column (default: the name of --user_col, else the first)"},
    "--user_features": {
        "metavar": "COL:KIND,COL",
        "help": "its columns to use; kinds: category, number, date; without a kind it is guessed (default: what the "
        "source has; none leaves it out)",
    },
    "--profile_cols": {"help": argparse.SUPPRESS},
    "--on_bad_row": {
        "choices": ("stop", "skip"),
        "default": "stop",
        "help": "at a row that cannot be used: stop and name its line, or skip and count it (default: stop)",
    },
    "--max_bad_rows": {
        "default": MOST_BAD,
        "metavar": "N",
        "help": "stop if more rows than this are skipped: a number, or a share of all rows, which counts after the "
        f"first 100,000 (default: {MOST_BAD})",
    },
    "--quotes": {
        "choices": QUOTES,
        "default": "auto",
        "help": "which quotes of a text file enclose a field: csv = those of the CSV standard, none = they are plain "
        "characters, auto = mostly plain in tab-separated files, csv in others (default: auto)",
    },
    "--encoding": {
        "default": "utf-8",
        "metavar": "NAME",
        "help": "encoding of text files, such as latin-1, cp1252, gbk, utf-16 (default: utf-8)",
    },
}
KEEP: dict[str, dict[str, Any]] = {
    "--min_count": {"type": int, "metavar": "N", "help": "rows an item, then a user, needs (default: 5)"},
    "--core": {
        "choices": CORES,
        "help": "filter items and users once, as the papers do, or until nothing changes (default: single)",
    },
    "--dedup": {**SWITCH, "help": "keep only the earliest of rows with the same user and item (default: keep all)"},
    "--split": {
        "choices": SPLITS_BY,
        "help": "users: 8:1:1 of the users, as the papers do; leave_one_out: the last two rows of each user; "
        "time: at the 80%% and 90%% quantiles of all times (default: users; of amazon-2023 leave_one_out)",
    },
    "--seed": {
        "type": int,
        "default": 1230,
        "metavar": "N",
        "help": "seed of the shuffle of users and of the synthetic log (default: 1230, the papers')",
    },
    "--cold_share": {
        "type": float,
        "default": 0.0,
        "metavar": "SHARE",
        "help": "hide this share of the items from training, to measure what becomes of new items (default: 0)",
    },
    "--cold_seed": {"type": int, "default": 0, "metavar": "N", "help": "seed of their choice (default: 0)"},
}
WRITE: dict[str, dict[str, Any]] = {
    "--output": {"metavar": "DIR", "help": "dataset folder (default: data/NAME)"},
    "--name": {"help": "name of the dataset (default: the last part of --output)"},
    "--overwrite": {**SWITCH, "help": "replace the output if it exists (default: refuse)"},
}


def make_parser() -> Parser:
    """The flags; they have the names of `PrepareRequest`'s options."""
    parser = Parser(
        description="Turn a raw interaction log into a dataset folder.",
        epilog=EXAMPLES,
    )
    for title, flags in (("what to read", READ), ("what to keep, and how to split", KEEP), ("what to write", WRITE)):
        group = parser.add_argument_group(title)
        for flag, options in flags.items():
            group.add_argument(flag, **options)
    return parser


def main(argv: list[str]) -> int:
    """Write a dataset folder and print what it holds.

    Raises:
      InputError: a flag, a file or a row cannot be used.
    """
    flags = vars(make_parser().parse_args(argv))
    if flags.pop("profile_cols") is not None:
        raise InputError(f"--profile_cols: {RENAMED['profile_cols']}")
    from remi_tf.data.protocol.prepare import summary_lines  # after --help and wrong flags, as these load Arrow
    from remi_tf.data.protocol.prepare_request import PrepareRequest

    request = PrepareRequest(log=flags.pop("input"), **flags)
    for line in [*summary_lines(request.write()), f"written   {request.folder}"]:
        print(line)
    return 0
