"""Re4 (WWW'22), the forward half: interests by attention. objective/re4_losses.py has the backward half."""

import tensorflow as tf

from remi_tf.encoders.base import Encoder, Interests, attention
from remi_tf.settings.encoders import EncoderSettings


class Re4(Encoder):
    """K attention rows over the history, a shared map, and an output layer.

        A = softmax_l( tanh(X W11) W12 )ᵀ,   V = A X W2,   U = tanh(V F + b)

    with W11 [d, 4d], W12 [4d, K], W2 [d, d] and F [d, d]. There are no positions. U scores items; the three backward
    losses (objective/re4_losses.py) use the capsules V. As in the release, the matrices start as N(0, 1) and the
    output layer like PyTorch's linear layers.
    """

    def __init__(self, settings: EncoderSettings, seed: int):
        super().__init__(settings)
        dim, bound = settings.embedding_dim, settings.embedding_dim**-0.5
        normal, uniform = tf.keras.initializers.RandomNormal, tf.keras.initializers.RandomUniform
        self.hidden = tf.keras.layers.Dense(
            4 * dim, activation="tanh", use_bias=False, kernel_initializer=normal(stddev=1.0, seed=seed), name="hidden"
        )
        self.logits = tf.keras.layers.Dense(  # logits reach ±50, too much for 16 bits
            settings.num_interests,
            use_bias=False,
            kernel_initializer=normal(stddev=1.0, seed=seed + 1),
            name="logits",
            dtype="float32",
        )
        self.map = tf.keras.layers.Dense(
            dim, use_bias=False, kernel_initializer=normal(stddev=1.0, seed=seed + 2), name="map"
        )
        self.output_layer = tf.keras.layers.Dense(
            dim,
            activation="tanh",
            kernel_initializer=uniform(-bound, bound, seed + 3),
            bias_initializer=uniform(-bound, bound, seed + 4),
            name="output",
        )

    def call(self, embeddings: tf.Tensor, mask: tf.Tensor, training_seed: tf.Tensor | None = None) -> Interests:
        logits = tf.transpose(self.logits(self.hidden(embeddings)), [0, 2, 1])  # [B, K, L]
        routing = attention(logits, mask)  # [B, K, L]
        capsules = self.map(tf.matmul(tf.cast(routing, embeddings.dtype), embeddings))  # [B, K, d]
        vectors = self.output_layer(capsules)  # [B, K, d]
        known = tf.reduce_any(mask, axis=1)[:, tf.newaxis, tf.newaxis]  # [B, 1, 1]; an empty history has no interests
        return Interests(vectors * tf.cast(known, vectors.dtype), routing, capsules=capsules)
