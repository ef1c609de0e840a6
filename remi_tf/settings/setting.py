"""One setting: its default, what it means and which values it takes. Groups of settings check themselves."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any

from remi_tf.errors import InputError

Only = Mapping[str, tuple[str, ...]]


def setting(
    default: Any,
    help: str,
    *,
    choices: tuple[str, ...] | None = None,
    only: Only | None = None,
    switch: str | None = None,
    of_gradient_steps: bool = False,
    least: int = 1,
    above_zero: bool = False,
    dropped: bool = False,
    candidates: tuple[float, ...] = (),
) -> Any:
    """A dataclass field that the command line, config.json and the checks all read.

    Args:
      default: the default. It also decides the type: bool, int, float (finite, 0 or more) or str.
      help: what it means, in one line.
      choices: the only values it takes.
      only: another setting and its values under which this one is read. Under other values this one is refused.
      switch: another setting that must be above 0 for this one to be read.
      of_gradient_steps: whether only gradient steps read it, so that a counted model does not.
      least: the smallest whole number it takes.
      above_zero: whether a float must be above 0.
      dropped: whether a float is a share of what training leaves out, so that it must be below 1.
      candidates: values of which one is chosen on validation users, unless a value is given.
    """
    metadata = {
        "help": help,
        "choices": choices,
        "only": only or {},
        "switch": switch,
        "of_gradient_steps": of_gradient_steps,
        "least": least,
        "above_zero": above_zero,
        "dropped": dropped,
        "candidates": candidates,
    }
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class SettingGroup:
    """A frozen group of settings. Making one checks every value, so no group with impossible values exists.

    Raises:
      InputError: a value that a setting does not take; the message names the flag and what is possible.
    """

    def __post_init__(self) -> None:
        for each in dataclasses.fields(self):
            check_value(each, getattr(self, each.name))
        self.check()

    def check(self) -> None:
        """Check the values of this group against each other. Raises InputError."""


def check_value(setting: "dataclasses.Field[Any]", value: Any) -> None:
    """Refuse a value that a setting does not take.

    Raises:
      InputError: with the flag, the value and what is possible.
    """
    name, default, meta = setting.name, setting.default, setting.metadata
    if meta["choices"] and value not in meta["choices"]:
        raise InputError(f"--{name} {value!r}: choose one of {', '.join(meta['choices'])}")
    if type(default) is int:
        if not isinstance(value, Integral):
            raise InputError(f"--{name} {value!r}: must be a whole number ({meta['help']})")
        if value < meta["least"]:
            raise InputError(f"--{name} {value}: must be {meta['least']} or more ({meta['help']})")
    elif type(default) is float:
        usable = isinstance(value, Real) and 0 <= float(value) < float("inf")
        if not usable or (meta["above_zero"] and value == 0):
            raise InputError(
                f"--{name} {value!r}: must be a finite number {'above' if meta['above_zero'] else 'of at least'} 0; "
                f"the default is {default}"
            )
        if meta["dropped"] and value >= 1:
            raise InputError(f"--{name} {value}: nothing would be left; give a share below 1")
