"""The settings of the boost: counted neighbours of the history's items, added to the scores of a trained model."""

from dataclasses import dataclass

from remi_tf.errors import InputError
from remi_tf.settings.setting import Only, SettingGroup, setting

CHOSEN: Only = {"boost": ("counted",)}


@dataclass(frozen=True)
class BoostSettings(SettingGroup):
    """Whether items that the log shows next to those of the history score higher, and by how much."""

    boost: str = setting(
        "none",
        "counted: when training ends, add to an item's score what the log counts about it and the items of the "
        "history; counted with --remi",
        choices=("none", "counted"),
        of_gradient_steps=True,
    )
    boost_table: str = setting(
        "chosen",
        "what is counted: rules = what follows an item, cosine = what the same users have, content = items whose "
        "features are alike; chosen on validation users",
        choices=("chosen", "rules", "rules_and_cosine", "rules_and_content", "rules_cosine_and_content"),
        only=CHOSEN,
    )
    boost_neighbours: int = setting(100, "best items that are kept for each item", only=CHOSEN)
    boost_weight: float = setting(0.0, "factor on what is added; 0 = chosen on validation users", only=CHOSEN)
    boost_decay: float = setting(
        0.0,
        "factor on what an item of the history adds for each newer item; 0 = chosen on validation users",
        only=CHOSEN,
    )

    def check(self) -> None:
        """See the base class."""
        if self.boost_decay > 1:
            raise InputError(
                f"--boost_decay {self.boost_decay}: older items would weigh more than new ones; give 1 or less"
            )
