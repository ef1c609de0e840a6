"""The encoders and the counted models, by their --model_type name, and the options of each.

A new encoder needs its file, an entry here and a row in README. Its own options are fields of its settings class.
Nothing here loads TensorFlow, so a wrong combination is refused before anything slow happens.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from remi_tf.errors import InputError
from remi_tf.settings.capsules import CapsuleOptions, DynamicRoutingOptions, MINDOptions
from remi_tf.settings.counted import EASEOptions, ItemKNNOptions, RulesOptions
from remi_tf.settings.self_attention import SelfAttentionOptions
from remi_tf.settings.setting import SettingGroup, setting
from remi_tf.settings.sine import SINEOptions


@dataclass(frozen=True)
class EncoderSettings(SettingGroup):
    """The options of every encoder. An encoder with more options has a subclass; use `encoder_settings` to make one."""

    model_type: str = setting("SA", "encoder; the names are in README's model table")
    embedding_dim: int = setting(64, "size of item and interest vectors")
    num_interests: int = setting(4, "interests per user, K")
    max_history: int = setting(20, "most recent items of the history that are read, L")
    read_profile: str = setting(
        "none", "concat: read the user's profile too", choices=("none", "concat"), of_gradient_steps=True
    )
    profile_dim: int = setting(8, "size of the embedding of each profile column", of_gradient_steps=True)

    def __post_init__(self) -> None:
        if self.model_type not in ENCODERS:
            raise InputError(f"--model_type {self.model_type!r}: choose one of {', '.join(ENCODERS)}")
        expected = ENCODERS[self.model_type].settings
        if type(self) is not expected:
            raise InputError(
                f"--model_type {self.model_type}: its settings are {expected.__name__}, not {type(self).__name__}; "
                f"make them with encoder_settings({self.model_type!r}, …)"
            )
        super().__post_init__()
        if ENCODERS[self.model_type].single and self.num_interests > 1:
            several = ", ".join(name for name in ENCODERS if not ENCODERS[name].single)
            raise InputError(
                f"--num_interests {self.num_interests}: {self.model_type} gives one vector a user; leave it out, or "
                f"take a multi-interest model ({several})"
            )

    def fixed_routing(self) -> str | None:
        """Why no penalty can train the routing under these options, and the remedy. None if one can."""
        return None

    def unread(self, name: str) -> str | None:
        """Why one of these options is not read under the others, and the remedy. None if it is read."""
        if name == "profile_dim" and "profile" not in needs(self):
            return "read only with --read_profile concat; leave it out, or give both"
        return None


@dataclass(frozen=True)
class _Bias(EncoderSettings):
    use_bias: bool = setting(False, "bias in the encoder's dense layers (ComiRec's TensorFlow release has it)")


@dataclass(frozen=True)
class _Start(EncoderSettings):
    initializer: str = setting(
        "kaiming",
        "how the item table and the encoder start; kaiming: normal, as in REMI's port; glorot: as in ComiRec's release",
        choices=("kaiming", "glorot"),
    )


@dataclass(frozen=True)
class _MaskPadding(EncoderSettings):
    mask_padding: bool = setting(
        True, "leave padded slots out of means, graphs and routing; the releases count some of them in"
    )


@dataclass(frozen=True)
class _Dropout(EncoderSettings):
    dropout: float = setting(0.0, "share of values dropped in training", dropped=True)


@dataclass(frozen=True)
class _Heads(EncoderSettings):
    num_heads: int = setting(1, "attention heads")

    def check(self) -> None:
        super().check()
        if self.embedding_dim % self.num_heads:
            raise InputError(
                f"--num_heads {self.num_heads}: attention heads share --embedding_dim {self.embedding_dim}; take a "
                "number that divides it"
            )


@dataclass(frozen=True)
class _Rounds(EncoderSettings):
    routing_iterations: int = setting(3, "rounds of dynamic routing")

    def fixed_routing(self) -> str | None:
        if self.routing_iterations == 1:
            return (
                "--routing_iterations 1: after one round the routing is still its random or even start, which nothing "
                "can train; take 2 rounds or more"
            )
        if self.num_interests == 1 and self._items_choose():
            return (
                "--num_interests 1: with one interest, items have nothing to choose from; take more interests, or "
                "--routing_softmax sequence"
            )
        return None

    def _items_choose(self) -> bool:
        """True: each item chooses among the interests. False: each interest chooses among the items."""
        return True


@dataclass(frozen=True)
class CapsuleSettings(CapsuleOptions, _MaskPadding, _Rounds, _Start):
    """The options that MIND and DR share."""

    def _items_choose(self) -> bool:
        return self.routing_softmax == "interests"

    def unread(self, name: str) -> str | None:
        if name == "mask_padding" and self.routing_softmax == "interests":
            return "with --routing_softmax interests padding never takes part; leave it out, or take sequence"
        return super().unread(name)


@dataclass(frozen=True)
class MINDSettings(MINDOptions, CapsuleSettings, _Bias):
    """MIND."""

    def unread(self, name: str) -> str | None:
        if name == "relu_layer" and self.read_profile == "concat":
            return "with --read_profile concat the layer is always there, as it joins the profile; leave it out"
        return super().unread(name)


@dataclass(frozen=True)
class DynamicRoutingSettings(DynamicRoutingOptions, CapsuleSettings):
    """DR."""


@dataclass(frozen=True)
class SelfAttentionSettings(SelfAttentionOptions, _Bias, _Start):
    """SA."""


@dataclass(frozen=True)
class DNNSettings(_Bias, _MaskPadding, _Start):
    """DNN and MTMI-DNN."""


@dataclass(frozen=True)
class GRUSettings(_Dropout, _Start):
    """GRU4REC and MTMI-GRU."""

    gru_projection: bool = setting(
        True, "GRU of size 2d, then a dense layer (REMI's port); without: GRU of size d (ComiRec's release)"
    )


@dataclass(frozen=True)
class PIMISettings(_Dropout, _Heads, _MaskPadding):
    """PIMI."""

    time_threshold: int = setting(64, "longer gaps between items count as this many days")
    next_item_edges: bool = setting(False, "the graph also links each item to the next")


@dataclass(frozen=True)
class SASRecSettings(_Dropout, _Heads):
    """SASRec."""

    num_blocks: int = setting(2, "transformer blocks")


@dataclass(frozen=True)
class SINESettings(SINEOptions, EncoderSettings):
    """SINE."""


@dataclass(frozen=True)
class UMISettings(_Rounds):
    """UMI."""

    def unread(self, name: str) -> str | None:
        if name == "read_profile":
            return "UMI always reads profiles, in a way of its own; leave it out, or take --model_type SA"
        return super().unread(name)


@dataclass(frozen=True)
class ItemKNNSettings(ItemKNNOptions, EncoderSettings):
    """ItemKNN."""


@dataclass(frozen=True)
class RulesSettings(RulesOptions, EncoderSettings):
    """SequentialRules."""


@dataclass(frozen=True)
class EASESettings(EASEOptions, EncoderSettings):
    """EASE."""


class Entry(NamedTuple):
    """One encoder, or one counted model.

    path: "module:class".
    settings: the class of its settings.
    routing: whether it gives Interests.routing. Routing regularisation and Re4's losses need it.
    single: whether it gives one vector per user; num_interests is then 1.
    states: whether it gives Interests.states, the user's vector after each item.
    needs: inputs next to the history, whatever its options: "days", "profile". `needs` adds what they ask for.
    counted: whether it is counted from the log (remi_tf/counted), not trained. No objective is read then.
    defaults: settings of any group that have another default for this encoder.
    """

    path: str
    settings: type[EncoderSettings] = EncoderSettings
    routing: bool = False
    single: bool = False
    states: bool = False
    needs: tuple[str, ...] = ()
    counted: bool = False
    defaults: Mapping[str, Any] = MappingProxyType({})


_TRIPLETS = {"loss": "idw", "sampler": "uniform"}  # of MTMI
_PIMI = {"dropout": 0.1, "num_heads": 4}
_CAPSULES = {"learning_rate": 5e-3}
_COUNTED = {"embedding_dim": 1, "max_history": 500}
ENCODERS: dict[str, Entry] = {
    "Pop": Entry("remi_tf.counted.popularity:Popularity", single=True, counted=True, defaults={"embedding_dim": 1}),
    "ItemKNN": Entry("remi_tf.counted.item_knn:ItemKNN", ItemKNNSettings, single=True, counted=True, defaults=_COUNTED),
    "SequentialRules": Entry(
        "remi_tf.counted.sequential_rules:SequentialRules", RulesSettings, single=True, counted=True, defaults=_COUNTED
    ),
    "EASE": Entry("remi_tf.counted.ease:EASE", EASESettings, single=True, counted=True, defaults=_COUNTED),
    "DNN": Entry("remi_tf.encoders.dnn:DNN", DNNSettings, single=True),
    "GRU4REC": Entry("remi_tf.encoders.gru:GRU4REC", GRUSettings, single=True, states=True, defaults={"dropout": 0.2}),
    "Que2Search": Entry("remi_tf.encoders.que2search:Que2Search", routing=True, single=True),
    "SA": Entry("remi_tf.encoders.self_attention:SelfAttention", SelfAttentionSettings, routing=True),
    "MTMI-DNN": Entry("remi_tf.encoders.dnn:DNN", DNNSettings, defaults=_TRIPLETS),
    "MTMI-GRU": Entry(
        "remi_tf.encoders.gru:GRU4REC", GRUSettings, defaults={**_TRIPLETS, "dropout": 0.2, "gru_projection": False}
    ),
    "MTMI-Q2S": Entry("remi_tf.encoders.que2search:Que2Search", routing=True, defaults=_TRIPLETS),
    "PIMI": Entry("remi_tf.encoders.pimi:PIMI", PIMISettings, routing=True, needs=("days",), defaults=_PIMI),
    "SASRec": Entry(
        "remi_tf.encoders.sasrec:SASRec", SASRecSettings, single=True, states=True, defaults={"dropout": 0.2}
    ),
    "MIND": Entry("remi_tf.encoders.capsules:MIND", MINDSettings, routing=True, defaults=_CAPSULES),
    "DR": Entry("remi_tf.encoders.capsules:DynamicRouting", DynamicRoutingSettings, routing=True, defaults=_CAPSULES),
    "Re4": Entry(
        "remi_tf.encoders.re4:Re4",
        routing=True,
        defaults={"re4_attend": 1e-3, "re4_contrast": 0.1, "re4_construct": 0.1},
    ),
    "SINE": Entry("remi_tf.encoders.sine:SINE", SINESettings, single=True),
    "UMI": Entry(
        "remi_tf.encoders.umi:UMI", UMISettings, routing=True, needs=("profile",), defaults={"readout": "per_candidate"}
    ),
}


def encoder_settings(model_type: str = "SA", **values: Any) -> EncoderSettings:
    """The settings of an encoder. Options that are left out get the encoder's own default.

    Raises:
      InputError: an unknown encoder, an option that it does not have, or an impossible value.
    """
    if model_type not in ENCODERS:
        raise InputError(f"--model_type {model_type!r}: choose one of {', '.join(ENCODERS)}")
    entry = ENCODERS[model_type]
    names = {each.name for each in dataclasses.fields(entry.settings)}
    if unknown := sorted(set(values) - names):
        raise InputError(f"--{unknown[0]}: {model_type} has no such option; it has {', '.join(sorted(names))}")
    defaults = {name: value for name, value in entry.defaults.items() if name in names}
    one = {"num_interests": 1} if entry.single else {}
    return entry.settings(model_type, **{**one, **defaults, **values})


def needs(settings: EncoderSettings) -> tuple[str, ...]:
    """What a model with these settings reads next to the history: "days", "profile"."""
    asked = ("profile",) if settings.read_profile == "concat" else ()
    return tuple(dict.fromkeys((*ENCODERS[settings.model_type].needs, *asked)))
