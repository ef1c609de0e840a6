"""DNN: a linear map of the mean item (YouTube's candidate generation, RecSys'16, as the ComiRec releases have it).

MTMI-DNN (MTMI's multi-tower encoder): the same, with K towers.
"""

import tensorflow as tf

from remi_tf.encoders.base import Encoder, Interests, first_weights
from remi_tf.encoders.profile import Profile, of_known
from remi_tf.settings.encoders import DNNSettings


class DNN(Encoder):
    """K towers over the mean of the history; one tower is the plain DNN.

        v_k = W_k (1/n Σ_l x_l) + b_k,   l over the n items of the history

    with W_k [d, d], and b_k only with `use_bias` (ComiRec's TensorFlow release). Without `mask_padding` the sum also
    includes the padded slots, but is still divided by n. Padding's row gets no gradient from them (REMI's port).
    With a profile the towers map [mean ‖ E_p], as YouTube's network does with what it knows of a user.
    """

    settings: DNNSettings
    joins_profile = True

    def __init__(self, settings: DNNSettings, seed: int, profile_sizes: tuple[int, ...] = ()):
        super().__init__(settings)
        dim = settings.embedding_dim
        self.profile = Profile(settings, profile_sizes, seed) if profile_sizes else None
        width = dim + (self.profile.width if self.profile else 0)
        self.towers = tf.keras.layers.Dense(
            settings.num_interests * dim,
            use_bias=settings.use_bias,
            kernel_initializer=first_weights(settings, width, seed),
            name="towers",
        )

    def call(
        self,
        embeddings: tf.Tensor,
        mask: tf.Tensor,
        training_seed: tf.Tensor | None = None,
        profile: tf.Tensor | None = None,
    ) -> Interests:
        length = tf.reduce_sum(tf.cast(mask, embeddings.dtype), axis=1, keepdims=True)  # [B, 1]
        padding = tf.zeros_like(embeddings) if self.settings.mask_padding else tf.stop_gradient(embeddings)
        total = tf.reduce_sum(tf.where(mask[:, :, tf.newaxis], embeddings, padding), axis=1)  # [B, d]
        read, shape = total / tf.maximum(length, 1), [-1, self.settings.num_interests, embeddings.shape[2]]
        if self.profile is None:
            return Interests(tf.reshape(self.towers(read), shape))  # [B, K, d]
        read = tf.concat([read, self.profile(profile)], axis=1)  # [B, d + width]
        return Interests(of_known(tf.reshape(self.towers(read), shape), mask))
