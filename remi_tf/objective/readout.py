"""Readouts: which interest answers for a candidate. They return scores of the target and of the negatives."""

import functools
from collections.abc import Callable
from typing import Protocol

import tensorflow as tf

from remi_tf.encoders.base import Interests
from remi_tf.settings.settings import Settings

LARGEST_LOGIT = 1e4  # of label-aware attention with a power
PROJECTION_DIM = 16  # of BaM's linear correlation


class Readout(Protocol):
    """Interests and candidates → scores.

    Args of the call:
      interests: vectors [batch, num_interests, dim] and, if users may have fewer, which are active.
      target: [batch, dim] item embeddings.
      negatives: [num_negatives, dim] shared by the batch.
      seed: [2] int32 of this step's random draws.

    Returns:
      Scores of the target [batch] and of the negatives [batch, num_negatives].
    """

    def __call__(
        self, interests: Interests, target: tf.Tensor, negatives: tf.Tensor, seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]: ...


def hard(interests: Interests, target: tf.Tensor, negatives: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The interest closest to the target answers for all candidates (ComiRec, eq. 7: argmax over v_k · e_y).

    The gradient flows only through the chosen interest.
    """
    by_target = products(interests.vectors, target)  # [B, K]
    chosen = tf.gather(interests.vectors, tf.argmax(by_target, axis=1), batch_dims=1)  # [B, d]
    return scores(chosen, target, negatives)


class LabelAware:
    """A mix of the interests answers for all candidates, mostly those close to the target (MIND, eq. 8).

        u = Σ_k softmax_k( f(v_k · e_y) ) v_k,   f(a) = p a ("scale") or a^p ("power", the paper's)

    p → ∞ is the hard readout. The gradient also flows through the weights.
    """

    def __init__(self, power: float, form: str = "scale"):
        self.power, self.form = power, form

    def __call__(
        self, interests: Interests, target: tf.Tensor, negatives: tf.Tensor, seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        logits = products(interests.vectors, target)  # [B, K]
        if self.form == "power":
            # a^p = size^p (a / size)^p. If size^p is too large, LARGEST_LOGIT replaces it; the order stays.
            size = tf.maximum(tf.abs(tf.reduce_max(logits, axis=1, keepdims=True)), 1.0)  # [B, 1]
            size = tf.stop_gradient(size)
            relative = tf.maximum(logits / size, -(1e30 ** (1 / self.power)))  # keeps the power of the lowest finite
            logits = tf.minimum(tf.pow(size, self.power), LARGEST_LOGIT) * tf.pow(relative, self.power)
        else:
            logits *= self.power
        weights = tf.nn.softmax(only_active(logits, interests))  # [B, K]
        return scores(tf.einsum("bk,bkd->bd", weights, interests.vectors), target, negatives)


class Sampled:
    """One drawn interest answers for all candidates, likely one close to the target (BaM, soft interest selection).

        k ~ softmax_k( T c(v_k, e_y) ),   c(v, e) = v · e ("inner") or W v · W e ("linear")

    No gradient passes through the draw, so W [dim, 16] could not be trained. It is a fixed random projection, the same
    on both sides, so c estimates v · e.
    """

    def __init__(self, settings: Settings, seed: int):
        self.scale = settings.objective.correlation_scale
        self.projection = None
        if settings.objective.correlation == "linear":
            shape = [settings.encoder.embedding_dim, PROJECTION_DIM]
            self.projection = tf.random.stateless_normal(shape, [seed, 0], stddev=PROJECTION_DIM**-0.5)

    def __call__(
        self, interests: Interests, target: tf.Tensor, negatives: tf.Tensor, seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        logits = only_active(self.scale * self.correlation(interests.vectors, target), interests)  # [B, K]
        drawn = tf.random.stateless_categorical(logits, 1, seed)[:, 0]  # [B]
        return scores(tf.gather(interests.vectors, drawn, batch_dims=1), target, negatives)

    def correlation(self, vectors: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
        """c(v_k, e_y): [batch, num_interests, dim], [batch, dim] → [batch, num_interests]."""
        if self.projection is None:
            return products(vectors, target)
        return products(tf.tensordot(vectors, self.projection, 1), tf.matmul(target, self.projection))


def per_candidate(
    interests: Interests, target: tf.Tensor, negatives: tf.Tensor, seed: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """The interest closest to a candidate, target or negative, answers for it, as in serving (UMI's HN).

    s_i = max_k v_k · e_i. The gradient of a score flows only through one interest, the first of equal ones.
    """
    positive = tf.unstack(products(interests.vectors, target), axis=1)  # K × [B]
    negative = tf.unstack(all_products(interests.vectors, negatives), axis=1)  # K × [B, N]
    return functools.reduce(tf.maximum, positive), functools.reduce(tf.maximum, negative)


def all_interests(
    interests: Interests, target: tf.Tensor, negatives: tf.Tensor, seed: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """All interests answer for each candidate, the closest ones most (BaM's multi-interest loss).

    S_i = ln Σ_k exp(v_k · e_i).
    """
    positive = only_active(products(interests.vectors, target), interests)  # [B, K]
    negative = only_active(all_products(interests.vectors, negatives), interests)  # [B, K, N]
    return tf.reduce_logsumexp(positive, axis=1), tf.reduce_logsumexp(negative, axis=1)


def products(vectors: tf.Tensor, target: tf.Tensor) -> tf.Tensor:
    """[batch, num_interests, dim], [batch, dim] → [batch, num_interests]: each interest times the user's own target."""
    return tf.einsum("bkd,bd->bk", vectors, target)


def all_products(vectors: tf.Tensor, negatives: tf.Tensor) -> tf.Tensor:
    """→ [batch, num_interests, num_negatives]: each interest times every negative, in one matrix product."""
    num_interests, dim = vectors.shape[1:]
    flat = tf.matmul(tf.reshape(vectors, [-1, dim]), negatives, transpose_b=True)  # [B K, N]
    return tf.reshape(flat, [-1, num_interests, tf.shape(negatives)[0]])


def only_active(logits: tf.Tensor, interests: Interests) -> tf.Tensor:
    """[batch, num_interests, ...] logits, with the lowest float for interests that a user does not have."""
    if interests.active is None:
        return logits
    active = tf.reshape(interests.active, tf.concat([tf.shape(interests.active), [1] * (len(logits.shape) - 2)], 0))
    return tf.where(active, logits, logits.dtype.min)


def scores(chosen: tf.Tensor, target: tf.Tensor, negatives: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """One vector a user [batch, dim] → scores of the target [batch] and of the negatives [batch, num_negatives]."""
    return tf.reduce_sum(chosen * target, axis=1), tf.matmul(chosen, negatives, transpose_b=True)


READOUTS: dict[str, Callable[[Settings, int], Readout]] = {
    "hard": lambda settings, seed: hard,
    "label_aware": lambda settings, seed: LabelAware(
        settings.objective.label_power, settings.objective.label_attention
    ),
    "sampled": Sampled,
    "per_candidate": lambda settings, seed: per_candidate,
    "logsumexp": lambda settings, seed: all_interests,
}
