"""Commands of documents: whether their flags are understood, without doing what they say."""

import shlex
from importlib import import_module
from pathlib import Path

import pytest

from remi_tf.commands.cli import Parser


class Parsed(Exception):
    """The flags of a command were understood."""


def main_of(script: str):
    """The entry point of a script such as data/prepare.py."""
    return import_module(f"remi_tf.commands.{Path(script).stem}").main


def assert_can_be_typed(typed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`typed`: a command without "python", such as train.py --dataset book."""
    parse = Parser.parse_args

    def only_parse(self, args=None, namespace=None):
        raise Parsed(parse(self, args, namespace))

    monkeypatch.setattr(Parser, "parse_args", only_parse)
    script, *flags = shlex.split(typed)
    with pytest.raises(Parsed):
        main_of(script)(flags)
