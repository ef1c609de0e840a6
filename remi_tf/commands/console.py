"""What people see: consoles of any encoding, pipes that close early, characters that would steer a terminal."""

import codecs
import contextlib
import os
import re
import sys
import unicodedata
from collections.abc import Callable
from typing import Any

PLAIN = {"→": "->", "…": "...", "×": "x", "·": "*", "–": "-", "≥": ">="}
"""What stands for a character of our own messages where a console cannot show it."""

STEERS = ("Cc", "Cs", "Zl", "Zp")
"""Unicode's classes of control characters, halves of surrogates, and ends of lines and paragraphs."""

TURNS = {*map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A)), "\u200e", "\u200f"}
"""Characters that turn the direction of the text after them."""


def shown(text: str) -> str:
    """Text of somebody else (an id, a title) with an escape for each character that would steer the terminal."""
    if text.isprintable():
        return text
    return "".join(_escape(char) if unicodedata.category(char) in STEERS or char in TURNS else char for char in text)


def forgive_encoding() -> None:
    """Let stdout and stderr replace what their encoding does not have, instead of ending the program."""
    codecs.register_error("remi_tf.plain", _plain)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="remi_tf.plain")
        elif stream is not None and getattr(stream, "encoding", None):
            setattr(sys, name, _Forgiving(stream))


def escape_stdout() -> contextlib.AbstractContextManager[Any]:
    """Within the block what is printed has escapes as `shown` makes them, except for ends of lines and tabs."""
    return contextlib.nullcontext() if sys.stdout is None else contextlib.redirect_stdout(_Escaping(sys.stdout))


def leave_closed_pipe(*names: str) -> None:
    """Send what is still to be printed to these streams nowhere, so that Python does not complain at its end."""
    for name in names:
        with contextlib.suppress(OSError, ValueError, AttributeError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, getattr(sys, name).fileno())
            os.close(nowhere)


def unread(say: Callable[..., None]) -> Callable[..., None]:
    """`say`, which prints, for work that is worth going on with where nobody reads on."""

    def try_to_say(*arguments: Any) -> None:
        try:
            say(*arguments)
        except BrokenPipeError:
            leave_closed_pipe("stdout")

    return try_to_say


class _Escaping:
    """A stream on which characters that would steer the terminal arrive as escapes."""

    def __init__(self, stream: Any):
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(
            "".join(part if part in "\n\t" else shown(part) for part in re.split(r"([\n\t])", text))
        )

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Forgiving:
    """A text stream that has an encoding and no `reconfigure` (an IDE's console)."""

    def __init__(self, stream: Any):
        self._stream = stream

    def write(self, text: str) -> int:
        encoding = self._stream.encoding
        return self._stream.write(text.encode(encoding, "remi_tf.plain").decode(encoding, "replace"))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(PLAIN.get(char) or _escape(char) for char in text), error.end


def _escape(char: str) -> str:
    return char.encode("ascii", "backslashreplace").decode() if ord(char) > 127 else repr(char)[1:-1]
