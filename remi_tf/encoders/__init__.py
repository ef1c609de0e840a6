"""The encoders by the name that --model_type takes. A new one costs its file and a line here."""

from remi_tf.config import EncoderSettings
from remi_tf.encoders.base import Encoder, Interests
from remi_tf.encoders.self_attention import SelfAttention
from remi_tf.errors import InputError

ENCODERS: dict[str, type[Encoder]] = {
    "SA": SelfAttention,
}


def make_encoder(settings: EncoderSettings, seed: int) -> Encoder:
    """The encoder called `settings.model_type`.

    Raises:
      InputError: there is none of that name.
    """
    if settings.model_type not in ENCODERS:
        raise InputError(f"--model_type {settings.model_type!r}: choose one of {', '.join(ENCODERS)}")
    return ENCODERS[settings.model_type](settings, seed)  # type: ignore[call-arg]


__all__ = ["ENCODERS", "Encoder", "Interests", "make_encoder"]
