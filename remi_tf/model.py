"""The model: one item table, an encoder and an objective."""

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs

from remi_tf.config import Settings
from remi_tf.encoders import Interests, make_encoder
from remi_tf.encoders.base import kaiming_normal
from remi_tf.errors import InputError
from remi_tf.objective.negatives import SAMPLERS
from remi_tf.objective.readout import READOUTS
from remi_tf.objective.regularizers import RoutingRegularizer
from remi_tf.objective.softmax import sampled_softmax

LOSS_PARTS = ("softmax", "rr")


class MultiInterestModel(tfrs.Model):
    """Users' histories → interests, trained so that the next item's row scores high with one of them.

    `item_table` [num_items + 1, embedding_dim] holds the input embeddings and the output weights at once (row 0 is
    padding). Every step reads it by one concatenated lookup, so that its gradient stays sparse.

    Args:
      settings: what to build.
      num_items: I, padding not counted.

    Raises:
      InputError: routing regularisation for an encoder without routing, or more negatives than items.
    """

    def __init__(self, settings: Settings, num_items: int):
        super().__init__()
        encoder, objective, seed = settings.encoder, settings.objective, settings.training.seed
        self.max_history = encoder.max_history
        self.item_table = self.add_weight(
            "item_table",
            [num_items + 1, encoder.embedding_dim],
            initializer=kaiming_normal(encoder.embedding_dim, seed),
            trainable=True,
        )
        self.encoder = make_encoder(encoder, seed + 1)
        try:
            self.sampler = SAMPLERS[objective.sampler](
                num_items, objective.num_negatives, seed, include_padding=objective.padding_is_negative
            )
        except ValueError as error:
            raise InputError(
                f"--num_negatives {objective.num_negatives} --sampler {objective.sampler}: {error}; take fewer"
            ) from error
        self.readout = READOUTS[objective.readout]
        self.objective = objective
        self.regularizer = (
            RoutingRegularizer(objective.rr_lambda, encoder.embedding_dim, objective.rr_reduction)
            if objective.rr_lambda
            else None
        )
        if self.regularizer is not None and not self.encoder.has_routing:
            raise InputError(f"--rr_lambda: {encoder.model_type} has no routing to regularise; use --rr_lambda 0")
        # Since the last reset: the sum of each loss part, the steps in which it stayed finite, all steps.
        self.loss_sums = self.add_weight(
            "loss_sums",
            [2 * len(LOSS_PARTS) + 1],
            initializer="zeros",
            trainable=False,
            synchronization=tf.VariableSynchronization.ON_READ,
            aggregation=tf.VariableAggregation.MEAN,
        )

    def interests(self, history: tf.Tensor) -> tf.Tensor:
        """[batch, max_history] int32 history, right-padded with 0 → [batch, num_interests, dim] interest vectors."""
        return self._encode(tf.gather(self.item_table, history), history > 0, training=False).vectors

    def call(self, history: tf.Tensor) -> tf.Tensor:
        """As `interests`."""
        return self.interests(history)

    def compute_loss(self, inputs: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Mean loss of a batch, divided by the number of replicas; regularisers arrive by add_loss.

        Args:
          inputs: history [batch, max_history] int32, target [batch] int32, and days [batch, max_history] int32 for an
            encoder that needs them.
        """
        history, target = inputs["history"], inputs["target"]
        negatives = self.sampler(target, self.optimizer.iterations if self.optimizer else tf.constant(0))
        history_rows, target_rows, negative_rows = self._lookup(history, target, negatives.ids)
        interests = self._encode(history_rows, history > 0, training, inputs.get("days"))

        positive, negative = self.readout(interests.vectors, target_rows, negative_rows)  # [B], [B, N]
        if negatives.log_q is not None:
            positive -= negatives.target_log_q
            negative -= negatives.log_q
        excluded = target[:, tf.newaxis] == negatives.ids if self.objective.mask_accidental_hits else None
        loss = tf.reduce_mean(
            sampled_softmax(positive, negative, excluded, self.objective.beta, self.objective.stop_gradient_weights)
        )
        penalty = tf.zeros([])
        if self.regularizer is not None:
            penalty = self.regularizer(interests.routing)
        self._record(loss, penalty)
        return loss / self.distribute_strategy.num_replicas_in_sync

    def read_loss_sums(self) -> tuple[dict[str, float], dict[str, int], int]:
        """Since the last reset: the mean of each loss part, the steps until it stopped being finite, all steps."""
        parts = len(LOSS_PARTS)
        values = self.loss_sums.numpy().tolist()
        sums, finite, steps = values[:parts], values[parts:-1], int(values[-1])
        means = {part: total / max(steps, 1) for part, total in zip(LOSS_PARTS, sums, strict=True)}
        return means, {part: int(count) for part, count in zip(LOSS_PARTS, finite, strict=True)}, steps

    def reset_loss_sums(self) -> None:
        """Begin to sum anew."""
        self.loss_sums.assign(np.zeros(self.loss_sums.shape, np.float32))

    def _encode(self, rows: tf.Tensor, mask: tf.Tensor, training: bool, days: tf.Tensor | None = None) -> Interests:
        return self.encoder(rows * tf.cast(mask, rows.dtype)[:, :, tf.newaxis], mask, days=days, training=training)

    def _lookup(self, *ids: tf.Tensor) -> list[tf.Tensor]:
        """The table's rows of several id tensors by one gather: [...] int32 → [..., dim] each."""
        rows = tf.gather(self.item_table, tf.concat([tf.reshape(part, [-1]) for part in ids], axis=0))
        parts = tf.split(rows, [tf.size(part) for part in ids])
        return [
            tf.reshape(part, tf.concat([tf.shape(index), [rows.shape[1]]], axis=0))
            for part, index in zip(parts, ids, strict=True)
        ]

    def _record(self, *parts: tf.Tensor) -> None:
        values = tf.stack(parts)
        finite = tf.math.is_finite(self.loss_sums[: len(LOSS_PARTS)] + values)  # false for ever after
        self.loss_sums.assign_add(tf.concat([values, tf.cast(finite, values.dtype), [1.0]], axis=0))
