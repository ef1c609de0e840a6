"""What all commands share: readable help, a suggestion for a mistyped flag, one line for an error."""

import argparse
import difflib
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from remi_tf.commands.console import escape_stdout, forgive_encoding, leave_closed_pipe, shown
from remi_tf.commands.other_names import OTHER_NAMES, what_to_type
from remi_tf.errors import InputError, TrainingDiverged, command, disk_error
from remi_tf.settings.encoders import ENCODERS
from remi_tf.settings.exclusion import CHOICES
from remi_tf.settings.names import known_settings
from remi_tf.settings.recipes import RECIPE_NAMES, RECIPES, REMI, REMI_AS_PRINTED, REMI_EXTRAS


class _HelpFormatter(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str):
        super().__init__(prog, max_help_position=30, width=110)


class Parser(argparse.ArgumentParser):
    """argparse without abbreviations. For a mistyped flag it suggests the nearest one; for a flag of the original
    releases it says what to type here."""

    def __init__(self, **kwargs: Any):
        super().__init__(allow_abbrev=False, formatter_class=_HelpFormatter, **kwargs)

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse, but a mistyped flag is reported before anything that is missing."""
        arguments = list(sys.argv[1:] if args is None else args)
        strange: dict[str, str] = {}
        for argument, following in zip(arguments, [*arguments[1:], "-"], strict=False):
            flag, _, value = argument.partition("=")
            if (flag.startswith("--") or flag in OTHER_NAMES) and flag not in self._option_string_actions:
                strange[flag] = self._hint(flag, value or (None if following.startswith("-") else following))
        if len(strange) > 1:
            raise InputError("unknown flags: " + ", ".join(f"{flag} ({hint})" for flag, hint in strange.items()))
        for flag, hint in strange.items():
            raise InputError(f"unknown flag {flag}; {hint}")
        parsed, unknown = self.parse_known_args(arguments, namespace)
        if unknown:
            what = "flag" if unknown[0].startswith("-") else "word"
            raise InputError(f"unknown {what} {unknown[0]}; {self._hint(unknown[0])}")
        return parsed

    def _hint(self, argument: str, value: str | None = None) -> str:
        """What to type instead of a flag that is not known."""
        if known := what_to_type(argument, value, self._option_string_actions):
            return known
        close = difflib.get_close_matches(argument, self._option_string_actions, n=1)
        return f"did you mean {close[0]}?" if close else "--help lists the flags"

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}; --help lists the flags")


def add_settings(parser: argparse.ArgumentParser) -> None:
    """One flag for each setting; a flag that is not given is absent from the parsed namespace."""
    groups = {name: parser.add_argument_group(name) for name in ("encoder", "items", "objective", "training", "boost")}
    for name, (group, setting, _) in known_settings().items():
        options: dict[str, Any] = {"default": argparse.SUPPRESS}
        own = [f"{model} {entry.defaults[name]}" for model, entry in ENCODERS.items() if name in entry.defaults]
        text = f"{setting.metadata['help']} (default: {', '.join([str(setting.default), *own])})"
        if setting.metadata["choices"]:
            options["choices"] = setting.metadata["choices"]
        if type(setting.default) is bool:
            options["action"] = argparse.BooleanOptionalAction
        else:
            options["type"] = type(setting.default)
            options["metavar"] = type(setting.default).__name__.upper() if not setting.metadata["choices"] else None
        groups[group].add_argument(f"--{name}", help=text.replace("%", "%%"), **options)


def add_remi_and_recipe(parser: argparse.ArgumentParser) -> None:
    """The flags --remi and --recipe of the commands that train."""

    def as_flags(values: dict[str, Any]) -> str:
        return " ".join(f"--{name} {value}" for name, value in values.items())

    parser.add_argument(
        "--remi",
        action="store_true",
        help=f"REMI: {as_flags(REMI)}; with the default recipe also {as_flags(REMI_EXTRAS)}, unless the model has "
        f"its own value; with the other recipes {as_flags(REMI_AS_PRINTED)}",
    )
    parser.add_argument(
        "--recipe",
        choices=RECIPE_NAMES,
        help=f"paper: the training that REMI's paper prints ({as_flags(RECIPES['paper'])}), --remi without its "
        "additions; released: what REMI's release computes, including its flaws; comirec: what ComiRec's TensorFlow "
        "release computes, for its models; mtmi, mtmi_study: MTMI's loss as printed, with the paper's two sets of "
        "values, for MTMI's models (default: default)",
    )


def add_run_dir(parser: argparse.ArgumentParser) -> None:
    """The flag --run_dir of the commands that work on a run; `refuse_missing_run` checks it."""
    parser.add_argument("--run_dir", type=Path, required=True, help=f"the folder that {command('train')} wrote")
    add_no_verify(parser)


def add_exclude_history(parser: Any) -> None:
    """The flag --exclude_history of the commands that use a run; None is the run's own way."""
    parser.add_argument(
        "--exclude_history",
        nargs="?",
        const="yes",
        choices=CHOICES,
        help="leave a user's whole history out of the user's list; auto: if users of the log seldom come back to an "
        "item; without a value yes (default: as the run was trained)",
    )


