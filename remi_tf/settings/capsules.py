"""The options of MIND and DR, checked without any other setting."""

from dataclasses import dataclass

from remi_tf.settings.setting import SettingGroup, setting


@dataclass(frozen=True)
class CapsuleOptions(SettingGroup):
    """What both have."""

    routing_softmax: str = setting(
        "interests", "what the softmax of the routing runs over", choices=("interests", "sequence")
    )
    adaptive_interests: bool = setting(False, "K' = max(1, min(K, log2 |history|)) interests for a short history")


@dataclass(frozen=True)
class MINDOptions(SettingGroup):
    """MIND's own."""

    relu_layer: bool = setting(False, "dense ReLU layer on every capsule")
    routing_start: str = setting(
        "normal",
        "what the routing logits are drawn from; truncated: cut at 2 standard deviations, as in ComiRec's release",
        choices=("normal", "truncated"),
    )


@dataclass(frozen=True)
class DynamicRoutingOptions(SettingGroup):
    """DR's own."""

    map_fan_in: str = setting(
        "item",
        "initial std of the maps; item: sqrt(2/d), tensor: sqrt(2/(L K d^2)) as in REMI's port, unit: 1 (ComiRec's)",
        choices=("item", "tensor", "unit"),
    )
