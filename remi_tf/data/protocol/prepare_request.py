"""The request of data/prepare.py and of remi_tf.prepare, checked once for both: log → dataset folder."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from remi_tf.data.dataset.folder import DATA, MANIFEST
from remi_tf.data.dataset.profiles import USER_KINDS
from remi_tf.data.protocol.comirec import ItemTable, prepare_comirec
from remi_tf.data.protocol.options import PrepareSettings, choose_split
from remi_tf.data.protocol.prepare import prepare_log
from remi_tf.data.protocol.table_options import check_tables
from remi_tf.data.tables.data_frames import read_frame
from remi_tf.data.tables.dates import check_format
from remi_tf.data.tables.download import DOWNLOADED, DOWNLOADS, download
from remi_tf.data.tables.feature_kinds import Asked, parse_features
from remi_tf.data.tables.item_tables import ItemColumns, add_item_table, add_tables_beside, settle_labels
from remi_tf.data.tables.labels import CategoryChoice
from remi_tf.data.tables.layouts import MOST_BAD, QUOTES, Columns, Layout, TextForm, parse_keep, parse_separator
from remi_tf.data.tables.raw_log import RawLog
from remi_tf.data.tables.reading import read_log
from remi_tf.data.tables.rows import BadRows, parse_most
from remi_tf.data.tables.sources import ALL_SOURCES, SOURCES, check_source, folder_name
from remi_tf.data.tables.streams import check_encoding
from remi_tf.data.tables.synthetic import PROFILE_NAMES, SyntheticSettings, synthetic_frame, synthetic_profiles
from remi_tf.data.tables.user_tables import add_profiles_beside, add_user_table
from remi_tf.errors import InputError
from remi_tf.files import refuse_existing

FORMS = ("rows", "sequence")
Log = str | Path | Sequence[str | Path] | pd.DataFrame | None


@dataclass
class PrepareRequest:
    """A raw log and how to prepare it. The constructor checks that the options go together.

    What to read:
      log: a file, files or a DataFrame; None if the log comes from `source` or `download`.
      source: a log known by name, one of ALL_SOURCES, such as book or amazon-2023:Movies_and_TV; None = the columns are
        given.
      download: fetch the source first, into data/raw/SOURCE.
      user_col, item_col, time_col, category_col, title_col: columns by name, or by index from 0 with
        `no_header`. Without time_col the order of the rows is the order of time.
      no_header: the files have no header line. sep: separator of text files; None guesses it from name and first line.
      layout: rows (one interaction each), or sequence: one row for each user, whose item_col (and time_col) hold a
        list, or text separated by commas, | or spaces.
      keep: "event_type=view,purchase": rows with other values of that column are left out.
      time_unit: s, ms, us, ns, iso, auto, or none for numbers that only give an order; None = the source's, else auto.
      time_format: the form of text dates as Python's strptime has it, "%m/%d/%Y %H:%M".
      items, items_id_col, items_title_col, items_category_col: a table of titles and categories, and its columns.
      category_level: of a category that is a list or path: first, last, deepest (the deepest level that items share and
        that tells them apart), or a number from 1. category_sep: between its elements; None = "|".
      item_features: columns of that table that models read, with their kinds where they are not to be guessed:
        "genres:multi,brand,price:number,title:text,image:vector", or a list of such. A named source brings its own;
        "none" leaves them out.
      users, users_id_col, user_features: a table of user profiles, its id column, and the columns to use, with their
        kinds where they are not to be guessed: "gender,age:number,joined:date", or a list of such.
      on_bad_row: stop at a row that cannot be used, or skip and count it. max_bad_rows: how many skipped rows are too
        many: a number of rows, or a share such as 0.5, which counts after the first 100,000 rows.
      quotes: which quotes of a text file enclose a field: auto, csv (the standard) or none. encoding: of text files.

    What to keep and how to split: min_count, core, dedup, split, seed, cold_share, cold_seed; None = as
      `PrepareSettings` has it, or for split as the source has it.

    What to write:
      output: the dataset folder; None = data/NAME. name: of the dataset; None = the last part of the output.
      overwrite: replace an existing dataset.

    Raises:
      InputError: options that do not go together, or an impossible value.
    """

    log: Log = None
    output: str | Path | None = None
    source: str | None = None
    download: bool = False
    user_col: str | None = None
    item_col: str | None = None
    time_col: str | None = None
    category_col: str | None = None
    title_col: str | None = None
    no_header: bool = False
    sep: str | None = None
    layout: str = "rows"
    keep: str | None = None
    time_unit: str | None = None
    time_format: str | None = None
    items: str | Path | pd.DataFrame | None = None
    items_id_col: str | None = None
    items_title_col: str | None = None
    items_category_col: str | None = None
    category_level: str | None = None
    category_sep: str | None = None
    item_features: str | Sequence[str] | None = None
    users: str | Path | pd.DataFrame | None = None
    users_id_col: str | None = None
    user_features: str | Sequence[str] | None = None
    on_bad_row: str = "stop"
    max_bad_rows: str | int | float = MOST_BAD
    quotes: str = "auto"
    encoding: str = "utf-8"
    min_count: int | None = None
    core: str | None = None
    dedup: bool = False
    split: str | None = None
    seed: int = 1230
    cold_share: float = 0.0
    cold_seed: int = 0
    name: str | None = None
    overwrite: bool = False

    def __post_init__(self) -> None:
        self.frame = self.log if isinstance(self.log, pd.DataFrame) else None
        if self.frame is not None or self.log is None:
            self.files: list[str] = []
        else:
            self.files = [str(self.log)] if isinstance(self.log, str | Path) else [str(path) for path in self.log]
        self.asked_features = parse_features(self.item_features, "--item_features")
        self.asked_user_features = parse_features(self.user_features, "--user_features", USER_KINDS)
        self.choice = CategoryChoice(self.category_level or "deepest", self.category_sep)
        self.settings = self._settings()
        if self.quotes not in QUOTES:
            raise InputError(f"--quotes {self.quotes!r}: choose one of {', '.join(QUOTES)}")
        separator = None if self.sep is None else parse_separator(self.sep)
        self.form = TextForm(separator, self.quotes, check_encoding(self.encoding))
        self.most = parse_most(self.max_bad_rows)
        self._check_source()
        check_tables(self)
        self._check_form()
        self._check_files()
        if self.output is None and self.frame is not None:
            raise InputError("output is missing: name the dataset folder")

    @property
    def folder(self) -> Path:
        """The dataset folder."""
        if self.output is not None:
            return Path(self.output)
        return DATA / (self.name or folder_name(self.source or "") or Path(self.files[0]).name.split(".")[0])

    def write(self) -> dict[str, Any]:
        """Read, prepare, write the folder whole or not at all.

        Returns:
          How it was made, as the manifest has it; `summary_lines` puts it into words.

        Raises:
          InputError: a file, column or row that cannot be used, nothing left after the filters, or an output that
            exists.
        """
        refuse_existing(self.folder, MANIFEST, self.overwrite)
        fetched: list[dict[str, Any]] = []
        if self.download and self.source:
            raw = DATA / "raw" / folder_name(self.source)
            fetched = download(self.source, raw)
            self.files = self.files or [str(raw / entry["file"]) for entry in fetched[:1]]
        if self.source == "comirec":
            columns = ItemColumns(self.items_id_col, self.items_title_col, self.items_category_col, self.choice)
            return prepare_comirec(
                self.files[0],
                self.folder,
                name=self.name,
                time_unit=self.time_unit,
                item_table=None if self.items is None else ItemTable(self.items, columns),
                on_bad_row=self.on_bad_row,
                overwrite=self.overwrite,
            )
        log = self._read()
        log.notes += self.of_split
        log.files = fetched + [entry for entry in log.files if entry["file"] not in {done["file"] for done in fetched}]
        source = self.source or ("columns" if self.frame is None else "DataFrame")
        return prepare_log(log, self.folder, self.settings, name=self.name, source=source, overwrite=self.overwrite)

    def _read(self) -> RawLog:
        if self.source == "synthetic":
            columns = Columns("user_id", "item_id", "timestamp", "category", "title")
            synthetic = SyntheticSettings(seed=self.seed)
            log = read_frame(synthetic_frame(synthetic), columns, time_unit="s")
            if self.user_features != "none":
                log.profile_columns = tuple(Asked(name, "category") for name in PROFILE_NAMES)
                log.profiles = synthetic_profiles(synthetic)
            return log
        log = self._read_log()
        bad, paths = BadRows(self.on_bad_row, most=self.most), [Path(path) for path in self.files]
        if self.items is not None:
            columns_of = (self.items_id_col, self.items_title_col, self.items_category_col)
            wanted = ItemColumns(*columns_of, self.choice, self.asked_features or ())
            add_item_table(log, self.items, wanted, self.item_col, replace(self.form, separator=None), bad)
        elif self.source:
            add_tables_beside(log, SOURCES[self.source], paths, bad, self.asked_features, self.choice)
        if self.users is not None:
            form, asked = replace(self.form, separator=None), self.asked_user_features or ()
            add_user_table(log, self.users, self.users_id_col, asked, self.user_col, form, bad)
        elif self.source:
            add_profiles_beside(log, SOURCES[self.source], paths, bad, self.asked_user_features)
        log.dropped.update({f"bad rows: {reason}": count for reason, count in bad.counts.items()})
        log.notes += bad.notes()
        return log

    def _read_log(self) -> RawLog:
        unit, on_bad_row = self.time_format or self.time_unit, self.on_bad_row
        how: dict[str, Any] = {"form": self.form, "on_bad_row": on_bad_row, "max_bad_rows": self.most}
        if self.source:
            source = SOURCES[self.source]
            return read_log(self.files, source, time_unit=unit, **how)
        assert self.user_col is not None and self.item_col is not None  # _check_source
        columns = Columns(self.user_col, self.item_col, self.time_col, self.category_col, self.title_col)
        keep = parse_keep(self.keep) if self.keep else None
        layout = Layout(columns, header=not self.no_header, keep=keep, form=self.layout)
        if self.frame is not None:
            log = read_frame(self.frame, layout, time_unit=unit or "auto", on_bad_row=on_bad_row)
        else:
            log = read_log(self.files, layout, time_unit=unit, **how)
        settle_labels(log, self.choice)
        return log

    def _settings(self) -> PrepareSettings:
        split, self.of_split = choose_split(SOURCES.get(self.source or ""), self.split)
        given = {"min_count": self.min_count, "core": self.core, "split": split}
        chosen: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
        if self.source == "comirec":
            others: dict[str, Any] = {"dedup": self.dedup, "sep": self.sep, "quotes": self.quotes != "auto"}
            others |= {"item_features": self.item_features, "cold_share": self.cold_share, "cold_seed": self.cold_seed}
            others |= {"encoding": self.encoding != "utf-8", "max_bad_rows": self.max_bad_rows != MOST_BAD}
            for name in (*chosen, *(name for name, value in others.items() if value)):
                raise InputError(
                    f"--source comirec takes the folder's rows, numbers and split as they are, so --{name} does not "
                    "apply; leave it out, or prepare the raw log instead"
                )
        chosen |= {"cold_share": self.cold_share, "cold_seed": self.cold_seed}
        return PrepareSettings(dedup=self.dedup, seed=self.seed, **chosen)

    def _check_source(self) -> None:
        """Raise InputError unless it is clear what the log is and which columns it has."""
        columns = {"--user_col": self.user_col, "--item_col": self.item_col, "--time_col": self.time_col}
        columns |= {"--category_col": self.category_col, "--title_col": self.title_col}
        given = [flag for flag, value in columns.items() if value is not None]
        if self.source:
            check_source(self.source)
            if self.frame is not None:
                raise InputError(
                    f"--source {self.source} reads files, not a DataFrame; leave it out and name the columns"
                )
            if given or self.no_header:
                raise InputError(
                    f"--source {self.source} knows its columns; leave out {(given or ['--no_header'])[0]} or --source"
                )
        elif self.user_col is None or self.item_col is None:
            raise InputError(f"give --source (one of {', '.join(ALL_SOURCES)}) or --user_col and --item_col")
        if self.download and not self.source:
            raise InputError(f"--download needs --source, one of {', '.join(DOWNLOADED)}")

    def _check_form(self) -> None:
        """Raise InputError for options of the log's form that do not go together."""
        if self.layout not in FORMS:
            raise InputError(f"--layout {self.layout!r}: choose {' or '.join(FORMS)}")
        if self.layout == "sequence":
            for flag, value in (("--category_col", self.category_col), ("--title_col", self.title_col)):
                if value is not None:
                    raise InputError(f"{flag}: --layout sequence has one row a user; give --items TABLE instead")
        if self.time_format is not None:
            check_format(self.time_format)
            if self.time_unit not in (None, "auto"):
                raise InputError(f"--time_format and --time_unit {self.time_unit}: give one of them")
            if self.time_col is None and not self.source:
                raise InputError("--time_format is the form of --time_col, which is missing")
        if self.keep is not None:
            parse_keep(self.keep)
        for flag, given in (
            ("--keep", self.keep),
            ("--layout", self.layout != "rows"),
            ("--time_format", self.time_format),
        ):
            if self.source and given:
                raise InputError(f"--source {self.source} knows its form; leave out {flag} or --source")

    def _check_files(self) -> None:
        """Raise InputError unless there is something to read."""
        if self.source == "synthetic":
            if self.files:
                raise InputError("--source synthetic reads no file; leave out --input")
        elif not self.files and self.frame is None and not self.download:
            hint = "; or add --download" if self.source in DOWNLOADS else ""
            raise InputError(f"--input is missing: name the log's files{hint}")
        if self.source == "comirec" and len(self.files) != 1:
            raise InputError(
                "--source comirec takes one --input, the folder with NAME_train.txt, NAME_valid.txt and NAME_test.txt"
            )
