"""Que2Search: one attention over the whole history at once (Que2Search, KDD'21, its simple attention fusion).

MTMI-Q2S (MTMI's multi-tower encoder): the same, with K towers.
"""

import tensorflow as tf

from remi_tf.encoders.base import Encoder, Interests, attention, kaiming_normal
from remi_tf.settings.encoders import EncoderSettings


class Que2Search(Encoder):
    """K towers, each a convex combination of the items; one tower is the plain fusion.

        a_k = softmax_l( W_k [x_1 ‖ … ‖ x_L] ),   v_k = Σ_l a_kl x_l

    with W_k [L, L d]: the weight of every slot depends on the items in all slots. The paper fuses the channels of a
    query and has no padding. Here a padded slot is 0 in the concatenation and gets no weight.
    """

    def __init__(self, settings: EncoderSettings, seed: int):
        super().__init__(settings)
        length, dim = settings.max_history, settings.embedding_dim
        self.fusion = self.add_weight(
            "fusion", [length, dim, settings.num_interests, length], initializer=kaiming_normal(length * dim, seed)
        )

    def call(self, embeddings: tf.Tensor, mask: tf.Tensor, training_seed: tf.Tensor | None = None) -> Interests:
        length = tf.shape(embeddings)[1]
        embeddings = tf.where(mask[:, :, tf.newaxis], embeddings, tf.zeros_like(embeddings))  # [B, L, d]
        logits = tf.einsum("bld,ldkm->bkm", embeddings, self.fusion[:length, :, :, :length])  # [B, K, L]
        routing = attention(logits, mask)  # [B, K, L]
        return Interests(tf.matmul(routing, embeddings), routing)  # [B, K, d], [B, K, L]
