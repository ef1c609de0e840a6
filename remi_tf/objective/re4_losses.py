"""Re4's backward losses: interests must lead back to the items that they came from (WWW'22)."""

import tensorflow as tf

from remi_tf.encoders.base import Interests

TEMPERATURE = 0.02  # of the cosines in the re-contrast loss
ROUNDING = 1e-6  # a softmax over one item may give a little more than 1


class BackwardFlow(tf.keras.layers.Layer):
    """Weighted sum of the re-attend, re-contrast and re-construct losses, for any encoder that routes.

    V [B, K, d]: the interests before an output layer, or the interests themselves if the encoder has none. A: the
    routing. X: the history's rows. n: the number of items in a history. An item belongs to an interest ("positive") if
    A_kl > 1/n. Padding and interests that a user does not have take no part.

        attend      − Σ R log A / Σ R,  R = softmax_l(V Xᵀ): items close to an interest are those routed to it
        contrast    − mean over all B K L of log( e^{cos(v_k, x_l)/τ} / D_k ) at positives, 0 elsewhere; τ = 0.02.
                    D_k is the sum of e^{cos/τ} over the user's items, the user's other interests and the items of
                    the next user in the batch
        construct   mean over all B K L d of |Y_kl − x_l|² at positives, 0 elsewhere. v_k is expanded to L pseudo items
                    R_k = F v_k + b, which attend to themselves: Y_k = softmax( W32 tanh(R_k W31)ᵀ ) R_k W5

    With several replicas, the next user is one of the same replica. A loss with weight 0 is not computed. Everything is
    computed in 32 bits, because e^{cos/τ} goes from e^{−50} to e^{50}.

    Args:
      attend, contrast, construct: weights of the losses.
      embedding_dim: d.
      max_history: L of the means above, even if the batch's histories are shorter.
      seed: decides the initial weights.
    """

    def __init__(
        self, attend: float, contrast: float, construct: float, embedding_dim: int, max_history: int, seed: int
    ):
        super().__init__(name="re4", dtype="float32")
        self.weights_of = {"attend": attend, "contrast": contrast, "construct": construct}
        self.max_history = max_history
        if construct:
            dim, bound, initializers = embedding_dim, embedding_dim**-0.5, tf.keras.initializers
            linear = [initializers.RandomUniform(-bound, bound, seed + place) for place in range(2)]
            normal = [initializers.RandomNormal(stddev=1.0, seed=seed + place) for place in range(2, 5)]
            self.expand = self.add_weight("expand", [dim, max_history * dim], initializer=linear[0])  # F
            self.expand_bias = self.add_weight("expand_bias", [max_history * dim], initializer=linear[1])  # b
            self.hidden = self.add_weight("hidden", [dim, dim], initializer=normal[0])  # W31
            self.slots = self.add_weight("slots", [max_history, dim], initializer=normal[1])  # W32
            self.map = self.add_weight("map", [dim, dim], initializer=normal[2])  # W5

    def call(self, history_rows: tf.Tensor, mask: tf.Tensor, interests: Interests) -> tf.Tensor:
        """Scalar: the weighted sum of the losses. It is also added by add_loss.

        Args:
          history_rows: [batch, length, dim], with any values on padding.
          mask: [batch, length] bool.
          interests: of an encoder that routes.
        """
        assert interests.routing is not None  # these losses are refused earlier for encoders without routing
        vectors = interests.vectors if interests.capsules is None else interests.capsules  # [B, K, d]
        items, vectors, routing = (tf.cast(part, tf.float32) for part in (history_rows, vectors, interests.routing))
        valid = tf.broadcast_to(mask[:, tf.newaxis, :], tf.shape(routing))  # [B, K, L]
        if interests.active is not None:
            valid &= interests.active[:, :, tf.newaxis]
        length = tf.reduce_sum(tf.cast(mask, tf.float32), axis=1)  # [B]
        even = ((1 + ROUNDING) / tf.maximum(length, 1))[:, tf.newaxis, tf.newaxis]  # [B, 1, 1]
        positive = valid & (routing > even)  # [B, K, L]

        cells = tf.cast(tf.shape(vectors)[0] * vectors.shape[1] * self.max_history, tf.float32)  # B K L

        losses = []
        if self.weights_of["attend"]:
            # Below this, a weight's logarithm or its gradient 1/weight is not finite in the routing's number format.
            smallest = 1e-4 if interests.routing.dtype == tf.float16 else 1e-37
            losses.append(self.weights_of["attend"] * re_attend(vectors, items, tf.maximum(routing, smallest), valid))
        if self.weights_of["contrast"]:
            total = re_contrast(vectors, items, mask, valid, positive, interests.active)
            losses.append(self.weights_of["contrast"] * total / cells)
        if self.weights_of["construct"]:
            total = self._re_construct(vectors, items, mask, positive) / items.shape[2]
            losses.append(self.weights_of["construct"] * total / cells)
        total = tf.add_n(losses)
        self.add_loss(total / tf.distribute.get_strategy().num_replicas_in_sync)  # gradients of replicas add up
        return total

    def _re_construct(self, vectors: tf.Tensor, items: tf.Tensor, mask: tf.Tensor, positive: tf.Tensor) -> tf.Tensor:
        """Scalar: sum of squared errors over the positive cells."""
        num_interests, dim = vectors.shape[1:]
        length = tf.shape(items)[1]
        pseudo = tf.matmul(tf.reshape(vectors, [-1, dim]), self.expand) + self.expand_bias  # [B K, L d]
        pseudo = tf.reshape(pseudo, [-1, self.max_history, dim])[:, :length]  # [B K, L, d]
        logits = tf.tensordot(tf.tanh(tf.tensordot(pseudo, self.hidden, 1)), self.slots[:length], [[2], [1]])
        key_mask = tf.repeat(mask, num_interests, axis=0)[:, :, tf.newaxis]  # [B K, L, 1]
        weights = tf.nn.softmax(tf.where(key_mask, logits, logits.dtype.min), axis=1)  # [B K, L of pseudo, L of slots]
        mixed = tf.reshape(tf.matmul(weights, pseudo, transpose_a=True), [-1, num_interests, length, dim])
        cells = tf.where(positive)  # [P, 3]; about a quarter of all cells, and the others need no W5
        errors = tf.matmul(tf.gather_nd(mixed, cells), self.map) - tf.gather_nd(items, tf.gather(cells, [0, 2], axis=1))
        return tf.reduce_sum(tf.square(errors))


