"""What is searched: settings with the values or the range that each may take, read from JSON and checked.

{"num_interests": [2, 4, 8], "learning_rate": {"low": 1e-4, "high": 1e-2, "log": true}}
"""

import difflib
import itertools
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remi_tf.errors import InputError
from remi_tf.settings.names import known_settings
from remi_tf.settings.setting import check_value

MOST_COMBINATIONS = 1000
"""Up to so many combinations are all checked before the search; of more, each value on its own."""
NOT_SEARCHED = {
    "eval_users": "it changes on whom a trial is scored",
    "exclude_history": "it changes how a trial is scored",
    "select": "it changes how a trial is scored",
    "seed": "the best of several seeds is the luckiest one",
}
"""Settings under which scores of trials could not be compared, and why."""
_KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


@dataclass(frozen=True)
class Values:
    """One of several values."""

    values: tuple[Any, ...]

    def __str__(self) -> str:
        return ", ".join(map(str, self.values))

    def corners(self) -> tuple[Any, ...]:
        """The values that are checked before the search: all."""
        return self.values

    def to_json(self) -> list[Any]:
        """As in the file."""
        return list(self.values)


@dataclass(frozen=True)
class Range:
    """Any number from `low` to `high`, both included; with `log`, orders of magnitude are equally likely."""

    low: int | float
    high: int | float
    log: bool = False

    def __str__(self) -> str:
        return f"{self.low:g} to {self.high:g}{' (log)' if self.log else ''}"

    def corners(self) -> tuple[Any, ...]:
        """The values that are checked before the search: both ends."""
        return (self.low, self.high)

    def to_json(self) -> dict[str, Any]:
        """As in the file."""
        return {"low": self.low, "high": self.high, "log": self.log}


Space = Mapping[str, Values | Range]


def read_space(path: Path) -> Space:
    """The space in a JSON file.

    Raises:
      InputError: no such file, not JSON, or as `parse_space`.
    """

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        if twice := [name for name in names if names.count(name) > 1]:
            raise InputError(f"{path}: {twice[0]} is there twice; keep one of them")
        return dict(pairs)

    try:
        content = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=unique)
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); name a JSON file") from error
    except ValueError as error:
        raise InputError(f'{path}: not JSON ({error}); write it as {{"num_interests": [2, 4, 8]}}') from error
    return parse_space(str(path), content)


def parse_space(where: str, content: Any) -> Space:
    """Setting → list of values, or {"low", "high", "log"} → a space. Each value is one that the setting takes.

    Args:
      where: what the messages call it.

    Raises:
      InputError: naming the setting, the value and the remedy.
    """
    if not isinstance(content, dict) or not content:
        raise InputError(f'{where}: no settings; give an object with some, such as {{"num_interests": [2, 4, 8]}}')
    return {name: _parse(where, name, choice) for name, choice in content.items()}


def _parse(where: str, name: str, choice: Any) -> Values | Range:
    known = known_settings()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        raise InputError(f"{where}: unknown setting {name!r}; {f'did you mean {near[0]!r}?' if near else 'see --help'}")
    if name in NOT_SEARCHED:
        raise InputError(
            f"{where}: {name} cannot be searched: {NOT_SEARCHED[name]}; leave it out, or fix it by --{name}"
        )
    if known[name].group == "boost":
        raise InputError(
            f"{where}: {name} cannot be searched: trials are scored without a boost, which is chosen when training "
            f"ends; leave it out, or fix it by --{name}"
        )
    if isinstance(choice, dict):
        return _parse_range(where, name, choice)
    if not isinstance(choice, list):
        example = '[1, 2, 3] or {"low": 1, "high": 3}'
        raise InputError(f"{where}: {name} {choice!r}: neither a list of values nor a range; write {example}")
    if not choice:
        raise InputError(f"{where}: {name}: an empty list; give the values to try, or leave {name} out")
    values = tuple(_checked(where, name, value) for value in choice)
    if twice := [value for value in values if values.count(value) > 1]:
        raise InputError(f"{where}: {name} {twice[0]!r}: there twice; give each value once")
    return Values(values)


def _parse_range(where: str, name: str, choice: Mapping[str, Any]) -> Range:
    default = known_settings()[name].field.default
    if type(default) not in (int, float):
        raise InputError(f"{where}: {name}: it is no number, so it has no range; give a list of its values")
    if unknown := [key for key in choice if key not in ("low", "high", "log")]:
        raise InputError(f"{where}: {name}: unknown key {unknown[0]!r}; a range has low, high and, if wanted, log")
    if missing := [key for key in ("low", "high") if key not in choice]:
        raise InputError(f"{where}: {name}: {missing[0]} is missing; a range has low and high")
    low, high = (_checked(where, name, choice[key]) for key in ("low", "high"))
    log = choice.get("log", False)
    if type(log) is not bool:
        raise InputError(f"{where}: {name}: log {log!r}; give true or false")
    if low >= high:
        raise InputError(f"{where}: {name}: low {low} is not below high {high}; swap them, or fix it by --{name}")
    if log and low <= 0:
        raise InputError(f"{where}: {name}: low {low} with log; give a low above 0, or leave out log")
    return Range(low, high, log)


def _checked(where: str, name: str, value: Any) -> Any:
    """A value in the type of its setting, which takes it."""
    setting = known_settings()[name].field
    kind: Any = type(setting.default)
    fits = type(value) is kind or (kind is float and type(value) is int)
    if not fits or (kind is float and not math.isfinite(value)):
        raise InputError(f"{where}: {name} {value!r}: must be {_KINDS[kind]} ({setting.metadata['help']})")
    try:
        check_value(setting, value)
    except InputError as error:
        raise InputError(f"{where}: {str(error).removeprefix('--')}") from error
    return kind(value)


def grid_size(space: Space) -> int | None:
    """How many combinations a space of lists has; None where it has a range."""
    lists = [choice.values for choice in space.values() if isinstance(choice, Values)]
    return math.prod(map(len, lists)) if len(lists) == len(space) else None


def combinations(space: Space) -> Iterator[dict[str, Any]]:
    """Every combination of the corners, in the order of the space."""
    for values in itertools.product(*(choice.corners() for choice in space.values())):
        yield dict(zip(space, values, strict=True))


def check_space(where: str, space: Space, compose: Callable[[Mapping[str, Any]], object]) -> None:
    """Have the settings of a run made from values of the space, and refuse the space if they refuse one.

    Args:
      compose: makes settings from the searched values; raises InputError where they do not go together.

    Raises:
      InputError: naming the values that are refused, as few of them as it takes.
    """
    size = math.prod(len(choice.corners()) for choice in space.values())
    for values in combinations(space) if size <= MOST_COMBINATIONS else _one_by_one(space):
        if (error := _refusal(compose, values)) is None:
            continue
        for name in space:
            fewer = {other: value for other, value in values.items() if other != name}
            if (with_fewer := _refusal(compose, fewer)) is not None:
                values, error = fewer, with_fewer
        if not values:  # not because of what is searched
            raise error
        asked = ", ".join(f"{name} {value}" for name, value in values.items())
        raise InputError(f"{where}: {asked}: {error}") from error


def _one_by_one(space: Space) -> Iterator[dict[str, Any]]:
    """Every corner of each setting, next to the first corners of the others."""
    first = {name: choice.corners()[0] for name, choice in space.items()}
    for name, choice in space.items():
        for value in choice.corners():
            yield {**first, name: value}


def _refusal(compose: Callable[[Mapping[str, Any]], object], values: Mapping[str, Any]) -> InputError | None:
    try:
        compose(values)
    except InputError as error:
        return error
    return None
