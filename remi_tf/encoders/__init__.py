"""The encoders, one file per family: a history's embeddings in, interests out. settings/encoders.py has the list."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from remi_tf.encoders.base import Encoder
from remi_tf.encoders.profile import WithProfile
from remi_tf.settings.encoders import ENCODERS, EncoderSettings, needs


def make_encoder(settings: EncoderSettings, seed: int, profile_sizes: Sequence[int] = ()) -> Encoder:
    """The encoder called `settings.model_type`, one of `ENCODERS`; `seed` decides its initial weights.

    profile_sizes: how many values each profile column has; read if the settings need profiles.
    """
    module, name = ENCODERS[settings.model_type].path.split(":")
    cls: Any = getattr(import_module(module), name)
    if "profile" not in needs(settings):
        return cls(settings, seed)
    if cls.joins_profile:
        return cls(settings, seed, tuple(profile_sizes))
    return WithProfile(cls(settings, seed), seed, tuple(profile_sizes))
