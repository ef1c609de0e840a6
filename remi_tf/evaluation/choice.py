"""The options of a counted model are chosen on validation users: those with candidates that nobody has given."""

import dataclasses
import itertools
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from remi_tf.counted.base import CountedModel
from remi_tf.data.dataset.folder import Dataset
from remi_tf.evaluation.evaluate import Evaluator
from remi_tf.progress import bar
from remi_tf.settings.encoders import EncoderSettings
from remi_tf.settings.selection import cut_off

USERS = 4096
"""Validation users that choose at most, the first ones of the split."""


@dataclass(frozen=True)
class Choice:
    """What was chosen, and from what.

    settings: the encoder settings with the best score. tried: (option → value, score) of every candidate, in the order
    in which they were tried. metric: what the score is. users: how many validation users it is the mean of.
    """

    settings: EncoderSettings
    tried: tuple[tuple[dict[str, Any], float], ...]
    metric: str
    users: int

    @property
    def values(self) -> dict[str, Any]:
        """Option → chosen value."""
        return {name: getattr(self.settings, name) for name in self.tried[0][0]}

    def to_json(self) -> dict[str, Any]:
        """What config.json says about it."""
        tried = [{**values, self.metric: score} for values, score in self.tried]
        return {"users": self.users, "metric": self.metric, "chosen": self.values, "tried": tried}

    @classmethod
    def from_json(cls, content: dict[str, Any], settings: EncoderSettings) -> "Choice":
        """Inverse of `to_json`. settings: what was chosen among, of which the chosen values are changed.

        Raises:
          InputError, KeyError, TypeError, ValueError: it is not what `to_json` gives for a model of these settings.
        """
        metric, names = content["metric"], content["chosen"].keys()
        tried = tuple(({name: each[name] for name in names}, float(each[metric])) for each in content["tried"])
        return cls(dataclasses.replace(settings, **content["chosen"]), tried, metric, int(content["users"]))

    def sentence(self) -> str:
        """The same for people."""
        chosen = ", ".join(f"{name} {value}" for name, value in self.values.items())
        best = max(score for _, score in self.tried)
        return (
            f"Chosen on {self.users:,} validation users from {len(self.tried)} settings: {chosen} "
            f"({self.metric} {best:.4f})"
        )


def open_options(settings: EncoderSettings, given: Collection[str]) -> dict[str, tuple[Any, ...]]:
    """Option → candidates, of the options that are to be chosen: they have candidates and are not among `given`."""
    found = {each.name: each.metadata["candidates"] for each in dataclasses.fields(settings)}
    return {name: values for name, values in found.items() if values and name not in given}


def choose(
    model: CountedModel,
    dataset: Dataset,
    given: Collection[str],
    metric: str,
    users: int = 0,
    exclude_history: bool = False,
    progress: bool = False,
) -> Choice | None:
    """Count with every combination of candidates; the one with the best score on validation users wins, the first of
    equal ones. The model is left as counted last.

    Args:
      model: made with the settings, among them those that are given.
      given: names of settings that stay as they are.
      metric: what decides, such as recall@50.
      users: validation users at most; 0 is `USERS`.
      exclude_history: whether the history is left out of the lists that decide.
      progress: show a progress bar on a terminal.

    Returns:
      None if there is nothing to choose, or no validation user with a target to choose on.
    """
    options, valid = open_options(model.settings, given), dataset.valid.first(users or USERS)
    if not options or not (valid.lengths > valid.cuts).any():
        return None
    evaluator = Evaluator(model, (cut_off(metric),), exclude_history)
    tried = []
    for values in bar("choose settings", iterable=list(_combinations(options)), shown=progress):
        model.count(dataset.train, dataclasses.replace(model.settings, **values))
        result = evaluator.evaluate(valid)
        tried.append((values, float(result.means[metric])))
    best, _ = max(tried, key=lambda each: each[1])  # the first of equal ones
    return Choice(dataclasses.replace(model.settings, **best), tuple(tried), metric, len(result.users))


def _combinations(options: dict[str, tuple[Any, ...]]) -> Iterator[dict[str, Any]]:
    """All of them; decay changes fastest, as a model need not count again for it."""
    names = sorted(options, key=lambda name: name == "decay")
    for values in itertools.product(*(options[name] for name in names)):
        yield dict(zip(names, values, strict=True))
