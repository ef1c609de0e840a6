"""SA: multi-interest extraction by self-attentive routing (ComiRec, KDD'20, section 3.2.2; REMI's backbone)."""

import tensorflow as tf

from remi_tf.encoders.base import Encoder, Interests, attention, dropout, first_weights
from remi_tf.randomness import place_seed
from remi_tf.settings.encoders import SelfAttentionSettings

HISTORY, VALUES = 0, 1
"""The places of random draws."""


class SelfAttention(Encoder):
    """K attention rows over the history, each a convex combination of its items' embeddings.

        A = softmax_l( tanh((X + P) W1) W2 )ᵀ,   V = A X

    with a position table P [L, d], W1 [d, 4d] and W2 [4d, K] (biases only with `use_bias`, as in ComiRec's TensorFlow
    release). Positions steer the routing but are not part of the interests: V mixes the raw embeddings.

    With `value_width` w above 0, interest k reads each item together with the w − 1 items before it, by a causal
    convolution with kernels C_jk [d, d] that start at 0. So interests that attend to the same items still differ, and
    what an item leads to may differ from what it is like:

        v_k = Σ_l A_kl ( x_l + Σ_{j<w} x_{l−j} C_jk )

    The options are ours; the papers have none of them (DIFFERENCES.md).
    """

    settings: SelfAttentionSettings

    def __init__(self, settings: SelfAttentionSettings, seed: int):
        super().__init__(settings)
        dim, length, hidden = settings.embedding_dim, settings.max_history, 4 * settings.embedding_dim
        self.positions = self.add_weight(
            "positions", [length, dim], initializer=first_weights(settings, length * dim, seed), trainable=True
        )
        self.hidden = tf.keras.layers.Dense(
            hidden,
            activation="tanh",
            use_bias=settings.use_bias,
            kernel_initializer=first_weights(settings, dim, seed + 1),
            name="hidden",
        )
        self.logits = tf.keras.layers.Dense(
            settings.num_interests,
            use_bias=settings.use_bias,
            kernel_initializer=first_weights(settings, hidden, seed + 2),
            name="logits",
        )
        if settings.value_width:
            shape = [settings.num_interests, settings.value_width, dim, dim]
            self.kernels = self.add_weight("kernels", shape, initializer="zeros", trainable=True)

    def call(self, embeddings: tf.Tensor, mask: tf.Tensor, training_seed: tf.Tensor | None = None) -> Interests:
        age = _ages(mask)
        mask = self._kept(mask, age, training_seed)
        logits = self.logits(self.hidden(embeddings + self._positions(age)))  # [B, L, K]
        routing = attention(tf.transpose(logits, [0, 2, 1]), mask)  # [B, K, L]
        if not self.settings.value_width:
            return Interests(tf.matmul(routing, embeddings), routing)  # [B, K, d], [B, K, L]
        mixed = self._mixed(routing, embeddings, mask)  # [B, K, w, d]
        convolved = tf.einsum("bkwx,kwxd->bkd", mixed, tf.cast(self.kernels, mixed.dtype))
        convolved = dropout(convolved, self.settings.value_dropout, training_seed, VALUES)
        return Interests(mixed[:, :, 0] + convolved, routing)

    def _positions(self, age: tf.Tensor) -> tf.Tensor:
        """[L, d] or [B, L, d]: the row of each slot in the table of positions."""
        if self.settings.positions == "newest":
            return tf.gather(self.positions, age)
        return self.positions[: tf.shape(age)[1]]

    def _kept(self, mask: tf.Tensor, age: tf.Tensor, training_seed: tf.Tensor | None) -> tf.Tensor:
        """[B, L] bool: the items that take part; in training some of them at random, and always the newest."""
        if training_seed is None or not self.settings.history_dropout:
            return mask
        seed = place_seed(training_seed, HISTORY)
        kept = tf.random.stateless_uniform(tf.shape(mask), seed, alg="philox") >= self.settings.history_dropout
        return mask & (kept | (age == 0))

    def _mixed(self, routing: tf.Tensor, embeddings: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        """[B, K, w, d]: Σ_l A_kl x_{l−j} for j = 0, …, w − 1, without items that do not take part.

        It is the routing that is moved, by j slots to the left: it is smaller than the items.
        """
        width, interests = self.settings.value_width, self.settings.num_interests
        batch, length = tf.shape(mask)[0], tf.shape(mask)[1]
        padded = tf.pad(routing, [[0, 0], [0, 0], [0, width - 1]])
        moved = tf.stack([padded[:, :, j : j + length] for j in range(width)], axis=2)  # [B, K, w, L]
        moved *= tf.cast(mask, routing.dtype)[:, tf.newaxis, tf.newaxis]
        rows = tf.matmul(tf.reshape(moved, [batch, interests * width, length]), embeddings)
        return tf.reshape(rows, [batch, interests, width, self.settings.embedding_dim])


def _ages(mask: tf.Tensor) -> tf.Tensor:
    """[B, L] int32: 0 for the newest item of a history, 1 for the one before it, …; 0 on padding."""
    length = tf.reduce_sum(tf.cast(mask, tf.int32), axis=1, keepdims=True)
    return tf.maximum(length - 1 - tf.range(tf.shape(mask)[1]), 0)
