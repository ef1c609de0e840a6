"""How a log becomes a dataset: the few settings of the protocol. Loads nothing heavy, so --help is quick."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from remi_tf.data.tables.sources import Source
from remi_tf.errors import InputError

CORES = ("single", "iterative")
SPLITS_BY = ("users", "leave_one_out", "time")
RENAMED = {"profile_cols": "it is called user_features now"}
"""Options of prepare by names that they had."""


def unknown_option(name: str, known: Sequence[str]) -> InputError:
    """What to say of an option of prepare that there is not."""
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known)}"
    return InputError(f"prepare has no option {name!r}; {RENAMED.get(name, hint)}")


def choose_split(source: Source | None, given: str | None) -> tuple[str | None, list[str]]:
    """The split of a log, None = the default, and what is to be said where a source has one of its own."""
    if source is None or source.split is None:
        return given, []
    usual, where = source.split
    if given is not None:
        return given, [f"split: {given}, as --split says; without it: {usual}, as in {where}"]
    others = " or ".join(split for split in SPLITS_BY if split != usual)
    return usual, [f"split: {usual}, as in {where}; --split {others} says otherwise"]


@dataclass(frozen=True)
class PrepareSettings:
    """How a log becomes a dataset.

    min_count: an item needs this many rows, then a user this many rows on kept items.
    core: `single` filters items once, then users once (the papers); `iterative` repeats until nothing changes.
    dedup: of several rows with the same user and item only the earliest stays.
    split: `users` (the papers: 8:1:1 of the users), `leave_one_out`, or `time` (cut at the 80% and 90% time quantiles).
      A source may have another default than `users`: `choose_split`.
    seed: of the shuffle of the users.
    cold_share, cold_seed: a random share of the items is hidden from training, so that evaluation can tell what becomes
      of new items. They stay in the sequences of validation and test users.
    """

    min_count: int = 5
    core: str = "single"
    dedup: bool = False
    split: str = "users"
    seed: int = 1230
    cold_share: float = 0.0
    cold_seed: int = 0

    def __post_init__(self) -> None:
        if self.min_count < 1:
            raise InputError(f"--min_count {self.min_count} is below 1; 1 keeps everything, the papers use 5")
        if self.core not in CORES:
            raise InputError(f"--core {self.core!r} is unknown; choose {' or '.join(CORES)}")
        if self.split not in SPLITS_BY:
            raise InputError(f"--split {self.split!r} is unknown; choose {', '.join(SPLITS_BY)}")
        if self.cold_seed and not self.cold_share:
            raise InputError(f"--cold_seed {self.cold_seed}: it draws the items of --cold_share, which is missing")
        if not 0 <= self.cold_share < 1:
            raise InputError(
                f"--cold_share {self.cold_share}: it is a share of the items; give a number from 0 to below 1"
            )
