"""SASRec: self-attentive sequential recommendation (ICDM'18), one vector a user."""

from typing import Any

import tensorflow as tf

from remi_tf.encoders.base import Encoder, Interests, dropout
from remi_tf.settings.encoders import SASRecSettings


class SASRec(Encoder):
    """A transformer over the history. The state after an item depends on that item and those before it.

        S⁰ = √d X + P;   per block   Q = LN(S),  S ← Q + Attention(Q W_q, S W_k, S W_v),  S ← F + FFN(F),  F = LN(S)

    and LN at the end. As in the authors' release, both residuals add the normalised input. A history's last item always
    has the last position, as with the release's padding on the left. The user's vector is the state after that item.
    """

    settings: SASRecSettings

    def __init__(self, settings: SASRecSettings, seed: int):
        super().__init__(settings)
        dim = settings.embedding_dim
        self.positions = self.add_weight(
            "positions", [settings.max_history, dim], initializer=tf.keras.initializers.GlorotUniform(seed)
        )
        self.blocks = [
            Block(dim, settings.num_heads, settings.dropout, seed=seed + 1 + 5 * block, places=1 + 3 * block)
            for block in range(settings.num_blocks)
        ]
        self.norm = layer_norm("norm")

    def call(self, embeddings: tf.Tensor, mask: tf.Tensor, training_seed: tf.Tensor | None = None) -> Interests:
        length, dtype = tf.shape(mask)[1], embeddings.dtype
        number = tf.reduce_sum(tf.cast(mask, tf.int32), axis=1, keepdims=True)  # [B, 1]
        from_end = self.settings.max_history - number + tf.range(length)  # [B, L]; padding is beyond the table
        positions = tf.tensordot(tf.one_hot(from_end, self.settings.max_history, dtype=dtype), self.positions, 1)
        valid = tf.cast(mask, dtype)[..., tf.newaxis]  # [B, L, 1]
        states = embeddings * self.settings.embedding_dim**0.5 + positions  # [B, L, d]
        states = dropout(states, self.settings.dropout, training_seed, place=0) * valid
        for block in self.blocks:
            states = block(states, training_seed) * valid
        states = self.norm(states) * valid
        last = tf.maximum(number[:, 0] - 1, 0)  # [B]
        return Interests(tf.gather(states, last, batch_dims=1)[:, tf.newaxis], states=states)  # [B, 1, d]


class Block(tf.keras.layers.Layer):
    """[B, L, d] → [B, L, d]: causal self-attention and a feed-forward net at each item.

    Padding comes last, so the causal mask is enough: no item attends to padding.
    """

    def __init__(self, dim: int, num_heads: int, rate: float, *, seed: int, places: int):
        super().__init__()
        self.num_heads, self.rate, self.places = num_heads, rate, places
        self.scale = (dim // num_heads) ** -0.5

        def dense(number: int, size: int, name: str, **options: Any) -> tf.keras.layers.Dense:
            limit = (6 / (dim + dim)) ** 0.5  # Glorot's; a wider one starts with saturated attention and learns later
            initializer = tf.keras.initializers.RandomUniform(-limit, limit, seed + number)
            return tf.keras.layers.Dense(size, kernel_initializer=initializer, name=name, **options)

        self.query = dense(0, dim, "query", use_bias=False)
        self.key_value = dense(1, 2 * dim, "key_value", use_bias=False)
        self.inner, self.outer = dense(2, dim, "inner", activation="relu"), dense(3, dim, "outer")
        self.attention_norm, self.feed_forward_norm = layer_norm("attention_norm"), layer_norm("feed_forward_norm")

    def call(self, states: tf.Tensor, training_seed: tf.Tensor | None) -> tf.Tensor:
        normed = self.attention_norm(states)
        states = normed + self._attention(normed, states, training_seed)
        normed = self.feed_forward_norm(states)
        hidden = dropout(self.inner(normed), self.rate, training_seed, self.places + 1)
        return normed + dropout(self.outer(hidden), self.rate, training_seed, self.places + 2)

    def _attention(self, asking: tf.Tensor, asked: tf.Tensor, training_seed: tf.Tensor | None) -> tf.Tensor:
        heads = self.num_heads
        queries = tf.split(self.query(asking) * self.scale, heads, axis=-1)  # [B, L, d / heads] each
        parts = tf.split(self.key_value(asked), 2 * heads, axis=-1)
        keys, values = parts[:heads], parts[heads:]
        scores = tf.stack([tf.matmul(q, k, transpose_b=True) for q, k in zip(queries, keys, strict=True)])
        slot = tf.range(tf.shape(asked)[1])
        weights = tf.nn.softmax(tf.where(slot[:, tf.newaxis] >= slot, scores, scores.dtype.min))  # [heads, B, L, L]
        weights = tf.unstack(dropout(weights, self.rate, training_seed, self.places), heads)
        return tf.concat([tf.matmul(w, value) for w, value in zip(weights, values, strict=True)], axis=-1)


def layer_norm(name: str) -> tf.keras.layers.LayerNormalization:
    return tf.keras.layers.LayerNormalization(epsilon=1e-8, name=name)