def add_no_verify(parser: argparse.ArgumentParser) -> None:
    """The flag --no_verify of the commands that open what other commands wrote; `verification` reads it."""
    parser.add_argument(
        "--no_verify", action="store_true", help="do not compare checksums with the manifests (default: compare them)"
    )


def verification(no_verify: bool) -> dict[str, bool]:
    """--no_verify as the arguments of what opens a run, a dataset or an index; a note says what it means."""
    if no_verify:
        print("Note: not verified (--no_verify): checksums are not compared, so damaged files may be used")
    return {"verify": False} if no_verify else {}


def refuse_missing_run(run_dir: Path, flag: str = "--run_dir") -> None:
    """Raise InputError if there is no such folder, before TensorFlow is loaded."""
    if not run_dir.is_dir():
        raise InputError(f"{flag} {run_dir}: there is no such folder; {command('train')} writes one")


def strength_list(text: str) -> tuple[float, ...]:
    """'0,0.1,inf' → (0.0, 0.1, inf), ascending.

    Raises:
      argparse.ArgumentTypeError: not a list of numbers of 0 or more.
    """
    try:
        numbers = sorted({float(part) for part in text.split(",")})
    except ValueError:
        numbers = [-1.0]
    if not all(number >= 0 for number in numbers):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of numbers of 0 or more such as 0,0.1,0.5")
    return tuple(numbers)


def number_list(text: str) -> tuple[int, ...]:
    """'20,50' → (20, 50), ascending.

    Raises:
      argparse.ArgumentTypeError: not a list of positive whole numbers.
    """
    try:
        numbers = sorted({int(part) for part in text.split(",")})
    except ValueError:
        numbers = [0]
    if numbers[0] < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of positive whole numbers such as 20,50")
    return tuple(numbers)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    print("terminated", file=sys.stderr)
    sys.exit(128 + number)


def run_main(main: Callable[[list[str]], int]) -> NoReturn:
    """Run an entry point. Exit code: that of `main`; 2 after an expected error (printed as one line); 130 after Ctrl-C.

    SIGTERM ends it cleanly too, with exit code 143, and so does a closed pipe (`| head`), with 141. Characters that a
    terminal cannot show, or that would steer it, are escaped.
    """
    signal.signal(signal.SIGTERM, _terminate)
    forgive_encoding()
    try:
        with escape_stdout():
            code = _exit_code(main)
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        leave_closed_pipe("stdout", "stderr")
        code = 128 + 13  # as if SIGPIPE had ended it
    sys.exit(code)


def _exit_code(main: Callable[[list[str]], int]) -> Any:
    try:
        return main(sys.argv[1:])
    except SystemExit as end:  # after --help, and of _terminate
        return end.code
    except (InputError, TrainingDiverged) as error:
        return _refused(str(error))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        raise
    except OSError as error:
        reason = disk_error(error) if error.filename is None else None
        reason = reason or error
        return _refused(f"{reason.filename or 'file'}: {reason.strerror or reason}")
    except Exception as error:  # of a library that has errors of its own for a full disk
        full = disk_error(error)
        if full is None:
            raise
        return _refused(f"{full.strerror} ({str(error).splitlines()[0]})")


def _refused(message: str) -> int:
    print(f"error: {shown(message)}", file=sys.stderr)
    return 2
