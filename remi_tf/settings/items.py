"""The settings of the items' vectors: whether items are an id only, or also what their features say."""

from dataclasses import dataclass

from remi_tf.settings.setting import Only, SettingGroup, setting

WITH_TOWER: Only = {"item_tower": ("sum", "mlp")}
NEW_ITEM_LENGTH = 1.35
"""Factor on the vectors of items that a run has never seen: of those tried, the largest that cost other items less than
1% of their recall on validation users (docs/RESULTS.md, "Items that training has never seen")."""


@dataclass(frozen=True)
class ItemSettings(SettingGroup):
    """What the vector of an item is made of."""

    item_tower: str = setting(
        "id",
        "what an item's vector is made of; id: a row of the item table; sum: and the embeddings of its features; mlp: "
        "and a hidden layer on these; mlp where the dataset has features of items",
        choices=("id", "sum", "mlp"),
        of_gradient_steps=True,
    )
    id_dropout: float = setting(
        3.0,
        "an item that occurs n times in training loses its row as target and negative in the share id_dropout / "
        "(id_dropout + n) of the steps, so that features can carry an item without it",
        only=WITH_TOWER,
        of_gradient_steps=True,
    )
