"""MIND (CIKM'19) and ComiRec-DR (KDD'20, section 3.2.1): interests are capsules, filled by dynamic routing."""

import tensorflow as tf

from remi_tf.encoders.base import Encoder, Interests, first_weights, kaiming_normal
from remi_tf.encoders.profile import Profile, of_known, with_profile
from remi_tf.randomness import place_seed
from remi_tf.settings.encoders import CapsuleSettings, DynamicRoutingSettings, MINDSettings


def squash(vectors: tf.Tensor) -> tf.Tensor:
    """[..., dim] → [..., dim]: ‖s‖² / (1 + ‖s‖²) · s / ‖s‖. Keeps the direction; length below 1 (MIND, section 4.3)."""
    square = tf.reduce_sum(tf.square(vectors), axis=-1, keepdims=True)
    return vectors * (square / ((1 + square) * tf.sqrt(square + 1e-9)))


def dynamic_routing(
    maps: tf.Tensor, mask: tf.Tensor, initial: tf.Tensor, settings: CapsuleSettings, active: tf.Tensor | None = None
) -> tuple[tf.Tensor, tf.Tensor]:
    """Dynamic routing: in every round, items turn to the capsules that agree with them (MIND, algorithm 1).

        c = softmax(b),   v_k = squash(Σ_l c_kl ê_kl),   b_kl ← b_kl + ê_kl · v_k

    `routing_softmax` says what the softmax runs over: the interests, so that each item chooses among them, or the
    sequence. Padding gets weight 0. Without `mask_padding` it still takes its share of a softmax over the sequence.

    Gradients are those of the releases: they reach the maps ê only through the last sum, where c is a constant. The
    shares come from the same b, written as b⁰ + ê · Σ_r v_r with constant v_r. So a penalty on them trains the maps.

    Args:
      maps: ê [batch, groups, length, dim]: one group per interest (DR), or one group for all interests (MIND).
      mask: [batch, length] bool, false on padding.
      initial: b⁰, broadcast to [batch, num_interests, length].
      active: [batch, num_interests] bool, interests that take part; None if all do.

    Returns:
      v [batch, num_interests, dim], and shares [batch, num_interests, length]: each row of c, scaled to sum 1 over the
      history, 0 on padding.
    """
    by_interest, num_interests = settings.routing_softmax == "interests", settings.num_interests
    shape = [tf.shape(mask)[0], num_interests, tf.shape(mask)[1]]  # B, K, L
    grouped = [shape[0], maps.shape[1], num_interests // maps.shape[1], shape[2]]  # B, G, K/G, L
    valid = tf.broadcast_to(mask[:, tf.newaxis, :], shape)
    competes = None  # [B, K, L] cells that the softmax runs over; None is all of them
    if by_interest and active is not None:
        competes = tf.broadcast_to(active[:, :, tf.newaxis], shape)
    elif settings.mask_padding and not by_interest:
        competes = valid
    maps = tf.cast(maps, tf.float32)
    constant, agreed = tf.stop_gradient(maps), tf.zeros([])
    logits = tf.broadcast_to(initial, shape)
    for to_come in reversed(range(settings.routing_iterations)):
        if competes is not None:
            logits = tf.where(competes, logits, logits.dtype.min)
        log_weights = tf.nn.log_softmax(logits, axis=1 if by_interest else 2)  # [B, K, L]
        weights = tf.stop_gradient(tf.exp(log_weights)) * tf.cast(valid, tf.float32)
        vectors = squash(tf.matmul(tf.reshape(weights, grouped), constant if to_come else maps))  # [B, G, K/G, d]
        if to_come:
            agreed += tf.stop_gradient(vectors)
            agreement = tf.matmul(agreed, constant if to_come > 1 else maps, transpose_b=True)  # [B, G, K/G, L]
            logits = initial + tf.reshape(agreement, shape)
    shares = tf.nn.softmax(tf.where(valid, log_weights, log_weights.dtype.min)) * tf.cast(valid, tf.float32)
    return tf.reshape(vectors, [shape[0], num_interests, maps.shape[3]]), shares


class Capsules(Encoder):
    """The common part of MIND and DR: padding is not an item, and short histories may have fewer interests."""

    settings: CapsuleSettings

    def routed(self, maps: tf.Tensor, mask: tf.Tensor, initial: tf.Tensor) -> Interests:
        """Interests from `dynamic_routing`. `adaptive_interests`: max(1, min(K, ⌊log₂ n⌋)) of them, as in MIND."""
        if not self.settings.adaptive_interests:
            return Interests(*dynamic_routing(maps, mask, initial, self.settings))
        items = tf.reduce_sum(tf.cast(mask, tf.int32), axis=1, keepdims=True)  # [B, 1]
        enough = [0, *(min(2**number, tf.int32.max) for number in range(2, self.settings.num_interests + 1))]
        active = items >= tf.constant(enough)  # [B, K]
        values = dynamic_routing(maps, mask, initial, self.settings, active)
        vectors, shares = (tf.where(active[:, :, tf.newaxis], value, value[:, :1]) for value in values)
        return Interests(vectors, shares, active)


class MIND(Capsules):
    """Multi-Interest Network with Dynamic routing: one map for all items and capsules.

        ê_l = S x_l,   b⁰ ~ N(0, 1) (or cut at 2σ),   with `relu_layer` an interest is ReLU(W v_k)
        with a profile an interest is ReLU(W [v_k ‖ E_p])   (as in the paper)

    S is [d, d], W [d, d] or [d, d + width]. They have biases only with `use_bias` (ComiRec's TensorFlow release).
    Equal capsules would stay equal, so b⁰ is random. In training it is drawn for every user and step. Outside training
    all users share one draw per slot and interest, fixed by `seed`, so a user's interests are always the same.
    """

    settings: MINDSettings
    joins_profile = True

    def __init__(self, settings: MINDSettings, seed: int, profile_sizes: tuple[int, ...] = ()):
        super().__init__(settings)
        dim = settings.embedding_dim
        self.profile = Profile(settings, profile_sizes, seed) if profile_sizes else None
        width = dim + (self.profile.width if self.profile else 0)
        self.map, self.output_layer = (
            tf.keras.layers.Dense(
                dim,
                activation=activation,
                use_bias=settings.use_bias,
                kernel_initializer=first_weights(settings, fan_in, seed + number),
                name=name,
            )
            for number, (name, fan_in, activation) in enumerate((("map", dim, None), ("output", width, "relu")))
        )
        start = tf.keras.initializers
        normal = start.TruncatedNormal if settings.routing_start == "truncated" else start.RandomNormal
        self.served_logits = self.add_weight(
            "served_logits",
            [settings.num_interests, settings.max_history],
            initializer=normal(stddev=1.0, seed=seed + 2),
            trainable=False,
            experimental_autocast=False,
        )

    def call(
        self,
        embeddings: tf.Tensor,
        mask: tf.Tensor,
        training_seed: tf.Tensor | None = None,
        profile: tf.Tensor | None = None,
    ) -> Interests:
        maps = self.map(embeddings * tf.cast(mask, embeddings.dtype)[:, :, tf.newaxis])  # [B, L, d]
        interests = self.routed(maps[:, tf.newaxis], mask, self.initial_logits(mask, training_seed))
        capsules = tf.cast(interests.vectors, embeddings.dtype)  # [B, K, d]
        if self.profile is not None:
            vectors = of_known(self.output_layer(with_profile(capsules, self.profile(profile))), mask)
        elif self.settings.relu_layer:
            vectors = self.output_layer(capsules)
        else:
            return interests._replace(vectors=capsules)
        return interests._replace(vectors=vectors, capsules=capsules)

    def initial_logits(self, mask: tf.Tensor, training_seed: tf.Tensor | None) -> tf.Tensor:
        """b⁰: [batch, num_interests, length] in training, [num_interests, length] outside training."""
        batch, length = tf.shape(mask)[0], tf.shape(mask)[1]
        if training_seed is None:
            return self.served_logits[:, :length]
        shape = [batch, self.settings.num_interests, length]
        seed = place_seed(training_seed, 0)
        if self.settings.routing_start == "truncated":
            return tf.random.stateless_truncated_normal(shape, seed)
        return tf.random.stateless_normal(shape, seed)


class DynamicRouting(Capsules):
    """ComiRec-DR: a separate map for every slot of the history and every capsule.

        ê_kl = W_lk x_l,   b⁰ = 0

    Slot 0 is the oldest item that is read. All maps are one weight [max_history, d, K d], so ê is one matrix product
    per slot.
    """

    settings: DynamicRoutingSettings

    def __init__(self, settings: DynamicRoutingSettings, seed: int):
        super().__init__(settings)
        length, interests, dim = settings.max_history, settings.num_interests, settings.embedding_dim
        fan_in = dim if settings.map_fan_in == "item" else length * interests * dim * dim
        unit = tf.keras.initializers.RandomNormal(stddev=1.0, seed=seed)
        start = unit if settings.map_fan_in == "unit" else kaiming_normal(fan_in, seed)
        self.maps = self.add_weight("maps", [length, dim, interests * dim], initializer=start, trainable=True)

    def call(self, embeddings: tf.Tensor, mask: tf.Tensor, training_seed: tf.Tensor | None = None) -> Interests:
        length, interests, dim = tf.shape(mask)[1], self.settings.num_interests, self.settings.embedding_dim
        items = embeddings * tf.cast(mask, embeddings.dtype)[:, :, tf.newaxis]  # [B, L, d]
        maps = tf.matmul(tf.transpose(items, [1, 0, 2]), self.maps[:length])  # [L, B, K d]
        maps = tf.transpose(tf.reshape(maps, [length, -1, interests, dim]), [1, 2, 0, 3])  # [B, K, L, d]
        routed = self.routed(maps, mask, tf.zeros([interests, length]))
        return routed._replace(vectors=tf.cast(routed.vectors, embeddings.dtype))
