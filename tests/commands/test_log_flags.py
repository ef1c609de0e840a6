"""The flags of a whole log, which recommend and vectors share."""

import argparse

import pytest

from remi_tf.commands.cli import Parser
from remi_tf.commands.log_flags import READING, add_log_flags, check_log_flags, log_files, refuse_given
from remi_tf.errors import InputError


def parse(*arguments: str) -> argparse.Namespace:
    parser = Parser()
    add_log_flags(parser)
    return parser.parse_args(list(arguments))


def test_flags_become_a_log_with_the_defaults_of_the_help():
    log = log_files(parse("--input", "a.csv", "b.csv"))
    assert log.names == "a.csv, b.csv" and log.columns == type(log.columns)("user", "item", None)
    assert (log.time_unit, log.keep, log.form.quotes, log.form.encoding) == ("auto", None, "auto", "utf-8")
    log = log_files(parse("--input", "a", "--user_col", "u", "--keep", "event=view,buy", "--time_unit", "s"))
    assert log.columns.user == "u" and log.time_unit == "s" and log.keep == ("event", ("view", "buy"))


def test_every_flag_of_reading_is_refused_without_a_log():
    for name in READING:
        given = argparse.Namespace(**(dict.fromkeys(READING) | {name: "x"}))
        with pytest.raises(InputError, match=f"--{name}: it goes with --input; leave it out"):
            refuse_given(given, READING, "--input")
    refuse_given(argparse.Namespace(**dict.fromkeys(READING)), READING, "--input")


def test_a_form_of_dates_is_checked_before_anything_is_loaded():
    with pytest.raises(InputError, match="--time_format"):
        check_log_flags(parse("--input", "a", "--time_format", "nonsense"))


def test_columns_without_a_header_are_numbers_that_have_to_be_given():
    assert log_files(parse("--input", "a")).header
    flags = parse("--input", "a", "--no_header", "--user_col", "0", "--item_col", "1")
    check_log_flags(flags)
    assert not log_files(flags).header
    with pytest.raises(InputError, match="--no_header: columns are numbers from 0; give --user_col and --item_col"):
        check_log_flags(parse("--input", "a", "--no_header", "--user_col", "0"))
