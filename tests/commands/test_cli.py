"""The command line's manners: flags, mistakes and exit codes."""

import argparse
import signal

import pytest

from remi_tf.commands.cli import (
    Parser,
    add_run_dir,
    add_settings,
    number_list,
    refuse_missing_run,
    run_main,
    strength_list,
)
from remi_tf.errors import InputError, TrainingDiverged
from remi_tf.settings.names import known_settings
from tests.flags import parse


def test_only_flags_that_were_given_arrive():
    assert parse("--beta", "4", "--no-stop_gradient_weights") == {"beta": 4.0, "stop_gradient_weights": False}


def test_a_mistyped_flag_is_answered_with_the_nearest_one_also_when_another_is_missing():
    parser = Parser()
    parser.add_argument("--history", required=True)
    with pytest.raises(InputError, match=r"unknown flag --histroy; did you mean --history\?"):
        parser.parse_args(["--histroy", "a"])
    with pytest.raises(InputError, match="required: --history"):
        parser.parse_args([])
    assert parser.parse_args(["--history=-5,-6"]).history == "-5,-6"


def test_abbreviated_flags_are_not_guessed():
    with pytest.raises(InputError, match="--learning_rate"):
        parse("--learning", "1")


def test_strength_list():
    assert strength_list("0.5,0,0.50,inf") == (0.0, 0.5, float("inf"))
    for wrong in ("", "0,", "-1", "nan", "0,nan", "a"):
        with pytest.raises(argparse.ArgumentTypeError, match="numbers of 0 or more"):
            strength_list(wrong)


def test_number_list():
    assert number_list("50,20,20") == (20, 50)
    for wrong in ("", "a", "0", "5,-1", "2.5"):
        with pytest.raises(Exception, match="positive whole numbers"):
            number_list(wrong)


FULL = "No space left on device"


def ended(main) -> int:
    """The exit code of a program with this entry point."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(SystemExit) as end:
            run_main(main)
    finally:
        signal.signal(signal.SIGTERM, before)
    return end.value.code


def raising(error):
    def main(argv):
        raise error

    return main


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (InputError("--top_n 0: no"), 2, "error: --top_n 0: no"),
        (TrainingDiverged("step 3"), 2, "error: step 3"),
        (FileNotFoundError(2, "No such file or directory", "x.csv"), 2, "error: x.csv: No such file or directory"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (OSError(28, "No space left on device", "data/shop"), 2, "error: data/shop: No space left on device"),
        (OSError(28, "No space left on device"), 2, "error: file: No space left on device"),
        (RuntimeError("w.data: No space left on device"), 2, f"error: {FULL} (w.data: {FULL})"),
        (InputError("id '\x1b[2Jx' is unknown"), 2, r"error: id '\x1b[2Jx' is unknown"),
        (InputError("item '\x1b[31m'\n: no"), 2, r"error: item '\x1b[31m'\n: no"),
    ],
)
def test_an_error_that_is_the_users_to_mend_is_one_line(error, code, line, capsys):
    assert ended(raising(error)) == code
    assert capsys.readouterr().err == f"{line}\n"


def test_a_programs_own_code_is_its_exit_code_and_a_bug_keeps_its_traceback():
    assert ended(lambda argv: 0) == 0 and ended(lambda argv: 1) == 1
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(ZeroDivisionError):
            run_main(raising(ZeroDivisionError()))
    finally:
        signal.signal(signal.SIGTERM, before)


def test_where_nobody_reads_on_a_program_ends_quietly(capsys):
    assert ended(raising(BrokenPipeError(32, "Broken pipe"))) == 141
    assert capsys.readouterr().err == ""


def test_sigterm_ends_a_program_with_a_word_and_its_own_code(capsys):
    assert ended(lambda argv: signal.raise_signal(signal.SIGTERM)) == 128 + signal.SIGTERM
    assert capsys.readouterr().err == "terminated\n"


def test_a_folder_that_is_no_run_is_named_before_anything_is_loaded(tmp_path):
    parser = Parser()
    add_run_dir(parser)
    flags = parser.parse_args(["--run_dir", str(tmp_path / "nowhere")])
    with pytest.raises(InputError, match=r"--run_dir .*nowhere: there is no such folder; python train.py writes one"):
        refuse_missing_run(flags.run_dir)
    refuse_missing_run(tmp_path)


def test_every_setting_has_a_flag_whose_help_tells_the_encoders_own_defaults():
    parser = Parser()
    add_settings(parser)
    text = " ".join(parser.format_help().split())
    assert all(f"--{name}" in text for name in known_settings())
    assert "(default: 0.0, GRU4REC 0.2, MTMI-GRU 0.2, PIMI 0.1, SASRec 0.2)" in text


def test_what_would_steer_a_terminal_is_escaped_in_all_that_is_printed(capsys):
    def main(argv):
        print("title \x1b]0;x\x07", "\x9b2J", "a\rb", "\u202eabc", "\u2028", "tab\there", "Ünïcode 本", sep="|")
        print("next line")
        return 0

    assert ended(main) == 0
    shown = r"title \x1b]0;x\x07|\x9b2J|a\rb|\u202eabc|\u2028|" + "tab\there|Ünïcode 本\nnext line\n"
    assert capsys.readouterr().out == shown
