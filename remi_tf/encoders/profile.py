"""The user's profile in an encoder: the embeddings of its columns, and how they join the interests."""

from collections.abc import Sequence

import tensorflow as tf

from remi_tf.encoders.base import Encoder, Interests, kaiming_normal
from remi_tf.randomness import PROFILE_WEIGHTS
from remi_tf.settings.encoders import EncoderSettings

START = 0.1  # share of the usual spread that W starts with: interests then begin as those of the encoder


class Profile(tf.keras.layers.Layer):
    """E_p = [p_1 ‖ … ‖ p_P], the embeddings of the columns of a profile, side by side.

    [batch, columns] int32 codes → [batch, width], width = columns · profile_dim.

    Args:
      settings: of the encoder that it is part of.
      sizes: how many values each column has, without "unknown".
      seed: the encoder's.
    """

    def __init__(self, settings: EncoderSettings, sizes: Sequence[int], seed: int):
        super().__init__(name="profile")
        self.sizes, self.width = tuple(sizes), len(sizes) * settings.profile_dim
        self.table = add_table(self, self.sizes, settings.profile_dim, seed + PROFILE_WEIGHTS)

    def call(self, profile: tf.Tensor) -> tf.Tensor:
        return tf.reshape(embed(self.table, self.sizes, profile), [-1, self.width])


class WithProfile(Encoder):
    """An encoder whose paper knows no profile, and the profile next to it:

        v_k ← v_k + W_k [v_k ‖ E_p],   W_k [d, d + width]

    Each interest has a W_k of its own, as MTMI's towers have: so the profile can tell interests apart. W_k starts
    small, and the interests as those of the encoder. `states` are joined as the vectors are. The routing is the
    encoder's. An empty history has no interests, as for UMI.
    """

    def __init__(self, encoder: Encoder, seed: int, profile_sizes: tuple[int, ...]):
        super().__init__(encoder.settings)
        self.encoder, dim = encoder, self.settings.embedding_dim
        self.profile = Profile(self.settings, profile_sizes, seed)
        width = dim + self.profile.width
        usual = kaiming_normal(width, seed + PROFILE_WEIGHTS + 1)
        usual.stddev *= START
        self.join = self.add_weight("join", [self.settings.num_interests, width, dim], initializer=usual)

    def call(
        self,
        embeddings: tf.Tensor,
        mask: tf.Tensor,
        training_seed: tf.Tensor | None = None,
        *,
        profile: tf.Tensor,
        **features: tf.Tensor,
    ) -> Interests:
        found = self.encoder(embeddings, mask, training_seed=training_seed, **features)
        told, join = self.profile(profile), tf.convert_to_tensor(self.join)
        vectors = found.vectors + tf.einsum("bkx,kxd->bkd", with_profile(found.vectors, told), join)
        if found.active is not None:  # an interest that a user does not have still repeats the first
            vectors = tf.where(found.active[:, :, tf.newaxis], vectors, vectors[:, :1])
        states = found.states
        if states is not None:
            states += tf.tensordot(with_profile(states, told), join[0], 1)  # [B, L, d]
        capsules = found.vectors if found.capsules is None else found.capsules
        return found._replace(vectors=of_known(vectors, mask), capsules=capsules, states=states)


def add_table(layer: tf.keras.layers.Layer, sizes: Sequence[int], dim: int, seed: int) -> tf.Variable:
    """[1 + Σ sizes, dim] weight `profile_table` of a layer: a row for each value of each column; row 0 is not read."""
    shape = [1 + sum(sizes), dim]
    return layer.add_weight("profile_table", shape, initializer=kaiming_normal(dim, seed), trainable=True)


def embed(table: tf.Tensor, sizes: Sequence[int], profile: tf.Tensor) -> tf.Tensor:
    """[batch, columns] int32 codes → [batch, columns, dim], zero where the code is 0 (unknown)."""
    profile = tf.ensure_shape(profile, [None, len(sizes)])
    known = profile > 0
    starts = [sum(sizes[:column]) for column in range(len(sizes))]
    rows = tf.where(known, profile + tf.constant(starts), 0)
    return tf.where(known[:, :, tf.newaxis], tf.gather(table, rows), 0)


def with_profile(rows: tf.Tensor, profile: tf.Tensor) -> tf.Tensor:
    """[batch, n, a], [batch, b] → [batch, n, a + b]: every row, followed by the user's profile."""
    shape = [tf.shape(rows)[0], tf.shape(rows)[1], profile.shape[1]]
    return tf.concat([rows, tf.broadcast_to(profile[:, tf.newaxis], shape)], axis=2)


def of_known(vectors: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """[batch, n, d] vectors, zero where the history [batch, length] is empty, whatever the profile."""
    return tf.where(tf.reduce_any(mask, axis=1)[:, tf.newaxis, tf.newaxis], vectors, 0)
