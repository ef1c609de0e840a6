"""The encoders by the name that --model_type takes. A new one costs its file and a line here.

Nothing here loads TensorFlow, so that config.py can refuse a combination as soon as the flags are parsed.
"""

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from remi_tf.config import EncoderSettings
    from remi_tf.encoders.base import Encoder


class Entry(NamedTuple):
    """path: "module:class" below remi_tf.encoders.
    routing: whether it gives Interests.routing, which routing regularisation and Re4's losses need.
    single: one vector a user; num_interests is 1.
    needs: inputs beside the history: "days", "profile".
    defaults: settings whose default differs for this encoder."""

    path: str
    routing: bool = False
    single: bool = False
    needs: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = MappingProxyType({})


ENCODERS: dict[str, Entry] = {
    "SA": Entry("self_attention:SelfAttention", routing=True),
}


def make_encoder(settings: "EncoderSettings", seed: int) -> "Encoder":
    """The encoder called `settings.model_type`, one of `ENCODERS`; `seed` decides its initial weights."""
    module, cls = ENCODERS[settings.model_type].path.split(":")
    return getattr(import_module(f"remi_tf.encoders.{module}"), cls)(settings, seed)
