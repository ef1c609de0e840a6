"""MTMI's loss: inverse distance weighted triplets on cosines, and the repel between towers."""

import tensorflow as tf

from remi_tf.encoders.base import Interests
from remi_tf.objective.example import Example
from remi_tf.objective.readout import all_products, only_active, products
from remi_tf.settings.objective import SMALLEST_DISTANCE
from remi_tf.settings.settings import Settings


class InverseDistanceLoss(tf.Module):
    """The tower closest to the target learns most, and the towers are pushed apart (MTMI: IDW and URR).

        L = Σ_j w_j t(v_j, y, n) + β mean_j t(v_j, y, v_{i≠j}),   t(a, p, n) = max(0, γ − cos(a, p) + cos(a, n))
        w_j ∝ D_j^−α,  Σ_j w_j = 1,  D_j = max(1 − cos(v_j, y), 0.001)

    t(v_j, y, n) is a mean over the step's negatives that count for the user. t(v_j, y, v_{i≠j}) is a mean over the
    other towers. w is constant in the gradient: otherwise a tower would lower its loss by moving away from the target.
    α, γ and β are the settings idw_alpha, idw_margin and idw_repel.

    With `idw_form` printed, w_j = D_j^−α as it is, and the repel is a sum over the towers (the paper's eq. 7).

    With one tower this is the plain triplet loss (the single tower of the paper's figure 3): w = 1 in the normalised
    form, and there is no other tower to repel.
    """

    by_cosine = True

    def __init__(self, settings: Settings):
        super().__init__()
        self.settings, self.printed = settings.objective, settings.objective.idw_form == "printed"
        self.parts: tuple[str, ...] = ("idw", "repel") if settings.encoder.num_interests > 1 else ("idw",)

    def __call__(self, example: Example) -> list[tf.Tensor]:
        vectors, target, negatives = (
            tf.math.l2_normalize(tf.cast(part, tf.float32), axis=-1)
            for part in (example.interests.vectors, example.target_rows, example.negative_rows)
        )
        closeness = products(vectors, target)  # [B, K]
        slack = self.settings.idw_margin - closeness[:, :, tf.newaxis]  # [B, K, 1]
        triplets = tf.nn.relu(slack + all_products(vectors, negatives))  # [B, K, N]
        excluded = example.excluded(self.settings.mask_accidental_hits)  # [B, N] or None
        counts = tf.constant([[[True]]]) if excluded is None else ~excluded[:, tf.newaxis]  # [B, 1, N]
        idw = tf.reduce_sum(self._weights(closeness, example.interests) * _mean(triplets, counts, [2]), axis=1)  # [B]
        if len(self.parts) == 1:
            return [tf.reduce_mean(idw)]

        triplets = tf.nn.relu(slack + tf.matmul(vectors, vectors, transpose_b=True))  # [B, K, K]
        pairs = _pairs(example.interests)  # [B or 1, K, K]
        summed = tf.reduce_sum(_mean(triplets, pairs, [2]), axis=1)  # [B]
        repel = summed if self.printed else _mean(triplets, pairs, [1, 2])
        return [tf.reduce_mean(idw), self.settings.idw_repel * tf.reduce_mean(repel)]

    def _weights(self, closeness: tf.Tensor, interests: Interests) -> tf.Tensor:
        """w [B, K] of towers at these cosines to the target; 0 for interests that a user does not have."""
        log_distances = tf.math.log(tf.maximum(1 - closeness, SMALLEST_DISTANCE))
        logits = only_active(-self.settings.idw_alpha * log_distances, interests)
        return tf.stop_gradient(tf.exp(logits) if self.printed else tf.nn.softmax(logits))


def _pairs(interests: Interests) -> tf.Tensor:
    """[batch or 1, num_interests, num_interests] bool: pairs of different interests, both of which the user has."""
    different = ~tf.eye(interests.vectors.shape[1], batch_shape=[1], dtype=tf.bool)
    if interests.active is None:
        return different
    return different & interests.active[:, :, tf.newaxis] & interests.active[:, tf.newaxis]


def _mean(values: tf.Tensor, counts: tf.Tensor, axis: list[int]) -> tf.Tensor:
    """Mean of the values that count; 0 if none does."""
    counts = tf.cast(tf.broadcast_to(counts, tf.shape(values)), values.dtype)
    return tf.math.divide_no_nan(tf.reduce_sum(values * counts, axis), tf.reduce_sum(counts, axis))
