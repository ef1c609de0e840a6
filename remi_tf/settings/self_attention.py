"""The options of SA, checked without any other setting."""

from dataclasses import dataclass

from remi_tf.settings.setting import SettingGroup, setting


@dataclass(frozen=True)
class SelfAttentionOptions(SettingGroup):
    """SA. The defaults are the papers' encoder; --remi sets others (presets.py)."""

    positions: str = setting(
        "oldest", "the end of the history that positions are counted from", choices=("oldest", "newest")
    )
    history_dropout: float = setting(
        0.0, "share of the items of a history, the newest never, that a training step leaves out", dropped=True
    )
    value_width: int = setting(
        0,
        "an interest reads each item with those before it, this many in all, by a convolution of its own; 0 = only the "
        "item's embedding, as in the papers",
        least=0,
    )
    value_dropout: float = setting(
        0.0, "share of values of the convolution dropped in training", switch="value_width", dropped=True
    )
