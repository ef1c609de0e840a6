"""What a search is asked for: data, fixed settings, space, and the way to choose the next trial."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from remi_tf.data.dataset.folder import Dataset
from remi_tf.errors import InputError, command
from remi_tf.settings.presets import compose
from remi_tf.settings.settings import Settings
from remi_tf.tuning.space import Range, Space, check_space

SEARCHES, PRUNINGS = ("tpe", "grid", "random"), ("median", "none")
TRIALS = 30
"""Trials of a search that is no grid, unless another number is given."""


@dataclass(frozen=True)
class Request:
    """Everything that decides which trials there are and what each of them computes.

    dataset: as it was named on the command line; fixed: the settings that were given as flags; search: one of SEARCHES;
    pruning: one of PRUNINGS; keep_runs: whether the run folders of all trials stay.
    """

    dataset: Dataset
    named: str
    space: Space
    fixed: Mapping[str, Any]
    remi: bool = False
    recipe: str = "default"
    search: str = "tpe"
    search_seed: int = 0
    pruning: str = "median"
    keep_runs: bool = False

    def explicit(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The settings that a trial gives to its run; the others follow from them."""
        return {"model_type": "SA", **self.fixed, **values}

    def trained_with(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The same for the run of the trial itself: without a boost, as its score knows nothing of one."""
        counted = self.compose(values).boost.boost != "none"
        return {**self.explicit(values), **({"boost": "none"} if counted else {})}

    def compose(self, values: Mapping[str, Any]) -> Settings:
        """All settings of a trial.

        Raises:
          InputError: they do not go together.
        """
        data = self.dataset
        explicit, has_features = self.explicit(values), data.features is not None
        return compose(data.name, self.recipe, self.remi, explicit, data.num_items, data.repeats, has_features)

    def check(self, where: str) -> None:
        """Refuse what no trial could be made of. `where`: what the messages call the space.

        Raises:
          InputError: a setting that is both fixed and searched, or values that the settings refuse.
        """
        if both := [name for name in self.space if name in self.fixed]:
            other = (
                "take it out of the space" if not where.startswith("--space") else "give a space of your own, a file"
            )
            raise InputError(f"--{both[0]}: {where} searches it too; leave out the flag, or {other}")
        if self.search == "grid" and (ranges := [n for n, each in self.space.items() if isinstance(each, Range)]):
            raise InputError(
                f"--search grid: {where} has a range for {ranges[0]}; give a list of its values, or --search tpe"
            )
        check_space(where, self.space, self.compose)

    def grid(self) -> list[dict[str, Any]]:
        """All combinations of a space of lists, in an order of the seed's."""
        each = [choice.corners() for choice in self.space.values()]
        found = [dict(zip(self.space, values, strict=True)) for values in itertools.product(*each)]
        return [found[row] for row in np.random.default_rng(self.search_seed).permutation(len(found))]

    def to_json(self) -> dict[str, Any]:
        """What study.json holds."""
        return {
            "dataset": {"name": self.dataset.name, "fingerprint": self.dataset.fingerprint},
            "fixed": dict(self.fixed),
            "space": {name: choice.to_json() for name, choice in self.space.items()},
            **{
                name: getattr(self, name)
                for name in ("remi", "recipe", "search", "search_seed", "pruning", "keep_runs")
            },
        }

    def train_command(self, values: Mapping[str, Any], run_dir: Path) -> str:
        """The command that trains a run with the settings of a trial."""
        words = ["--dataset", self.named, *(["--remi"] if self.remi else [])]
        words += ["--recipe", self.recipe] if self.recipe != "default" else []
        return command("train", *words, *_flags(self.explicit(values)), "--run_dir", run_dir)


def _flags(values: Mapping[str, Any]) -> Iterator[str]:
    for name, value in values.items():
        if type(value) is bool:
            yield f"--{name}" if value else f"--no-{name}"
        else:
            yield from (f"--{name}", str(value))
