"""The flags --add_items and --remove_items of the commands that serve a run."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from remi_tf.errors import InputError
from remi_tf.settings.items import NEW_ITEM_LENGTH

if TYPE_CHECKING:
    from remi_tf.training.run_folder import SavedRun


def add_item_changes(parser: argparse.ArgumentParser) -> None:
    """The flags; `changed` reads them."""
    parser.add_argument(
        "--add_items",
        type=Path,
        metavar="TABLE",
        help="also serve the items of this table, which the log has never seen: by their features (default: none)",
    )
    parser.add_argument(
        "--items_id_col", metavar="COL", help="its id column (default: item_id, item, id, … or the first)"
    )
    parser.add_argument(
        "--new_item_length",
        type=float,
        metavar="X",
        help=f"factor on the vectors of these items: the larger, the higher they come (default: {NEW_ITEM_LENGTH})",
    )
    parser.add_argument(
        "--remove_items", type=Path, metavar="FILE", help="never list the items of this file, one raw id a line"
    )


def changed(run: "SavedRun", flags: argparse.Namespace) -> "SavedRun":
    """The run with the items that the flags add, and without those that they remove; says how many.

    Raises:
      InputError: a flag, a table or an item that cannot be used.
    """
    from remi_tf.serving.new_item_tables import read_ids, read_new_items
    from remi_tf.serving.new_items import add_items, remove_items

    if flags.add_items is None:
        for name in ("items_id_col", "new_item_length"):
            if getattr(flags, name) is not None:
                raise InputError(f"--{name}: it is about the items of --add_items TABLE, which is missing")
    else:
        new = read_new_items(flags.add_items, run.catalogue, flags.items_id_col)
        try:
            run = add_items(run, new, NEW_ITEM_LENGTH if flags.new_item_length is None else flags.new_item_length)
        except InputError as error:
            raise InputError(f"--add_items {flags.add_items}: {error}") from error
        print(f"{len(new.ids):,} new items of {flags.add_items.name}, by their features")
    if flags.remove_items is not None:
        ids = read_ids(flags.remove_items)
        try:
            run = remove_items(run, ids)
        except InputError as error:
            raise InputError(f"--remove_items {flags.remove_items}: {error}") from error
        print(f"{len(run.catalogue.removed):,} items are in no list ({len(ids):,} ids in {flags.remove_items.name})")
    return run
