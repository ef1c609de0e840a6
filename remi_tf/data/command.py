"""The command line of data/prepare.py: flags → log → dataset folder."""

import argparse
from pathlib import Path
from typing import Any

from remi_tf.cli import Parser
from remi_tf.data.comirec import prepare_comirec
from remi_tf.data.download import DOWNLOADS, download
from remi_tf.data.interactions import DATA, MANIFEST
from remi_tf.data.item_tables import ItemColumns, add_item_table, add_tables_beside
from remi_tf.data.layouts import Columns, Layout, parse_separator
from remi_tf.data.prepare import PrepareSettings, prepare_log, summary_lines
from remi_tf.data.rawlog import RawLog
from remi_tf.data.reading import read_frame, read_log
from remi_tf.data.rows import UNITS, BadRows
from remi_tf.data.sources import SOURCES
from remi_tf.data.splits import SPLITTERS
from remi_tf.data.synthetic import PROFILE_NAMES, SyntheticSettings, synthetic_frame, synthetic_profiles
from remi_tf.data.user_tables import add_profiles_beside, add_user_table
from remi_tf.errors import InputError
from remi_tf.files import refuse_existing

EXAMPLES = """\
examples:
  python data/prepare.py --source synthetic
  python data/prepare.py --source ml-100k --download
  python data/prepare.py --source gowalla --input loc-gowalla_totalCheckins.txt.gz --output data/gowalla
  python data/prepare.py --input clicks.csv.gz --user_col user_id --item_col item_id --time_col timestamp \\
      --items items.csv --output data/clicks
"""
ALL_SOURCES = (*SOURCES, "comirec", "synthetic")


SWITCH: dict[str, Any] = {"action": "store_true"}
READ: dict[str, dict[str, Any]] = {
    "--source": {
        "choices": ALL_SOURCES,
        "metavar": "NAME",
        "help": f"a log known by name: {', '.join(ALL_SOURCES)} (default: none, give the column flags)",
    },
    "--input": {
        "nargs": "+",
        "metavar": "FILE",
        "help": "the log's files, plain or .gz, .bz2, .xz, .tar, .tar.*, .zip; for comirec its folder",
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
        "help": "separator: a character, tab, or '::' (default: told from name and first line)",
    },
    "--time_unit": {
        "choices": UNITS,
        "help": "seconds, milliseconds, microseconds, ISO dates, or none: numbers that only give an order "
        "(default: what the source has, else auto: told from their size)",
    },
    "--items": {
        "metavar": "FILE",
        "help": "table of titles and categories; of 'a|b|c' the first counts (default: none)",
    },
    "--items_id_col": {"metavar": "COL", "help": "its id column (default: the name of --item_col, else the first)"},
    "--items_title_col": {"metavar": "COL", "help": "its title column (default: title or name, if there)"},
    "--items_category_col": {"metavar": "COL", "help": "its category column (default: category, genres, … if there)"},
    "--users": {"metavar": "FILE", "help": "table of user profiles (default: the source's own, else none)"},
    "--users_id_col": {"metavar": "COL", "help": "its id column (default: the name of --user_col, else the first)"},
    "--profile_cols": {
        "metavar": "COL,COL",
        "help": "its columns to use; their values are categories as they stand (no default)",
    },
    "--on_bad_row": {
        "choices": ("stop", "skip"),
        "default": "stop",
        "help": "at a row that cannot be used: stop and name its line, or skip and count it (default: stop)",
    },
}
KEEP: dict[str, dict[str, Any]] = {
    "--min_count": {"type": int, "default": 5, "metavar": "N", "help": "rows an item, then a user, needs (default: 5)"},
    "--core": {
        "choices": ("single", "iterative"),
        "default": "single",
        "help": "filter items and users once, as the papers do, or until nothing changes (default: single)",
    },
    "--dedup": {**SWITCH, "help": "of rows with the same user and item keep the earliest (default: keep all)"},
    "--split": {
        "choices": tuple(SPLITTERS),
        "default": "users",
        "help": "users: 8:1:1 of the users, as the papers do; leave_one_out: the last two rows of each user; "
        "time: at the 80%% and 90%% quantiles of all times (default: users)",
    },
    "--seed": {
        "type": int,
        "default": 1230,
        "metavar": "N",
        "help": "seed of the shuffle of users and of the synthetic log (default: 1230, the papers')",
    },
}
WRITE: dict[str, dict[str, Any]] = {
    "--output": {"metavar": "DIR", "help": "dataset folder (default: data/NAME)"},
    "--name": {"help": "name of the dataset (default: the last part of --output)"},
    "--overwrite": {**SWITCH, "help": "replace the output if it exists (default: refuse)"},
}


def make_parser() -> Parser:
    """The flags of data/prepare.py."""
    parser = Parser(
        prog="data/prepare.py",
        description="Turn a raw interaction log into a dataset folder.",
        epilog=EXAMPLES,
    )
    for title, flags in (("what to read", READ), ("what to keep, and how to split", KEEP), ("what to write", WRITE)):
        group = parser.add_argument_group(title)
        for flag, options in flags.items():
            group.add_argument(flag, **options)
    return parser


def main(argv: list[str]) -> int:
    """data/prepare.py: write a dataset folder and print what it holds.

    Raises:
      InputError: a flag, a file or a row cannot be used.
    """
    for line in run(make_parser().parse_args(argv)):
        print(line)
    return 0


