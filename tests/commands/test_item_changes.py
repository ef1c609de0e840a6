"""--add_items and --remove_items as flags; tests/serving/test_new_items.py has what they do."""

import argparse

import pytest

from remi_tf.commands.item_changes import add_item_changes, changed
from remi_tf.errors import InputError


def flags(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_item_changes(parser)
    return parser.parse_args(arguments)


def test_without_the_flags_a_run_stays_what_it_is():
    run = object()
    assert changed(run, flags()) is run


def test_help_says_what_new_items_are_multiplied_by():
    parser = argparse.ArgumentParser()
    add_item_changes(parser)
    assert "(default: 1.35)" in " ".join(parser.format_help().split())


@pytest.mark.parametrize("flag", ["items_id_col", "new_item_length"])
def test_a_flag_about_new_items_needs_the_table(flag):
    with pytest.raises(InputError, match=f"--{flag}: it is about the items of --add_items TABLE, which is missing"):
        changed(object(), flags(f"--{flag}", "2"))
