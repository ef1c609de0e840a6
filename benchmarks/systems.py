"""What benchmarks compare: systems and their settings. A system is a list of train.py's flags, the model first."""

import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from remi_tf.commands.cli import Parser, add_settings
from remi_tf.errors import InputError
from remi_tf.settings.presets import compose
from remi_tf.settings.recipes import RECIPE_NAMES
from remi_tf.settings.settings import Settings


def settings_of(
    flags: Sequence[str], dataset_name: str, num_items: int | None = None, repeats: float | None = None
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
        return compose(dataset_name, given.pop("recipe"), given.pop("remi"), given, num_items, repeats)
    except InputError as error:
        raise InputError(f'system "{" ".join(flags)}": {error}') from error
