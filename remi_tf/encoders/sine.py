"""SINE (WSDM'21): sparse interests. Of a large table of concepts, a history uses the few that it is about."""

import tensorflow as tf

from remi_tf.encoders.base import Encoder, Interests, attention, kaiming_normal
from remi_tf.encoders.likeness import decorrelation
from remi_tf.settings.encoders import SINESettings


class SINE(Encoder):
    """One vector per user: a mix of the user's interests in k of Lc concepts. The paper's form:

        z = pool(X; W1, w2),  s = C z,  C_u = C[top k of s] ⊙ σ(s)                    which concepts
        P_k|t = softmax_k( norm(x_t W3) · LN(C_u,k) )                                 which of them an item is about
        P_t|k = softmax_t( w_k2 · tanh(x_t W_k1) )                                    how much it matters there
        φ_k = norm( Σ_t P_k|t P_t|k x_t )                                             interests
        x̂_t = Σ_k P_k|t C_u,k,  c = LN(pool(x̂; W3, w4)),  u = Σ_k softmax_k(φ_k · c / τ) φ_k

    with pool(X; W, w) = Σ_t softmax_t(w · tanh(x_t W)) x_t and norm(x) = x / |x|. The choice of the top k has no
    gradient; the concepts' scores s are trained through σ(s). A penalty keeps the concepts apart (likeness.py).
    """

    settings: SINESettings

    def __init__(self, settings: SINESettings, seed: int):
        super().__init__(settings)
        dim, active = settings.embedding_dim, settings.active_concepts
        penalty = settings.concept_lambda / tf.distribute.get_strategy().num_replicas_in_sync  # gradients add up
        self.concepts = self.add_weight(
            "concepts",
            [settings.num_concepts, dim],
            initializer=kaiming_normal(dim, seed),
            regularizer=(lambda concepts: penalty * decorrelation(concepts)) if penalty else None,
        )
        self.choice_map, self.item_map = (
            self.add_weight(name, [dim, dim], initializer=kaiming_normal(dim, seed + place))
            for place, name in enumerate(("choice_map", "item_map"), start=1)  # W1, W3
        )
        self.choice_query, self.intention_query = (
            self.add_weight(name, [1, dim], initializer=kaiming_normal(dim, seed + place))
            for place, name in enumerate(("choice_query", "intention_query"), start=3)  # w2, w4
        )
        self.importance_maps = self.add_weight(  # W_k1 side by side
            "importance_maps", [dim, active * dim], initializer=kaiming_normal(dim, seed + 5)
        )
        self.importance_queries = self.add_weight(
            "importance_queries", [active, dim], initializer=kaiming_normal(dim, seed + 6)
        )
        self.concept_norm = tf.keras.layers.LayerNormalization(epsilon=1e-5, name="concept_norm")
        self.intention_norm = tf.keras.layers.LayerNormalization(epsilon=1e-5, name="intention_norm")

    def call(self, embeddings: tf.Tensor, mask: tf.Tensor, training_seed: tf.Tensor | None = None) -> Interests:
        items, active = embeddings, self.settings.active_concepts
        pooled = pool(items, tf.tanh(tf.tensordot(items, self.choice_map, 1)), self.choice_query, mask)  # [B, 1, d]
        scores, chosen = tf.math.top_k(tf.matmul(pooled[:, 0], self.concepts, transpose_b=True), active)  # [B, k]
        concepts = tf.gather(self.concepts, chosen) * tf.sigmoid(scores)[..., tf.newaxis]  # [B, k, d]

        directions = unit(tf.tensordot(items, self.item_map, 1))  # [B, L, d]
        about = tf.matmul(directions, self.concept_norm(concepts), transpose_b=True)  # [B, L, k]
        about = tf.nn.softmax(about)  # P_k|t
        hidden = tf.tanh(tf.tensordot(items, self.importance_maps, 1))  # [B, L, k d]
        queries = tf.eye(active, dtype=hidden.dtype)[:, tf.newaxis] * self.importance_queries[..., tf.newaxis]
        logits = tf.tensordot(hidden, tf.reshape(queries, [-1, active]), 1)  # [B, L, k]: each block meets its own query
        importance = attention(tf.transpose(logits, [0, 2, 1]), mask)  # [B, k, L], P_t|k
        interests = unit(tf.matmul(importance * tf.transpose(about, [0, 2, 1]), items))  # [B, k, d]

        expected = tf.matmul(about, concepts)  # [B, L, d]
        expected = pool(expected, tf.tanh(tf.tensordot(expected, self.item_map, 1)), self.intention_query, mask)
        intention = self.intention_norm(expected)  # [B, 1, d]
        closeness = tf.matmul(tf.cast(intention, tf.float32), tf.cast(interests, tf.float32), transpose_b=True)
        weights = tf.nn.softmax(closeness / self.settings.concept_temperature)  # [B, 1, k]
        return Interests(tf.matmul(tf.cast(weights, interests.dtype), interests))  # [B, 1, d]


def pool(items: tf.Tensor, hidden: tf.Tensor, query: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """[batch, 1, dim]: items, weighted by their hidden vectors [batch, length, dim] times the query [1, dim]."""
    logits = tf.matmul(hidden, query, transpose_b=True)  # [B, L, 1]
    return tf.matmul(attention(tf.transpose(logits, [0, 2, 1]), mask), items)


def unit(vectors: tf.Tensor) -> tf.Tensor:
    """[..., dim] vectors at length 1; zero stays zero. The length is computed in 32 bits."""
    return tf.cast(tf.math.l2_normalize(tf.cast(vectors, tf.float32), axis=-1), vectors.dtype)
