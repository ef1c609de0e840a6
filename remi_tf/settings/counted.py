"""The options of the counted models. encoders.py has those of the trained ones, and who has which.

Options with `candidates` are chosen on validation users, unless they are given (evaluation/choice.py).
"""

from dataclasses import dataclass

from remi_tf.errors import InputError
from remi_tf.settings.setting import SettingGroup, setting


@dataclass(frozen=True)
class DecayOptions(SettingGroup):
    """Counted models that add up over the history."""

    decay: float = setting(
        0.8,
        "factor on the weight of an item of the history for each newer item; 1 = all weigh the same",
        candidates=(0.2, 0.4, 0.6, 0.8, 0.9, 0.95),
        above_zero=True,
    )

    def check(self) -> None:
        super().check()
        if self.decay > 1:
            raise InputError(f"--decay {self.decay}: older items would weigh more than new ones; give 1 or less")


@dataclass(frozen=True)
class NeighbourOptions(DecayOptions):
    """Counted models that keep a list for each item."""

    neighbours: int = setting(200, "best items that are kept for each item")


@dataclass(frozen=True)
class ItemKNNOptions(NeighbourOptions):
    """ItemKNN."""

    shrink: float = setting(
        100.0,
        "added to the cosine's denominator, so that few common users make no close neighbours",
        candidates=(0.0, 20.0, 100.0, 500.0),
    )


@dataclass(frozen=True)
class RulesOptions(NeighbourOptions):
    """SequentialRules."""

    window: int = setting(10, "places after an item in which another one counts as following it")
    antecedent_power: float = setting(
        0.5,
        "p: a rule's weight is divided by (count of the item that it starts from)^p; 0 = not, 1 = a mean",
        candidates=(0.0, 0.5, 1.0),
    )


@dataclass(frozen=True)
class EASEOptions(DecayOptions):
    """EASE."""

    ease_lambda: float = setting(
        1000.0,
        "L2 penalty on the weights between items",
        candidates=(300.0, 1000.0, 3000.0, 10000.0),
        above_zero=True,
    )
