"""UMI: dynamic routing, gated and refined by the user's profile (User-aware Multi-Interest learning, SIGIR'22)."""

import tensorflow as tf

from remi_tf.encoders.base import Encoder, Interests, kaiming_normal
from remi_tf.encoders.capsules import squash
from remi_tf.encoders.profile import add_table, embed, of_known, with_profile
from remi_tf.randomness import place_seed
from remi_tf.settings.encoders import UMISettings

HIDDEN = 8  # units inside both gates


class UMI(Encoder):
    """The user's profile decides how much each item counts, and refines each interest.

        p = [p_1; …; p_P] the embeddings of the profile's columns,   g_l = σ(MLP([x_l; p]))
        c = softmax_k(b),   v_k = squash(Σ_l c_kl g_l W_k x_l),   b_kl = W_k x_l · v_k
        p'_k = σ(MLP([v_k; p])) ⊙ columns of p,   u_k = Dense(ReLU(Dense([v_k; p'_k])))

    b starts as a truncated N(0, 1); each round overwrites it instead of adding to it. c is a constant for the gradient,
    which passes only through the last round. W_k is linear, so items are summed before they are mapped: W_k x_l is
    never formed. In training, the first b is drawn for every user and step; outside training, one draw per interest
    and slot serves all users. An unknown profile value is a zero vector.

    Routing is the last c as shares of the history. They come from the same b with W_k and x_l trainable, so a penalty
    on the routing trains them.
    """

    settings: UMISettings
    joins_profile = True

    def __init__(self, settings: UMISettings, seed: int, profile_sizes: tuple[int, ...]):
        super().__init__(settings)
        dim, interests, columns = settings.embedding_dim, settings.num_interests, len(profile_sizes)
        self.profile_sizes, width = profile_sizes, columns * settings.profile_dim
        self.profile_table = add_table(self, profile_sizes, settings.profile_dim, seed)
        self.maps = self.add_weight(
            "maps", [interests, dim, dim], initializer=kaiming_normal(dim, seed + 1), trainable=True
        )

        def dense(name: str, units: int, fan_in: int, activation: str | None, number: int) -> tf.keras.layers.Dense:
            initializer = kaiming_normal(fan_in, seed + number)
            return tf.keras.layers.Dense(units, activation, kernel_initializer=initializer, name=name)

        self.item_gate_hidden = dense("item_gate_hidden", HIDDEN, dim + width, "relu", 2)
        self.item_gate = dense("item_gate", 1, HIDDEN, "sigmoid", 3)
        self.profile_gate_hidden = dense("profile_gate_hidden", HIDDEN, dim + width, "relu", 4)
        self.profile_gate = dense("profile_gate", columns, HIDDEN, "sigmoid", 5)
        half = max(1, dim // 2)
        self.output_hidden = dense("output_hidden", half, dim + width, "relu", 6)
        self.output_layer = dense("output", dim, half, None, 7)
        self.served_logits = self.add_weight(
            "served_logits",
            [interests, settings.max_history],
            initializer=tf.keras.initializers.TruncatedNormal(stddev=1.0, seed=seed + 8),
            trainable=False,
            experimental_autocast=False,
        )

    def call(
        self, embeddings: tf.Tensor, mask: tf.Tensor, training_seed: tf.Tensor | None = None, *, profile: tf.Tensor
    ) -> Interests:
        columns = embed(self.profile_table, self.profile_sizes, profile)  # [B, P, profile_dim]
        flat = tf.reshape(columns, [-1, columns.shape[1] * columns.shape[2]])  # [B, P profile_dim]
        items = tf.where(mask[:, :, tf.newaxis], embeddings, 0)  # [B, L, d]
        gates = self.item_gate(self.item_gate_hidden(with_profile(items, flat)))[:, :, 0]  # [B, L]
        capsules, shares = self.route(items, gates, mask, self.initial_logits(mask, training_seed))
        capsules = tf.cast(capsules, embeddings.dtype)  # [B, K, d]
        gates = self.profile_gate(self.profile_gate_hidden(with_profile(capsules, flat)))  # [B, K, P]
        refined = gates[..., tf.newaxis] * columns[:, tf.newaxis]  # [B, K, P, profile_dim]
        refined = tf.reshape(refined, [-1, capsules.shape[1], flat.shape[1]])
        vectors = self.output_layer(self.output_hidden(tf.concat([capsules, refined], axis=2)))  # [B, K, d]
        return Interests(of_known(vectors, mask), shares, capsules=capsules)

    def route(
        self, items: tf.Tensor, gates: tf.Tensor, mask: tf.Tensor, logits: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """[B, L, d], [B, L], [B, L], [B, K, L] → v [B, K, d] and shares of the history [B, K, L], both in 32 bits."""
        items, maps = tf.cast(items, tf.float32), tf.cast(self.maps, tf.float32)
        valid = mask[:, tf.newaxis, :]  # [B, 1, L]
        gates = tf.where(valid, tf.cast(gates, tf.float32)[:, tf.newaxis, :], 0.0)
        for to_come in reversed(range(self.settings.routing_iterations)):
            log_weights = tf.nn.log_softmax(logits, axis=1)  # [B, K, L]
            weights = tf.stop_gradient(tf.exp(log_weights)) * gates
            vectors = squash(tf.einsum("bkc,kcd->bkd", tf.matmul(weights, items), maps))  # [B, K, d]
            if to_come:
                mapped_back = tf.einsum("bkd,kcd->bkc", tf.stop_gradient(vectors), maps)
                logits = tf.matmul(mapped_back, items, transpose_b=True)  # [B, K, L]
        shares = tf.nn.softmax(tf.where(valid, log_weights, log_weights.dtype.min))
        return vectors, tf.where(valid, shares, 0.0)

    def initial_logits(self, mask: tf.Tensor, training_seed: tf.Tensor | None) -> tf.Tensor:
        """[batch, num_interests, length] float32."""
        shape = [tf.shape(mask)[0], self.settings.num_interests, tf.shape(mask)[1]]
        if training_seed is None:
            return tf.broadcast_to(self.served_logits[:, : shape[2]], shape)
        return tf.random.stateless_truncated_normal(shape, place_seed(training_seed, 0))
