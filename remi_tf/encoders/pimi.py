"""PIMI: periodicity and interactivity before multi-interest extraction (IJCAI'21), as in its TensorFlow release."""

import tensorflow as tf

from remi_tf.encoders.base import Encoder, Interests, attention
from remi_tf.encoders.interaction_graph import InteractionLayer
from remi_tf.settings.encoders import PIMISettings

NUM_LAYERS = 3  # of the graph


class PIMI(Encoder):
    """Self-attentive routing over items, each mixed with its time gaps and its neighbours.

        H⁰ = X + P + τ,   τ_i = Σ_j α_ij G_ij,   α_i = softmax_j(w · G_ij)          (periodicity)
        H³ = three rounds of the interactivity graph over H⁰ (interaction_graph.py)
        A = softmax_l( tanh(H³ W1 + b1) W2 + b2 )ᵀ,   V = A X

    G_ij = E_t[T_ij] is the embedding of T_ij, the days between two items, at most `time_threshold`. As in SA, V mixes
    the raw embeddings.
    """

    settings: PIMISettings

    def __init__(self, settings: PIMISettings, seed: int):
        super().__init__(settings)
        dim = settings.embedding_dim
        glorot = tf.keras.initializers.GlorotUniform
        self.positions = self.add_weight("positions", [settings.max_history, dim], initializer=glorot(seed))
        self.times = self.add_weight("times", [settings.time_threshold + 1, dim], initializer=glorot(seed + 1))
        self.time_weight = self.add_weight("time_weight", [dim, 1], initializer=glorot(seed + 2))
        self.hidden = tf.keras.layers.Dense(
            4 * dim, activation="tanh", kernel_initializer=glorot(seed + 3), name="hidden"
        )
        self.logits = tf.keras.layers.Dense(settings.num_interests, kernel_initializer=glorot(seed + 4), name="logits")
        self.graph = [
            InteractionLayer(
                dim,
                settings.num_heads,
                settings.dropout,
                next_item_edges=settings.next_item_edges,
                mask_padding=settings.mask_padding,
                seed=seed + 5 + 2 * layer,
                places=2 * layer,
            )
            for layer in range(NUM_LAYERS)
        ]

    def call(
        self, embeddings: tf.Tensor, mask: tf.Tensor, training_seed: tf.Tensor | None = None, *, days: tf.Tensor
    ) -> Interests:
        valid = tf.cast(mask, embeddings.dtype)[..., tf.newaxis]  # [B, L, 1]
        own = (embeddings + self.positions[: tf.shape(embeddings)[1]]) * valid  # [B, L, d]
        nodes = (own + self._periodicity(days, mask)) * valid
        centre = tf.reduce_sum(nodes, axis=1) / tf.maximum(tf.reduce_sum(valid, axis=1), 1)  # [B, d]
        for layer in self.graph:
            nodes, centre = layer(nodes, centre, own, mask, training_seed)
        logits = tf.transpose(self.logits(self.hidden(nodes)), [0, 2, 1])  # [B, K, L]
        routing = attention(logits, mask)  # [B, K, L]
        return Interests(tf.matmul(routing, embeddings), routing)  # [B, K, d], [B, K, L]

    def _periodicity(self, days: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        """τ [B, L, d], computed without a tensor [B, L, L, d]. G_ij depends only on the gap, so attention over items is
        attention over distinct gaps, each counted as often as it occurs: softmax_g(w · E_t[g] + ln count_ig)."""
        threshold = self.settings.time_threshold
        gaps = time_matrix(days, threshold)  # [B, L, L]
        gaps = tf.where(mask[:, tf.newaxis], gaps, threshold + 1)  # bincount leaves these out
        counts = tf.math.bincount(
            tf.reshape(gaps, [-1, tf.shape(days)[1]]), minlength=threshold + 1, maxlength=threshold + 1, axis=-1
        )
        scores = tf.matmul(self.times, self.time_weight)[:, 0]  # [τ + 1]
        occurs = tf.math.log(tf.cast(tf.maximum(counts, 1), scores.dtype))
        weights = tf.nn.softmax(tf.where(counts > 0, scores + occurs, scores.dtype.min))  # [B L, τ + 1]
        return tf.reshape(tf.matmul(weights, self.times), [-1, tf.shape(days)[1], self.settings.embedding_dim])


def time_matrix(days: tf.Tensor, threshold: int) -> tf.Tensor:
    """[batch, length] int32 → [batch, length, length]: days between every two items, at most `threshold`."""
    return tf.minimum(tf.abs(days[:, :, tf.newaxis] - days[:, tf.newaxis]), threshold)
