"""The interactivity graph of PIMI: items linked to their neighbours in time and to a virtual centre."""

import tensorflow as tf

from remi_tf.encoders.base import dropout


class InteractionLayer(tf.keras.layers.Layer):
    """One round of messages: every node attends to its neighbours, then the centre to itself and to all nodes.

        h_i ← ReLU MHA(h_i; {h_{i−1}, h_i, c, x_i}),   c ← ReLU MHA(c; {c, h_1 … h_n})

    Both use the same weights. There is no residual and no normalisation. The node before the first is a zero
    vector; its key and value are the biases. Neighbours are found by shifting keys and values, not by gathering.

    Args:
      next_item_edges: h_{i+1} is a neighbour too, if there is one.
      mask_padding: the centre does not attend to padded slots. If false, they are zero vectors among its keys.
      places: this layer's dropout uses the places `places` and `places + 1` of the encoder.
    """

    def __init__(
        self,
        dim: int,
        num_heads: int,
        rate: float,
        *,
        next_item_edges: bool,
        mask_padding: bool,
        seed: int,
        places: int,
    ):
        super().__init__()
        self.dim, self.num_heads, self.head_dim = dim, num_heads, dim // num_heads
        self.rate, self.next_item_edges, self.mask_padding, self.places = rate, next_item_edges, mask_padding, places
        limit = (6 / (dim + dim)) ** 0.5  # Glorot's limit, for three square kernels side by side
        uniform = tf.keras.initializers.RandomUniform(-limit, limit, seed=seed)
        self.kernel = self.add_weight("query_key_value/kernel", [dim, 3 * dim], initializer=uniform)
        self.bias = self.add_weight("query_key_value/bias", [3 * dim], initializer="zeros")
        self.out = tf.keras.layers.Dense(
            dim,
            activation="relu",
            kernel_initializer=tf.keras.initializers.GlorotUniform(seed + 1),
            name="output",
        )

    def call(
        self, nodes: tf.Tensor, centre: tf.Tensor, own: tf.Tensor, mask: tf.Tensor, training_seed: tf.Tensor | None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """nodes and own (x) [B, L, d], zero on padding, centre [B, d], mask [B, L] → the new nodes and centre."""
        query, key, value = tf.split(tf.tensordot(centre, self.kernel, 1) + self.bias, 3, axis=-1)  # [B, d]
        mixed = self._nodes(nodes, key[:, tf.newaxis], value[:, tf.newaxis], own, mask, training_seed)
        nodes = self.out(mixed) * tf.cast(mask, nodes.dtype)[..., tf.newaxis]  # [B, L, d]
        everything = tf.concat([centre[:, tf.newaxis], nodes], axis=1)  # [B, 1 + L, d]
        return nodes, self.out(self._centre(query, everything, mask, training_seed))

    def _nodes(
        self,
        nodes: tf.Tensor,
        centre_key: tf.Tensor,
        centre_value: tf.Tensor,
        own: tf.Tensor,
        mask: tf.Tensor,
        training_seed: tf.Tensor | None,
    ) -> tf.Tensor:
        dim = self.dim
        query, key, value = tf.split(tf.tensordot(nodes, self.kernel, 1) + self.bias, 3, axis=-1)  # [B, L, d]
        own_key, own_value = tf.split(tf.tensordot(own, self.kernel[:, dim:], 1) + self.bias[dim:], 2, axis=-1)
        keys = [_previous(key, self.bias[dim : 2 * dim]), key, centre_key, own_key]
        values = [_previous(value, self.bias[2 * dim :]), value, centre_value, own_value]
        if self.next_item_edges:
            keys.append(tf.roll(key, -1, axis=1))
            values.append(tf.roll(value, -1, axis=1))
        query *= self.head_dim**-0.5
        scores = [tf.reduce_sum(self._heads(query * key), axis=-1) for key in keys]  # [B, L, heads] each
        if self.next_item_edges:
            has_next = tf.pad(mask[:, 1:], [[0, 0], [0, 1]])[..., tf.newaxis]
            scores[-1] = tf.where(has_next, scores[-1], scores[-1].dtype.min)
        weights = dropout(tf.nn.softmax(tf.stack(scores, axis=-1)), self.rate, training_seed, self.places)
        shares = tf.unstack(weights[..., tf.newaxis, :], axis=-1)  # [B, L, heads, 1] each
        mixed = tf.add_n([share * self._heads(value) for share, value in zip(shares, values, strict=True)])
        return tf.reshape(mixed, tf.shape(nodes))

    def _centre(
        self, query: tf.Tensor, everything: tf.Tensor, mask: tf.Tensor, training_seed: tf.Tensor | None
    ) -> tf.Tensor:
        """[B, d]: with one query, q · (W h + b) = (Wᵀ q) · h + q · b, so the nodes' keys and values are not needed."""
        shape = [self.dim, 3, self.num_heads, self.head_dim]
        _, key_kernel, value_kernel = tf.unstack(tf.reshape(self.kernel, shape), axis=1)  # [d, heads, head_dim]
        _, key_bias, value_bias = tf.unstack(tf.reshape(self.bias, shape[1:]))  # [heads, head_dim]
        query = tf.reshape(query, [-1, *shape[2:]]) * self.head_dim**-0.5  # [B, heads, head_dim]
        projected = tf.einsum("bhe,dhe->bhd", query, key_kernel)
        offset = tf.reduce_sum(query * key_bias, axis=-1, keepdims=True)  # [B, heads, 1]
        scores = tf.matmul(projected, everything, transpose_b=True) + offset  # [B, heads, 1 + L]
        if self.mask_padding:
            seen = tf.pad(mask, [[0, 0], [1, 0]], constant_values=True)[:, tf.newaxis]
            scores = tf.where(seen, scores, scores.dtype.min)
        weights = dropout(tf.nn.softmax(scores), self.rate, training_seed, self.places + 1)
        mixed = tf.einsum("bhd,dhe->bhe", tf.matmul(weights, everything), value_kernel)
        mixed += tf.reduce_sum(weights, axis=-1, keepdims=True) * value_bias  # the sum is 1 without dropout
        return tf.reshape(mixed, [-1, self.dim])

    def _heads(self, inputs: tf.Tensor) -> tf.Tensor:
        """[B, L, d] → [B, L, heads, head_dim]."""
        return tf.reshape(inputs, tf.concat([tf.shape(inputs)[:2], [self.num_heads, self.head_dim]], axis=0))


def _previous(inputs: tf.Tensor, first: tf.Tensor) -> tf.Tensor:
    """[B, L, d] shifted by one slot, with [d] in the first. By tf.split: the gradient of a slice takes longer."""
    before, last = tf.split(inputs, [tf.shape(inputs)[1] - 1, 1], axis=1)
    return tf.concat([first + tf.zeros_like(last), before], axis=1)
