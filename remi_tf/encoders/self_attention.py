"""SA: multi-interest extraction by self-attentive routing (ComiRec, KDD'20, section 3.2.2; REMI's backbone)."""

import tensorflow as tf

from remi_tf.encoders.base import Encoder, Interests, attention, kaiming_normal
from remi_tf.settings.encoders import SelfAttentionSettings


class SelfAttention(Encoder):
    """K attention rows over the history, each a convex combination of its items' embeddings.

        A = softmax_l( tanh((X + P) W1) W2 )ᵀ,   V = A X

    with a position table P [L, d], W1 [d, 4d] and W2 [4d, K] (biases only with `use_bias`, as in ComiRec's TensorFlow
    release). Positions steer the routing but are not part of the interests: V mixes the raw embeddings.
    """

    settings: SelfAttentionSettings

    def __init__(self, settings: SelfAttentionSettings, seed: int):
        super().__init__(settings)
        dim, length, hidden = settings.embedding_dim, settings.max_history, 4 * settings.embedding_dim
        self.positions = self.add_weight(
            "positions", [length, dim], initializer=kaiming_normal(length * dim, seed), trainable=True
        )
        self.hidden = tf.keras.layers.Dense(
            hidden,
            activation="tanh",
            use_bias=settings.use_bias,
            kernel_initializer=kaiming_normal(dim, seed + 1),
            name="hidden",
        )
        self.logits = tf.keras.layers.Dense(
            settings.num_interests,
            use_bias=settings.use_bias,
            kernel_initializer=kaiming_normal(hidden, seed + 2),
            name="logits",
        )

    def call(self, embeddings: tf.Tensor, mask: tf.Tensor, training_seed: tf.Tensor | None = None) -> Interests:
        positions = self.positions[: tf.shape(embeddings)[1]]  # [L, d]
        logits = self.logits(self.hidden(embeddings + positions))  # [B, L, K]
        logits = tf.transpose(logits, [0, 2, 1])  # [B, K, L]
        routing = attention(logits, mask)  # [B, K, L]
        return Interests(tf.matmul(routing, embeddings), routing)  # [B, K, d], [B, K, L]
