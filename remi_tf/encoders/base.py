"""What an encoder is: the embeddings of a history in, interests out."""

from typing import NamedTuple

import tensorflow as tf

from remi_tf.config import EncoderSettings


class Interests(NamedTuple):
    """vectors: [batch, num_interests, embedding_dim]. routing: [batch, num_interests, max_history] whose rows sum
    to 1 over the history (0 on padding), or None for an encoder that does not route."""

    vectors: tf.Tensor
    routing: tf.Tensor | None = None


class Encoder(tf.keras.layers.Layer):
    """Base of all encoders. It knows nothing of losses, targets or the catalogue.

    Subclasses implement ``call(embeddings, mask, days=None, training=False) -> Interests`` with
      embeddings: [batch, max_history, embedding_dim] float, the history's rows of the item table, oldest first;
      mask: [batch, max_history] bool, false on padding (at the end). What a padded slot holds never changes the result;
      days: [batch, max_history] int32 day numbers, only where `needs_days` is true.
    """

    needs_days = False
    has_routing = False  # whether Interests.routing is given, which routing regularisation needs

    def __init__(self, settings: EncoderSettings):
        super().__init__(name="encoder")
        self.settings = settings


def kaiming_normal(fan_in: int, seed: int) -> tf.keras.initializers.Initializer:
    """Untruncated normal with std sqrt(2 / fan_in): what the PyTorch releases initialise every weight with."""
    return tf.keras.initializers.RandomNormal(stddev=(2.0 / fan_in) ** 0.5, seed=seed)
