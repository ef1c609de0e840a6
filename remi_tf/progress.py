"""Progress bars, all alike, for a terminal and a notebook, and lines. A log file gets a line now and then, or none."""

import sys
from typing import Any

from tqdm import tqdm


def watched() -> bool:
    """Whether somebody is watching: stderr is a terminal, or a notebook shows it."""
    return sys.stderr.isatty() or "ipykernel" in sys.modules


def say(words: str, *, shown: bool) -> None:
    """A line on stderr, above the bars that there are: what begins now. shown: if false, none."""
    if shown:
        tqdm.write(words, file=sys.stderr)


def bar(desc: str, *, total: int | None = None, only_watched: bool = True, shown: bool = True, **options: Any) -> tqdm:
    """A tqdm bar on stderr.

    Args:
      only_watched: no bar unless somebody is watching. If false, a log file gets a line every 30 seconds.
      shown: if false, no bar at all.
      options: further arguments of tqdm.
    """
    hidden = not shown or (only_watched and not watched())
    interval = 0.5 if watched() else 30.0
    return tqdm(desc=desc, total=total, disable=hidden, mininterval=interval, dynamic_ncols=True, **options)
