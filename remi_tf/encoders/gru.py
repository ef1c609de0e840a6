"""GRU4REC: a gated recurrent unit reads the history in its order (GRU4Rec, ICLR'16, as the ComiRec releases have it).

MTMI-GRU (MTMI's multi-tower encoder): the same, with K towers.
"""

import tensorflow as tf

from remi_tf.config import EncoderSettings
from remi_tf.encoders.base import Encoder, Interests, dropout


class GRU4REC(Encoder):
    """K towers, each a GRU whose state after the last item is the interest; one tower is the plain GRU4Rec.

        r, z = σ(W_r x_l + U_r h + b_r), σ(W_z x_l + U_z h + b_z),   h ← z h + (1 − z) c
        c = tanh(W_c x_l + r (U_c h))         with `gru_projection` (REMI's port): h has size 2d, no biases in the unit,
                                              v = P h + p with P [d, 2d]
        c = tanh(W_c x_l + U_c (r h) + b_c)   without (ComiRec's TensorFlow release): h has size d, v = h

    Padding leaves h as it is. All towers read the same history, in training with the same values dropped.
    """

    def __init__(self, settings: EncoderSettings, seed: int):
        super().__init__(settings)
        self.projects = settings.gru_projection
        dim, towers = settings.embedding_dim, settings.num_interests
        self.size = size = 2 * dim if self.projects else dim
        # The kernels' columns are the reset gate, the update gate, the candidate.
        self.input_kernel = self.add_weight(
            "input_kernel", [dim, towers, 3 * size], initializer=_uniform((6 / (dim + 3 * size)) ** 0.5, seed)
        )
        self.recurrent_kernel = self.add_weight(
            "recurrent_kernel", [towers, size, 3 * size], initializer=_uniform((6 / (4 * size)) ** 0.5, seed + 1)
        )
        if self.projects:
            around = size**-0.5
            self.projection = self.add_weight("projection", [towers, size, dim], initializer=_uniform(around, seed + 2))
            self.projection_bias = self.add_weight(
                "projection_bias", [towers, 1, dim], initializer=_uniform(around, seed + 3)
            )
        else:
            self.gate_bias = self.add_weight("gate_bias", [towers, 1, 2 * size], initializer="ones")
            self.candidate_bias = self.add_weight("candidate_bias", [towers, 1, size], initializer="zeros")

    def call(self, embeddings: tf.Tensor, mask: tf.Tensor, training_seed: tf.Tensor | None = None) -> Interests:
        if embeddings.shape[1] is None:  # the steps below are laid out one by one
            missing = self.settings.max_history - tf.shape(embeddings)[1]
            embeddings, mask = tf.pad(embeddings, [[0, 0], [0, missing], [0, 0]]), tf.pad(mask, [[0, 0], [0, missing]])
            embeddings = tf.ensure_shape(embeddings, [None, self.settings.max_history, None])
        embeddings = dropout(embeddings, self.settings.dropout, training_seed, 0)
        gates, candidates = tf.split(self._inputs(embeddings), [2 * self.size, self.size], axis=3)
        if not self.projects:
            gates, candidates = gates + self.gate_bias, candidates + self.candidate_bias
        state = self._last_state(gates, candidates, mask)  # [K, B, h]
        if self.projects:
            state = tf.matmul(state, self.projection) + self.projection_bias  # [K, B, d]
        return Interests(tf.transpose(state, [1, 0, 2]))

    def _inputs(self, embeddings: tf.Tensor) -> tf.Tensor:
        """W x of all items at once: [B, L, d] → [L, K, B, 3h]."""
        length, (dim, towers, columns) = embeddings.shape[1], self.input_kernel.shape
        items = tf.reshape(tf.transpose(embeddings, [1, 0, 2]), [-1, dim])  # [L B, d]
        inputs = tf.matmul(items, tf.reshape(self.input_kernel, [dim, -1]))  # [L B, K 3h]
        return tf.transpose(tf.reshape(inputs, [length, -1, towers, columns]), [0, 2, 1, 3])

    def _last_state(self, gates: tf.Tensor, candidates: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
        """[L, K, B, 2h], [L, K, B, h] and [B, L] → [K, B, h]. Laid out step by step: a loop takes twice the time."""
        kernels = tf.split(tf.convert_to_tensor(self.recurrent_kernel), [2 * self.size, self.size], axis=2)
        present = tf.transpose(mask)[:, :, tf.newaxis]  # [L, B, 1]
        state = tf.zeros_like(candidates[0])
        steps = (tf.unstack(part, gates.shape[0]) for part in (gates, candidates, present))
        for gate, candidate, here in zip(*steps, strict=True):
            reset, update = tf.split(tf.sigmoid(gate + tf.matmul(state, kernels[0])), 2, axis=2)
            if self.projects:
                candidate = tf.tanh(candidate + reset * tf.matmul(state, kernels[1]))
            else:
                candidate = tf.tanh(candidate + tf.matmul(reset * state, kernels[1]))
            state = tf.where(here, candidate + update * (state - candidate), state)
        return state


def _uniform(limit: float, seed: int) -> tf.keras.initializers.Initializer:
    return tf.keras.initializers.RandomUniform(-limit, limit, seed)
