"""Whether a user's history is left out of the user's lists. It is decided here, and nowhere else.

Training decides it once, from the setting exclude_history and the log's share of repeats
(data/dataset/repeats.py). Validation, evaluation, exports and recommendations then follow the run, unless a flag says
otherwise.
"""

from collections.abc import Callable
from typing import Any

from remi_tf.errors import InputError

CHOICES = ("auto", "yes", "no")
MOST_REPEATS = 0.02
"""auto leaves the history out of the lists below this share of repeated targets.

Leaving it out loses the repeated targets. Leaving it in loses the places in the list that it takes. docs/RESULTS.md,
"The history in the lists", has both for seven logs.
"""


def excludes_history(asked: Any, repeats: Callable[[], float]) -> bool:
    """Whether lists leave out the history.

    Args:
      asked: yes, no, auto, True or False.
      repeats: gives the log's share of repeats; called only for auto.

    Raises:
      InputError: `asked` is something else.
    """
    if isinstance(asked, str) and asked in CHOICES:
        return repeats() < MOST_REPEATS if asked == "auto" else asked == "yes"
    if str(asked) in ("True", "False") and not isinstance(asked, str):  # also NumPy's
        return bool(asked)
    raise InputError(f"exclude_history {asked!r}: give yes, no or auto, in Python also True or False")


def in_words(excluded: bool, repeats: float | None) -> str:
    """What every printed table says: which it is, and the log's share of repeats, if it is known."""
    which = ("left in", "left out of")
    line = f"history {which[excluded]} the lists"
    if repeats is None:
        return line
    share, by_itself = f"{repeats:.1%} of targets repeat", repeats < MOST_REPEATS
    if excluded == by_itself:
        return f"{line} (auto: {share})"
    return f"{line} (not auto: {share})"
