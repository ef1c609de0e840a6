"""The model: one item table, an encoder and an objective."""

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs

from remi_tf.config import Settings
from remi_tf.encoders import ENCODERS, make_encoder
from remi_tf.encoders.base import Interests, kaiming_normal
from remi_tf.errors import InputError
from remi_tf.objective.backward_flow import BackwardFlow
from remi_tf.objective.example import Example
from remi_tf.objective.losses import LOSSES
from remi_tf.objective.negatives import TargetShares
from remi_tf.objective.regularizers import RepresentationRegularizer, RoutingRegularizer
from remi_tf.objective.samplers import SAMPLERS

ENCODER_STREAM, OBJECTIVE_STREAM = -1, -2  # of a step's random numbers; data and negatives use those from 0 on
# Seeds of initial weights, counted from the run's, whose own are the item table's; each part has a thousand.
ENCODER_WEIGHTS, LOSS_WEIGHTS, REGULARIZER_WEIGHTS = 1, 1001, 2001


class MultiInterestModel(tfrs.Model):
    """Users' histories → interests, trained so that the next item's row scores high with one of them.

    `item_table` [num_items + 1, embedding_dim] holds the input embeddings and the output weights at once (row 0 is
    padding). Every step reads it by one concatenated lookup, so that its gradient stays sparse.

    Attributes:
      max_history: items of a history that are read, at most.
      needs: inputs beside the history, as in encoders.Entry.

    Args:
      settings: what to build.
      num_items: I, padding not counted.
      profile_sizes: how many values each of the data's profile columns has.
      target_shares: makes [num_items + 1], each item's share of the targets, for samplers that correct by it.

    Raises:
      InputError: more distinct negatives than items, or an encoder that needs profiles where there are none.
    """

    def __init__(
        self,
        settings: Settings,
        num_items: int,
        profile_sizes: Sequence[int] = (),
        target_shares: Callable[[], np.ndarray] | None = None,
    ):
        super().__init__()
        encoder, objective, self.seed = settings.encoder, settings.objective, settings.training.seed
        self.max_history, self.needs = encoder.max_history, ENCODERS[encoder.model_type].needs
        self.profile_sizes = tuple(profile_sizes)
        if "profile" in self.needs and not self.profile_sizes:
            raise InputError(
                f"--model_type {encoder.model_type}: it reads user profiles, and the dataset has none; prepare it with "
                "--users TABLE --profile_cols COL,COL, or take --model_type UMI_HN: UMI's readout on SA"
            )
        self.by_cosine = objective.loss == "idw"
        self.item_table = self.add_weight(
            "item_table",
            [num_items + 1, encoder.embedding_dim],
            initializer=kaiming_normal(encoder.embedding_dim, self.seed),
            trainable=True,
        )
        self.encoder = make_encoder(encoder, self.seed + ENCODER_WEIGHTS, self.profile_sizes)
        try:
            self.sampler = SAMPLERS[objective.sampler](objective, TargetShares(num_items, target_shares), self.seed)
        except ValueError as error:
            raise InputError(
                f"--num_negatives {objective.num_negatives} --sampler {objective.sampler}: {error}; take fewer"
            ) from error
        self.objective = LOSSES[objective.loss](settings, self.seed + LOSS_WEIGHTS)
        self.loss_parts: tuple[str, ...] = self.objective.parts
        if self.encoder.losses:  # penalties on the encoder's weights
            self.loss_parts += ("concepts",)
        if objective.rr_lambda:
            self.routing_regularizer = RoutingRegularizer(
                objective.rr_lambda, encoder.embedding_dim, objective.rr_reduction
            )
            self.loss_parts += ("rr",)
        if objective.rep_lambda:
            self.representation_regularizer = RepresentationRegularizer(objective.rep_lambda, objective.rep_form)
            self.loss_parts += ("rep",)
        re4 = (objective.re4_attend, objective.re4_contrast, objective.re4_construct)
        if any(re4):
            self.backward_flow = BackwardFlow(
                *re4, encoder.embedding_dim, encoder.max_history, self.seed + REGULARIZER_WEIGHTS
            )
            self.loss_parts += ("re4",)
        # Since the last reset: the sum of each loss part, the steps in which it stayed finite, all steps.
        self.loss_sums = self.add_weight(
            "loss_sums",
            [2 * len(self.loss_parts) + 1],
            initializer="zeros",
            trainable=False,
            synchronization=tf.VariableSynchronization.ON_READ,
            aggregation=tf.VariableAggregation.MEAN,
        )

    def encode(self, history: tf.Tensor, **features: tf.Tensor) -> Interests:
        """What the encoder makes of histories, outside training; its vectors are scored with `item_vectors`.

        Args:
          history: [batch, length] int32 rows, oldest first, right-padded with 0; length up to max_history.
          features: what the model `needs`: days [batch, length] int32, profile [batch, columns] int32.

        Returns:
          Interests, whose vectors have length 1 where scores are cosines.

        Raises:
          InputError: a feature that the model needs is missing, or one is given that it does not read.
        """
        if set(features) != set(self.needs):
            needed, given = (", ".join(sorted(names)) or "none" for names in (self.needs, features))
            raise InputError(f"features beside the history: the model needs {needed}, given: {given}")
        features = {name: tf.cast(values, tf.int32) for name, values in features.items()}
        # A gather from the variable itself would have every later read of it copy the whole table.
        rows = tf.gather(tf.convert_to_tensor(self.item_table), history)
        interests = _in_32_bits(self.encoder(rows, history > 0, **features))
        if not self.by_cosine:
            return interests
        return interests._replace(vectors=tf.math.l2_normalize(interests.vectors, axis=-1))

    def interests(self, history: tf.Tensor, **features: tf.Tensor) -> tf.Tensor:
        """The vectors of `encode`: [batch, num_interests, dim], to be scored by inner product."""
        return self.encode(history, **features).vectors

    def item_vectors(self) -> tf.Tensor:
        """[num_items + 1, dim] what interests are scored with: the item table, or its rows at length 1 for cosines."""
        table = tf.convert_to_tensor(self.item_table)
        return tf.math.l2_normalize(table, axis=-1) if self.by_cosine else table

    def call(self, history: tf.Tensor, **features: tf.Tensor) -> tf.Tensor:
        """As `interests`."""
        return self.interests(history, **features)

    def compute_loss(self, inputs: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Mean loss of a batch, divided by the number of replicas; regularisers arrive by add_loss.

        Args:
          inputs: history [batch, max_history] int32, target [batch] int32, and what the model `needs`.
        """
        step = self.optimizer.iterations if self.optimizer else tf.constant(0)
        history, target = inputs["history"], inputs["target"]
        negatives = self.sampler(target, step)
        if negatives.ids is None:
            history_rows, target_rows = self._lookup(history, target)
            negative_rows = tf.convert_to_tensor(self.item_table)
        else:
            history_rows, target_rows, negative_rows = self._lookup(history, target, negatives.ids)
        features = {name: inputs[name] for name in self.needs}
        seed = self._seed(step, ENCODER_STREAM) if training else None
        encoded = self.encoder(history_rows, history > 0, training_seed=seed, **features)
        interests = _in_32_bits(encoded)
        example = Example(
            history, history_rows, target, target_rows, negatives, negative_rows, interests,
            self._seed(step, OBJECTIVE_STREAM),
        )  # fmt: skip
        losses = self.objective(example)
        replicas = self.distribute_strategy.num_replicas_in_sync
        penalties = []
        if "concepts" in self.loss_parts:
            penalties.append(replicas * tf.add_n(self.encoder.losses))  # to be recorded: Keras adds them to the loss
        if "rr" in self.loss_parts:
            penalties.append(self.routing_regularizer(interests.routing, history > 0, interests.active))
        if "rep" in self.loss_parts:
            penalties.append(self.representation_regularizer(interests.vectors, interests.active))
        if "re4" in self.loss_parts:
            penalties.append(self.backward_flow(history_rows, history > 0, encoded))
        self._record(*losses, *penalties)
        return tf.add_n(losses) / replicas

    def read_loss_sums(self) -> tuple[dict[str, float], dict[str, int], int]:
        """Since the last reset: the mean of each loss part, the steps until it stopped being finite, all steps."""
        parts = len(self.loss_parts)
        values = self.loss_sums.numpy().tolist()
        sums, finite, steps = values[:parts], values[parts:-1], int(values[-1])
        means = {part: total / max(steps, 1) for part, total in zip(self.loss_parts, sums, strict=True)}
        return means, {part: int(count) for part, count in zip(self.loss_parts, finite, strict=True)}, steps

    def reset_loss_sums(self) -> None:
        """Begin to sum anew."""
        self.loss_sums.assign(np.zeros(self.loss_sums.shape, np.float32))

    def _seed(self, step: tf.Tensor, stream: int) -> tf.Tensor:
        """[2] int32 seed of one of a step's streams of random numbers, another one on each replica."""
        seed = tf.stack([tf.cast(self.seed, tf.int32), tf.cast(step, tf.int32)])
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        seed = tf.random.experimental.stateless_fold_in(seed, stream)
        return tf.random.experimental.stateless_fold_in(seed, tf.cast(replica, tf.int32))

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
        finite = tf.math.is_finite(self.loss_sums[: len(self.loss_parts)] + values)  # false for ever after
        self.loss_sums.assign_add(tf.concat([values, tf.cast(finite, values.dtype), [1.0]], axis=0))


def _in_32_bits(interests: Interests) -> Interests:
    """Under a 16-bit policy the encoder computes in 16 bits; scores, losses and penalties do not."""
    floats = {
        name: tf.cast(value, tf.float32)
        for name, value in interests._asdict().items()
        if value is not None and value.dtype.is_floating
    }
    return interests._replace(**floats)
