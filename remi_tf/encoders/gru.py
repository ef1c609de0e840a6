"""GRU4REC: a gated recurrent unit reads the history in its order (GRU4Rec, ICLR'16, as the ComiRec releases have it).

MTMI-GRU (MTMI's multi-tower encoder): the same, with K towers.
"""

import tensorflow as tf

from remi_tf.config import EncoderSettings
from remi_tf.encoders.base import Encoder, Interests, dropout

KEEP = 1e4  # as input of an update gate: it is 1 then, in 16 bits too, and the state stays as it is, bit for bit


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
        state = self._last_state(*self._inputs(embeddings, mask))  # [K, B, h]
        if self.projects:
            state = tf.matmul(state, self.projection) + self.projection_bias  # [K, B, d]
        return Interests(tf.transpose(state, [1, 0, 2]))

    def _inputs(self, embeddings: tf.Tensor, mask: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """W x + b of all items at once, for the gates [K, L, B, 2h] and the candidate [K, L, B, h].

        On padding KEEP makes the update gate 1, so that the steps need no mask."""
        (length, dim), towers = embeddings.shape[1:], self.settings.num_interests
        items = tf.reshape(tf.transpose(embeddings, [1, 0, 2]), [1, -1, dim])  # [1, L B, d]
        items = tf.tile(items, [towers, 1, 1])
        kernels = tf.split(tf.transpose(self.input_kernel, [1, 0, 2]), [2 * self.size, self.size], axis=2)
        gates, candidates = (
            tf.reshape(tf.matmul(items, kernel), [towers, length, -1, kernel.shape[2]]) for kernel in kernels
        )
        padding = tf.cast(~tf.transpose(mask), gates.dtype)[:, :, tf.newaxis]  # [L, B, 1]
        gates += padding * tf.repeat(tf.constant([0, KEEP], gates.dtype), self.size)
        if self.projects:
            return gates, candidates
        return gates + self.gate_bias[:, tf.newaxis], candidates + self.candidate_bias[:, tf.newaxis]

    def _last_state(self, gates: tf.Tensor, candidates: tf.Tensor) -> tf.Tensor:
        """[K, L, B, 2h] and [K, L, B, h] → [K, B, h]. Laid out step by step: a loop takes twice the time."""
        kernels = tf.split(tf.convert_to_tensor(self.recurrent_kernel), [2 * self.size, self.size], axis=2)
        state = tf.zeros_like(candidates[:, 0])
        for gate, candidate in zip(*(tf.unstack(part, axis=1) for part in (gates, candidates)), strict=True):
            reset, update = tf.split(tf.sigmoid(gate + tf.matmul(state, kernels[0])), 2, axis=2)
            if self.projects:
                candidate = tf.tanh(candidate + reset * tf.matmul(state, kernels[1]))
            else:
                candidate = tf.tanh(candidate + tf.matmul(reset * state, kernels[1]))
            state = update * state + (1 - update) * candidate
        return state


def _uniform(limit: float, seed: int) -> tf.keras.initializers.Initializer:
    return tf.keras.initializers.RandomUniform(-limit, limit, seed)
