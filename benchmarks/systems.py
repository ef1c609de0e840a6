"""What benchmarks compare: systems and their settings. A system is a list of train.py's flags, the model first."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from remi_tf.commands.cli import Parser, add_settings, number_list
from remi_tf.errors import InputError
from remi_tf.settings.presets import compose
from remi_tf.settings.recipes import RECIPE_NAMES
from remi_tf.settings.settings import Settings

OWN_FLAGS = ("dataset", "seed", "run_dir", "max_steps", "eval_every", "patience", "overwrite", "resume")  # of train.py


@dataclass(frozen=True)
class System:
    """flags: flags of train.py, the model first. seeds: the seeds to train with."""

    flags: tuple[str, ...]
    seeds: tuple[int, ...]

    @property
    def name(self) -> str:
        return " ".join(self.flags)

    @classmethod
    def parse(cls, text: str, seeds: tuple[int, ...]) -> "System":
        """Read text such as "SA --remi @1,2".

        Raises:
          InputError: no model, a seed that is not a number, or a flag that a system may not set.
        """
        words, _, own = text.partition(" @")
        flags = tuple(words.split())
        if not flags or flags[0].startswith("-"):
            raise InputError(f'--system {text!r}: begin with the model, such as "SA --remi"')
        for flag in flags:
            if flag.split("=")[0].removeprefix("--no-").removeprefix("--") in OWN_FLAGS and flag.startswith("--"):
                raise InputError(f"--system {text!r}: {flag} is set for all systems alike; leave it out")
        try:
            return cls(flags, number_list(own) if own else seeds)
        except argparse.ArgumentTypeError as error:
            raise InputError(f"--system {text!r}: {error}") from error


def settings_of(
    flags: Sequence[str],
    dataset_name: str,
    num_items: int | None = None,
    repeats: float | None = None,
    has_features: bool = False,
) -> Settings:
    """The settings that train.py takes from flags such as ["SA", "--remi"] on a dataset of this name.

    Raises:
      InputError: flags that train.py would refuse.
    """
    parser = Parser()
    parser.add_argument("--remi", action="store_true")
    parser.add_argument("--recipe", "--profile", choices=RECIPE_NAMES, default="default")  # --profile: its name in 0.1
    add_settings(parser)
    try:
        given = vars(parser.parse_args(["--model_type", *flags]))
        recipe, remi = given.pop("recipe"), given.pop("remi")
        return compose(dataset_name, recipe, remi, given, num_items, repeats, has_features)
    except InputError as error:
        raise InputError(f'system "{" ".join(flags)}": {error}') from error
