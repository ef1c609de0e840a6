"""What an encoder is: the embeddings of a history in, interests out."""

from typing import NamedTuple

import tensorflow as tf

from remi_tf.randomness import place_seed
from remi_tf.settings.encoders import EncoderSettings


class Interests(NamedTuple):
    """What an encoder returns for a batch of histories.

    vectors: [batch, num_interests, embedding_dim]. If a user has fewer interests, the missing ones repeat the first, so
      that a maximum over interests stays the same.
    routing: [batch, num_interests, length]. Each row sums to 1 over the history and is 0 on padding. None if the
      encoder does not route.
    active: [batch, num_interests] bool, false for interests that a user does not have. None if all users have all.
    capsules: [batch, num_interests, embedding_dim] interests before an output layer. None if there is no such layer.
    states: [batch, length, embedding_dim] the user's vector after each item, if the encoder reads items one by one and
      gives one vector. What they hold on padding means nothing.
    """

    vectors: tf.Tensor
    routing: tf.Tensor | None = None
    active: tf.Tensor | None = None
    capsules: tf.Tensor | None = None
    states: tf.Tensor | None = None


class Encoder(tf.keras.layers.Layer):
    """Base of all encoders. It knows nothing about losses, targets or the catalogue.

    A subclass is built by ``(settings, seed)``. One that joins profiles in its own way has `joins_profile`, and
    takes ``profile_sizes`` too; for the others encoders/profile.py does it. It creates every weight there or at its
    first call. It implements
    ``call(embeddings, mask, training_seed=None, **features) -> Interests`` with
      embeddings: [batch, length, embedding_dim] float, the history's rows of the item table, oldest first; length is
        1 to max_history;
      mask: [batch, length] bool, false on padding (at the end). Padded slots hold padding's row. Neither what they hold
        nor how many there are may change the result: the encoder takes care of that;
      training_seed: [2] int32, the seed of the step's random draws (dropout, random routing logits). None outside
        training: a user's result then depends only on that user's inputs;
      features: what its settings need: days [batch, length] int32 day numbers, profile [batch, columns] int32.
    """

    joins_profile = False

    def __init__(self, settings: EncoderSettings):
        super().__init__(name="encoder")
        self.settings = settings


def kaiming_normal(fan_in: int, seed: int) -> tf.keras.initializers.Initializer:
    """Untruncated normal with std sqrt(2 / fan_in). The PyTorch releases initialise every weight with it."""
    return tf.keras.initializers.RandomNormal(stddev=(2.0 / fan_in) ** 0.5, seed=seed)


def first_weights(settings: EncoderSettings, fan_in: int, seed: int) -> tf.keras.initializers.Initializer:
    """What a weight starts from under the setting `initializer`; an encoder without that option: `kaiming_normal`.

    glorot: uniform within sqrt(6 / (rows + columns)), the default of the TensorFlow releases.
    """
    if getattr(settings, "initializer", "kaiming") == "glorot":
        return tf.keras.initializers.GlorotUniform(seed)
    return kaiming_normal(fan_in, seed)


def dropout(inputs: tf.Tensor, rate: float, training_seed: tf.Tensor | None, place: int) -> tf.Tensor:
    """Dropout by the step's seed and the place in the encoder. Outside training the inputs stay as they are."""
    if training_seed is None or rate == 0:
        return inputs
    return tf.nn.experimental.stateless_dropout(inputs, rate, place_seed(training_seed, place), rng_alg="philox")


def attention(logits: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """Softmax over the items of the history: padding gets no weight, and an empty history gets zeros.

    logits: [batch, rows, length], mask: [batch, length] bool → [batch, rows, length].
    """
    mask = mask[:, tf.newaxis, :]  # [B, 1, L]
    return tf.nn.softmax(tf.where(mask, logits, logits.dtype.min)) * tf.cast(mask, logits.dtype)
