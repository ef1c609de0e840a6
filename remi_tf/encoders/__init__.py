"""The encoders, one file per family: a history's embeddings in, interests out. settings/encoders.py has the list."""

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from remi_tf.settings.encoders import ENCODERS, EncoderSettings

if TYPE_CHECKING:
    from remi_tf.encoders.base import Encoder


def make_encoder(settings: EncoderSettings, seed: int, profile_sizes: Sequence[int] = ()) -> "Encoder":
    """The encoder called `settings.model_type`, one of `ENCODERS`; `seed` decides its initial weights.

    profile_sizes: how many values each profile column has; only encoders that need profiles get it.
    """
    entry = ENCODERS[settings.model_type]
    module, cls = entry.path.split(":")
    options = {"profile_sizes": tuple(profile_sizes)} if "profile" in entry.needs else {}
    return getattr(import_module(module), cls)(settings, seed, **options)