def re_attend(vectors: tf.Tensor, items: tf.Tensor, routing: tf.Tensor, valid: tf.Tensor) -> tf.Tensor:
    """Scalar: mean cross-entropy of the routing against the softmax of the products of interests and items."""
    logits = tf.matmul(vectors, items, transpose_b=True)  # [B, K, L]
    wanted = tf.nn.softmax(tf.where(valid, logits, logits.dtype.min)) * tf.cast(valid, logits.dtype)
    return -tf.reduce_sum(wanted * tf.math.log(routing)) / tf.maximum(tf.reduce_sum(wanted), 1)


def re_contrast(
    vectors: tf.Tensor,
    items: tf.Tensor,
    mask: tf.Tensor,
    valid: tf.Tensor,
    positive: tf.Tensor,
    active: tf.Tensor | None,
) -> tf.Tensor:
    """Scalar: −log of each positive cell's share of its denominator, summed over the positive cells."""
    items = tf.math.l2_normalize(items, axis=-1)
    vectors = tf.math.l2_normalize(vectors, axis=-1)
    own = tf.matmul(vectors, items, transpose_b=True) / TEMPERATURE  # [B, K, L]
    others = tf.matmul(vectors, vectors, transpose_b=True) / TEMPERATURE  # [B, K, K]
    strangers = tf.matmul(vectors, tf.roll(items, -1, axis=0), transpose_b=True) / TEMPERATURE  # [B, K, L]
    is_other = ~tf.eye(vectors.shape[1], dtype=tf.bool)[tf.newaxis]
    if active is not None:
        is_other &= active[:, tf.newaxis, :]
    terms = [(own, valid), (others, is_other), (strangers, tf.roll(mask, -1, axis=0)[:, tf.newaxis, :])]
    # -1e9 stands for -inf: the sum of an interest without any term then means nothing, but is not NaN.
    everything = tf.concat([tf.where(counts, logits, -1e9) for logits, counts in terms], axis=2)
    denominator = tf.reduce_logsumexp(everything, axis=2, keepdims=True)  # [B, K, 1]
    return tf.reduce_sum(tf.where(positive, denominator - own, 0.0))