def run(flags: argparse.Namespace) -> list[str]:
    """Read, prepare, write.

    Returns:
      The lines of the summary.
    """
    _check_flags(flags)
    output = Path(flags.output) if flags.output else DATA / (flags.name or flags.source or _default_name(flags))
    refuse_existing(output, MANIFEST, flags.overwrite)
    settings = PrepareSettings(flags.min_count, flags.core, flags.dedup, flags.split, flags.seed)
    fetched: list[dict[str, Any]] = []
    if flags.download:
        fetched = download(flags.source, DATA / "raw" / flags.source)
        flags.input = flags.input or [str(DATA / "raw" / flags.source / entry["file"]) for entry in fetched[:1]]
    if flags.source == "comirec":
        options = {"name": flags.name, "on_bad_row": flags.on_bad_row, "overwrite": flags.overwrite}
        made_by = prepare_comirec(flags.input[0], output, **options)
    else:
        log = _read(flags)
        log.files = fetched + [entry for entry in log.files if entry["file"] not in {done["file"] for done in fetched}]
        source = flags.source or "columns"
        made_by = prepare_log(log, output, settings, name=flags.name, source=source, overwrite=flags.overwrite)
    return [*summary_lines(made_by), f"written   {output}"]


def _default_name(flags: argparse.Namespace) -> str:
    return Path(flags.input[0]).name.split(".")[0]


def _read(flags: argparse.Namespace) -> RawLog:
    if flags.source == "synthetic":
        columns = Columns("user_id", "item_id", "timestamp", "category", "title")
        synthetic = SyntheticSettings(seed=flags.seed)
        log = read_frame(synthetic_frame(synthetic), columns, time_unit="s")
        log.profile_names, log.profiles = PROFILE_NAMES, synthetic_profiles(synthetic)
        return log
    separator = None if flags.sep is None else parse_separator(flags.sep)
    reading = {"time_unit": flags.time_unit, "separator": separator, "on_bad_row": flags.on_bad_row}
    if flags.source:
        log = read_log(flags.input, SOURCES[flags.source], **reading)
    else:
        columns = Columns(flags.user_col, flags.item_col, flags.time_col, flags.category_col, flags.title_col)
        log = read_log(flags.input, Layout(columns, header=not flags.no_header), **reading)
    bad = BadRows(flags.on_bad_row)
    if flags.items:
        wanted = ItemColumns(flags.items_id_col, flags.items_title_col, flags.items_category_col)
        add_item_table(log, flags.items, wanted, flags.item_col, None, bad)
    elif flags.source:
        add_tables_beside(log, SOURCES[flags.source], [Path(path) for path in flags.input], bad)
    if flags.users:
        columns_used = profile_columns(flags.profile_cols)
        add_user_table(log, flags.users, flags.users_id_col, columns_used, flags.user_col, None, bad)
    elif flags.source:
        add_profiles_beside(log, SOURCES[flags.source], [Path(path) for path in flags.input], bad)
    log.dropped.update({f"bad rows: {reason}": count for reason, count in bad.counts.items()})
    log.notes += [f"skipped {example}" for example in bad.examples]
    return log


def profile_columns(text: str) -> list[str]:
    """The columns of --profile_cols.

    Raises:
      InputError: a name is empty or comes twice.
    """
    columns = [column.strip() for column in text.split(",")]
    if "" in columns or len(set(columns)) < len(columns):
        raise InputError(f"--profile_cols {text}: give different names of columns, such as gender,age,occupation")
    return columns


def _check_flags(flags: argparse.Namespace) -> None:
    """Raise InputError for flags that do not go together."""
    columns = {"--user_col": flags.user_col, "--item_col": flags.item_col, "--time_col": flags.time_col}
    columns |= {"--category_col": flags.category_col, "--title_col": flags.title_col}
    given = [flag for flag, value in columns.items() if value is not None]
    if flags.source:
        if given or flags.no_header:
            raise InputError(
                f"--source {flags.source} knows its columns; leave out {(given or ['--no_header'])[0]} or --source"
            )
    elif flags.user_col is None or flags.item_col is None:
        raise InputError(f"give --source (one of {', '.join(ALL_SOURCES)}) or --user_col and --item_col")
    if flags.download and not flags.source:
        raise InputError(f"--download needs --source, one of {chr(44).join(sorted(DOWNLOADS))}")
    if flags.users and not flags.profile_cols:
        raise InputError("--users needs --profile_cols, the columns to use, such as gender,age,occupation")
    for flag, value in (("--profile_cols", flags.profile_cols), ("--users_id_col", flags.users_id_col)):
        if value and not flags.users:
            raise InputError(f"{flag} {value}: it names columns of a user table; add --users TABLE")
    if flags.users and flags.source in ("synthetic", "comirec"):
        raise InputError(f"--source {flags.source} takes no user table; leave out --users")
    for flag, table in (("--users", flags.users), ("--items", flags.items)):
        if table and not Path(table).is_file():
            wrong = "is a folder; name the table in it" if Path(table).is_dir() else f"no such file; check {flag}"
            raise InputError(f"{flag} {table}: {wrong}")
    if flags.source == "synthetic":
        if flags.input:
            raise InputError("--source synthetic reads no file; leave out --input")
    elif not flags.input and not flags.download:
        hint = "; or add --download" if flags.source in DOWNLOADS else ""
        raise InputError(f"--input is missing: name the log's files{hint}")
    if flags.source == "comirec" and len(flags.input or []) != 1:
        raise InputError(
            "--source comirec takes one --input, the folder with NAME_train.txt, NAME_valid.txt and NAME_test.txt"
        )
