"""GRU4REC: a gated recurrent unit reads the history in its order (GRU4Rec, ICLR'16, as the ComiRec releases have it).

MTMI-GRU (MTMI's multi-tower encoder): the same, with K towers.
"""

from typing import Any

import tensorflow as tf

from remi_tf.encoders.base import Encoder, Interests, dropout
from remi_tf.encoders.profile import Profile, of_known
from remi_tf.settings.encoders import GRUSettings

KEEP = 1e4  # as input it makes an update gate exactly 1, in 16 bits too: the state then stays the same, bit for bit


class GRU4REC(Encoder):
    """K towers, each a GRU. The interest is its state after the last item; one tower is the plain GRU4Rec.

        r, z = σ(W_r x_l + U_r h + b_r), σ(W_z x_l + U_z h + b_z),   h ← z h + (1 − z) c
        c = tanh(W_c x_l + r (U_c h))         with `gru_projection` (REMI's port): h has size 2d, no biases in the unit,
                                              v = P h + p with P [d, 2d]
        c = tanh(W_c x_l + U_c (r h) + b_c)   without (ComiRec's TensorFlow release): h has size d, v = h

    Padding does not change h. All towers read the same history; in training, the same values are dropped for all.
    With a profile v = P h + Q E_p + p in both forms: a dense layer on [h ‖ E_p].
    """

    settings: GRUSettings
    joins_profile = True

    def __init__(self, settings: GRUSettings, seed: int, profile_sizes: tuple[int, ...] = ()):
        super().__init__(settings)
        self.profile = Profile(settings, profile_sizes, seed) if profile_sizes else None
        self.projects = settings.gru_projection
        dim, towers = settings.embedding_dim, settings.num_interests
        self.size = size = 2 * dim if self.projects else dim
        # The kernels' columns are the reset gate, the update gate, the candidate.
        of_input, of_state = _uniform((6 / (dim + 3 * size)) ** 0.5, seed), _uniform((6 / (4 * size)) ** 0.5, seed + 1)
        if settings.initializer == "glorot":
            of_input, of_state = (_ComiRecStart(dim, size, place) for place in (seed, seed + 1))
        self.input_kernel = self.add_weight("input_kernel", [dim, towers, 3 * size], initializer=of_input)
        self.recurrent_kernel = self.add_weight("recurrent_kernel", [towers, size, 3 * size], initializer=of_state)
        self.has_dense = self.projects or self.profile is not None
        if self.has_dense:
            around = size**-0.5
            self.projection = self.add_weight("projection", [towers, size, dim], initializer=_uniform(around, seed + 2))
            self.projection_bias = self.add_weight(
                "projection_bias", [towers, 1, dim], initializer=_uniform(around, seed + 3)
            )
        if self.profile is not None:
            shape = [towers, self.profile.width, dim]
            self.profile_projection = self.add_weight(
                "profile_projection", shape, initializer=_uniform(shape[1] ** -0.5, seed + 4)
            )
        if not self.projects:
            self.gate_bias = self.add_weight("gate_bias", [towers, 1, 2 * size], initializer="ones")
            self.candidate_bias = self.add_weight("candidate_bias", [towers, 1, size], initializer="zeros")

    def call(
        self,
        embeddings: tf.Tensor,
        mask: tf.Tensor,
        training_seed: tf.Tensor | None = None,
        profile: tf.Tensor | None = None,
    ) -> Interests:
        known, length = mask, tf.shape(mask)[1]
        if embeddings.shape[1] is None:  # the steps are unrolled below, which needs a fixed length
            missing = self.settings.max_history - tf.shape(embeddings)[1]
            embeddings, mask = tf.pad(embeddings, [[0, 0], [0, missing], [0, 0]]), tf.pad(mask, [[0, 0], [0, missing]])
            embeddings = tf.ensure_shape(embeddings, [None, self.settings.max_history, None])
        embeddings = dropout(embeddings, self.settings.dropout, training_seed, 0)
        rows, kernels = self._inputs(embeddings, mask)
        towers = zip(tf.unstack(kernels), tf.unstack(tf.convert_to_tensor(self.recurrent_kernel)), strict=True)
        # One product per tower: on two cores, one batched product of all towers takes twice the time.
        states = [_states(rows, *tower, reset_first=not self.projects) for tower in towers]  # K × L × [B, h]
        vectors = tf.transpose(self._project(tf.stack([tower[-1] for tower in states])), [1, 0, 2])  # [B, K, d]
        every = None
        if self.settings.num_interests == 1:
            every = tf.reshape(tf.stack(states[0], axis=1)[:, :length], [1, -1, self.size])  # [1, B L, h]
            every = tf.reshape(self._project(every), [-1, length, self.settings.embedding_dim])
        if self.profile is None:
            return Interests(vectors, states=every)
        told = tf.einsum("bx,kxd->bkd", self.profile(profile), tf.convert_to_tensor(self.profile_projection))
        return Interests(of_known(vectors + told, known), states=None if every is None else every + told)

    def _project(self, states: tf.Tensor) -> tf.Tensor:
        """[K, n, h] → [K, n, d]."""
        return tf.matmul(states, self.projection) + self.projection_bias if self.has_dense else states

    def _inputs(self, embeddings: tf.Tensor, mask: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Rows (x_l, 1 on padding, 1) [L, B, d + 2], and for every tower the stack W, KEEP, b [K, d + 2, 3h].

        Their product is W x + b. On padding KEEP makes the update gate 1, so the steps need no mask."""
        padding = tf.cast(~mask, embeddings.dtype)[..., tf.newaxis]  # [B, L, 1]
        rows = tf.concat([embeddings, padding, tf.ones_like(padding)], axis=2)
        keep = tf.repeat(tf.constant([0, KEEP, 0], embeddings.dtype), self.size)
        keep = tf.tile(keep[tf.newaxis, tf.newaxis], [self.settings.num_interests, 1, 1])
        bias = tf.zeros_like(keep) if self.projects else tf.concat([self.gate_bias, self.candidate_bias], axis=2)
        kernels = tf.concat([tf.transpose(self.input_kernel, [1, 0, 2]), keep, bias], axis=1)
        return tf.transpose(rows, [1, 0, 2]), kernels


def _states(rows: tf.Tensor, kernel: tf.Tensor, recurrent_kernel: tf.Tensor, reset_first: bool) -> list[tf.Tensor]:
    """One tower: rows [L, B, i], kernels [i, 3h] and [h, 3h] → L × [B, h], the state after each row.

    The steps are unrolled: a loop takes twice the time."""
    size = recurrent_kernel.shape[0]
    of_gates, of_candidate = tf.split(recurrent_kernel, [2 * size, size], axis=1)
    inputs = (tf.unstack(tf.tensordot(rows, part, 1)) for part in tf.split(kernel, [2 * size, size], axis=1))
    state, states = tf.zeros([tf.shape(rows)[1], size], rows.dtype), []
    for gates, candidate in zip(*inputs, strict=True):
        reset, update = tf.split(tf.sigmoid(gates + tf.matmul(state, of_gates)), 2, axis=1)
        if reset_first:
            candidate += tf.matmul(reset * state, of_candidate)
        else:
            candidate += reset * tf.matmul(state, of_candidate)
        state = update * state + (1 - update) * tf.tanh(candidate)
        states.append(state)
    return states


class _ComiRecStart(tf.keras.initializers.Initializer):
    """Glorot uniform as TensorFlow 1's unit has it: one matrix [x ‖ h] for both gates, one for the candidate."""

    def __init__(self, dim: int, size: int, seed: int):
        self.size = size
        self.of_gates = _uniform((6 / (dim + 3 * size)) ** 0.5, seed)
        self.of_candidate = _uniform((6 / (dim + 2 * size)) ** 0.5, seed + 5)

    def __call__(self, shape: tf.TensorShape, dtype: tf.DType | None = None, **kwargs: Any) -> tf.Tensor:
        first = list(shape[:-1])
        columns = [(self.of_gates, 2 * self.size), (self.of_candidate, self.size)]
        return tf.concat([start([*first, width], dtype=dtype) for start, width in columns], axis=-1)


def _uniform(limit: float, seed: int) -> tf.keras.initializers.Initializer:
    return tf.keras.initializers.RandomUniform(-limit, limit, seed)
