"""The model: one item table, an encoder and an objective."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs

from remi_tf import randomness
from remi_tf.counted.boost import CountedBoost
from remi_tf.data.features.store import Features
from remi_tf.encoders import make_encoder
from remi_tf.encoders.base import Interests, first_weights
from remi_tf.errors import InputError
from remi_tf.item_tower import TowerItems
from remi_tf.objective.example import Example
from remi_tf.objective.losses import LOSSES
from remi_tf.objective.negatives import TargetShares
from remi_tf.objective.re4_losses import BackwardFlow
from remi_tf.objective.regularizers import RepresentationRegularizer, RoutingRegularizer
from remi_tf.objective.samplers import SAMPLERS
from remi_tf.settings.encoders import needs
from remi_tf.settings.settings import Settings


class Encodes(Protocol):
    """What evaluation, serving and recommending need from a model with interests. MultiInterestModel has all of it."""

    max_history: int
    """Items of a history the model reads."""
    needs: tuple[str, ...]
    """Names of the features that `encode` needs next to the history."""
    by_cosine: bool
    """Whether scores are cosines."""
    item_table: Any
    """`[I + 1, d]` variable; row 0 is padding."""
    boost: CountedBoost | None
    """What else items of the history add to scores."""

    def item_vectors(self) -> Any:
        """`[I + 1, d]` tensor that interests are scored with: the table, or its rows at length 1 for cosines."""

    def encode(self, history: Any, **features: Any) -> Interests:
        """`[B, max_history]` int32 rows → interests, without dropout."""


class Encoded(NamedTuple):
    """What the penalties of a step read.

    history_rows: [B, L, d] embeddings of the history.
    mask: [B, L] bool, false on padding.
    raw: the encoder's interests, in 16 bits under a 16-bit policy.
    interests: the same in 32 bits.
    """

    history_rows: tf.Tensor
    mask: tf.Tensor
    raw: Interests
    interests: Interests

    def routing(self) -> tuple[tf.Tensor | None, tf.Tensor, tf.Tensor | None]:
        """Routing [B, K, L], mask [B, L] and active [B, K]: the arguments of RR."""
        return self.interests.routing, self.mask, self.interests.active

    def vectors(self) -> tuple[tf.Tensor, tf.Tensor | None]:
        """Vectors [B, K, d] and active [B, K]: the arguments of the penalty on interests that are alike."""
        return self.interests.vectors, self.interests.active


Penalty = Callable[[Encoded], tf.Tensor]


class MultiInterestModel(tfrs.Model):
    """Histories → interests. Training makes the next item score high with one of a user's interests.

    `item_table` [num_items + 1, embedding_dim] is both the input embeddings and the output weights. Row 0 is padding.
    Every step reads it in one concatenated lookup, so its gradient stays sparse. Where items have features that are
    read, `items` is what is trained, and `item_table` holds what `finish_items` has found last.

    Attributes:
      items: the parts of the items' vectors; None where these are rows of the item table and nothing else.
      max_history: the largest number of history items that are read.
      needs: inputs next to the history, as `settings.encoders.needs` says.
      by_cosine: whether scores are cosines.
      boost: what is added to scores next to the inner products; None until training has ended. Training and
        `encode` do not know of it.
      loss_parts: names of the terms of the loss, in the order of `read_loss_sums`.

    Args:
      settings: what to build.
      num_items: I, without padding.
      profile_sizes: number of values of each profile column in the dataset.
      target_shares: returns [num_items + 1], each item's share of all targets. Only some samplers call it.
      features: of the items, for --item_tower.
      num_cold: the last so many items are hidden from training: they are no negatives.

    Raises:
      InputError: more distinct negatives than items, or profiles or features are read and the dataset has none.
    """

    def __init__(
        self,
        settings: Settings,
        num_items: int,
        profile_sizes: Sequence[int] = (),
        target_shares: Callable[[], np.ndarray] | None = None,
        features: Features | None = None,
        num_cold: int = 0,
    ):
        super().__init__()
        encoder, objective, self.seed = settings.encoder, settings.objective, settings.training.seed
        self.max_history, self.needs = encoder.max_history, needs(encoder)
        self.profile_sizes = tuple(profile_sizes)
        if "profile" in self.needs and not self.profile_sizes:
            asked, instead = f"--model_type {encoder.model_type}", "take --model_type UMI_HN: UMI's readout on SA"
            if encoder.read_profile == "concat":
                asked, instead = "--read_profile concat", "leave it out"
            raise InputError(
                f"{asked}: it reads user profiles, and the dataset has none; prepare it with --users TABLE "
                f"--user_features COL,COL, or {instead}"
            )
        self.boost: CountedBoost | None = None
        self.items: TowerItems | None = None
        self._make_item_table(settings, num_items, features)
        self.trained_rows = num_items + 1 - num_cold
        self.encoder = make_encoder(encoder, self.seed + randomness.ENCODER_WEIGHTS, self.profile_sizes)
        try:
            self.sampler = SAMPLERS[objective.sampler](
                objective, TargetShares(num_items - num_cold, target_shares), self.seed
            )
        except ValueError as error:
            raise InputError(
                f"--num_negatives {objective.num_negatives} --sampler {objective.sampler}: {error}; take fewer"
            ) from error
        self.objective = LOSSES[objective.loss](settings, self.seed + randomness.LOSS_WEIGHTS)
        self.by_cosine = self.objective.by_cosine
        self.penalties = tuple(self._make_penalties(settings))
        self.loss_parts = (*self.objective.parts, *(name for name, _ in self.penalties))
        # Since the last reset: sum of each loss part, number of steps in which it stayed finite, number of all steps.
        self.loss_sums = self.add_weight(
            "loss_sums",
            [2 * len(self.loss_parts) + 1],
            initializer="zeros",
            trainable=False,
            synchronization=tf.VariableSynchronization.ON_READ,
            aggregation=tf.VariableAggregation.MEAN,
        )

    def _make_item_table(self, settings: Settings, num_items: int, features: Features | None) -> None:
        shape = [num_items + 1, settings.encoder.embedding_dim]
        initializer = first_weights(settings.encoder, shape[1], self.seed)
        if settings.items.item_tower == "id":
            self.item_table = self.add_weight("item_table", shape, initializer=initializer, trainable=True)
            return
        if features is None:
            raise InputError(
                f"--item_tower {settings.items.item_tower}: it reads features of the items, and the dataset has none; "
                "prepare it with --items TABLE --item_features COL,COL, or take --item_tower id"
            )
        seed = self.seed + randomness.TOWER_WEIGHTS
        self.items = TowerItems(settings.items, features, shape[1], initializer, seed)
        # No weight: checkpoints do not hold what they hold the parts of.
        object.__setattr__(self, "item_table", tf.Variable(tf.zeros(shape), trainable=False, name="item_table"))

    def finish_items(self) -> None:
        """Make `item_table` agree with the weights of `items`, before anything but training reads it."""
        if self.items is not None:
            self.items.finish(self.item_table)

    def _make_penalties(self, settings: Settings) -> list[tuple[str, Penalty]]:
        """(name, penalty) of each regulariser that is on. Each also adds its value to the model's loss by add_loss."""
        encoder, objective = settings.encoder, settings.objective
        penalties: list[tuple[str, Penalty]] = []
        if self.encoder.losses:  # on the encoder's own weights; Keras adds them to the loss on every replica
            replicas = self.distribute_strategy.num_replicas_in_sync
            penalties.append(("concepts", lambda seen: replicas * tf.add_n(self.encoder.losses)))
        if objective.rr_lambda:
            self.routing_regularizer = RoutingRegularizer(
                objective.rr_lambda, encoder.embedding_dim, objective.rr_reduction
            )
            penalties.append(("rr", lambda seen: self.routing_regularizer(*seen.routing())))
        if objective.rep_lambda:
            self.representation_regularizer = RepresentationRegularizer(objective.rep_lambda, objective.rep_form)
            penalties.append(("rep", lambda seen: self.representation_regularizer(*seen.vectors())))
        re4 = (objective.re4_attend, objective.re4_contrast, objective.re4_construct)
        if any(re4):
            seed = self.seed + randomness.REGULARIZER_WEIGHTS
            self.backward_flow = BackwardFlow(*re4, encoder.embedding_dim, encoder.max_history, seed)
            penalties.append(("re4", lambda seen: self.backward_flow(seen.history_rows, seen.mask, seen.raw)))
        return penalties

    def encode(self, history: tf.Tensor, **features: tf.Tensor) -> Interests:
        """history [batch, length] → interests, as outside training. Their vectors are scored with `item_vectors`.

        Args:
          history: [batch, length] int32 rows, oldest first, right-padded with 0; length up to max_history.
          features: what the model `needs`: days [batch, length] int32, profile [batch, columns] int32.

        Returns:
          Interests. Their vectors have length 1 if scores are cosines.

        Raises:
          InputError: a feature that the model needs is missing, or there is one that it does not read.
        """
        if set(features) != set(self.needs):
            needed, given = (", ".join(sorted(names)) or "none" for names in (self.needs, features))
            raise InputError(f"features next to the history: the model needs {needed}, given: {given}")
        return self.encode_by(self.item_table, history, **features)

    def encode_by(self, item_table: tf.Variable, history: tf.Tensor, **features: tf.Tensor) -> Interests:
        """`encode`, with the item vectors of another table, which may hold more items."""
        features = {name: tf.cast(values, tf.int32) for name, values in features.items()}
        # A gather from the variable itself would make every later read of it copy the whole table.
        rows = tf.gather(tf.convert_to_tensor(item_table), history)
        interests = _in_32_bits(self.encoder(rows, history > 0, **features))
        if not self.by_cosine:
            return interests
        return interests._replace(vectors=tf.math.l2_normalize(interests.vectors, axis=-1))

    def interests(self, history: tf.Tensor, **features: tf.Tensor) -> tf.Tensor:
        """[batch, num_interests, dim]: the vectors of `encode`. They are scored by inner product."""
        return self.encode(history, **features).vectors

    def item_vectors(self, item_table: tf.Variable | None = None) -> tf.Tensor:
        """[rows, dim] vectors to score interests with: the item table or another; for cosines its rows at length 1."""
        table = tf.convert_to_tensor(self.item_table if item_table is None else item_table)
        return tf.math.l2_normalize(table, axis=-1) if self.by_cosine else table

    def call(self, history: tf.Tensor, **features: tf.Tensor) -> tf.Tensor:
        """The same as `interests`."""
        return self.interests(history, **features)

    def compute_loss(self, inputs: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Scalar: mean loss of a batch, divided by the number of replicas. Regularisers come in by add_loss.

        Args:
          inputs: history [batch, max_history] int32, target [batch] int32, and what the model `needs`.
        """
        step = self.optimizer.iterations if self.optimizer else tf.constant(0)
        history, target = inputs["history"], inputs["target"]
        negatives = self.sampler(target, step)
        seed = randomness.replica_seed(self.seed, step, randomness.ITEMS) if training else None
        if negatives.ids is None and self.items is None:  # the whole table, without a gather
            history_rows, target_rows = self._lookup(history, target, drop_seed=seed)
            negative_rows = tf.convert_to_tensor(self.item_table)[: self.trained_rows]
        else:
            asked = tf.range(self.trained_rows) if negatives.ids is None else negatives.ids
            history_rows, target_rows, negative_rows = self._lookup(history, target, asked, drop_seed=seed)
        features = {name: inputs[name] for name in self.needs}
        seed = randomness.replica_seed(self.seed, step, randomness.ENCODER) if training else None
        encoded = self.encoder(history_rows, history > 0, training_seed=seed, **features)
        interests = _in_32_bits(encoded)
        seed = randomness.replica_seed(self.seed, step, randomness.OBJECTIVE)
        example = Example(history, history_rows, target, target_rows, negatives, negative_rows, interests, seed)
        losses = self.objective(example)
        seen = Encoded(history_rows, history > 0, encoded, interests)
        penalties = [penalty(seen) for _, penalty in self.penalties]
        self._record(*losses, *penalties)
        return tf.add_n(losses) / self.distribute_strategy.num_replicas_in_sync

    def read_loss_sums(self) -> tuple[dict[str, float], dict[str, int], int]:
        """Since the last reset: mean of each loss part, steps before it stopped being finite, number of steps."""
        parts = len(self.loss_parts)
        values = self.loss_sums.numpy().tolist()
        sums, finite, steps = values[:parts], values[parts:-1], int(values[-1])
        means = {part: total / max(steps, 1) for part, total in zip(self.loss_parts, sums, strict=True)}
        return means, {part: int(count) for part, count in zip(self.loss_parts, finite, strict=True)}, steps

    def reset_loss_sums(self) -> None:
        """Set all sums to 0."""
        self.loss_sums.assign(np.zeros(self.loss_sums.shape, np.float32))

    def _lookup(self, *ids: tf.Tensor, drop_seed: tf.Tensor | None) -> list[tf.Tensor]:
        """[...] int32 → [..., dim] each: the vectors of several id tensors, the history's first, by one gather."""
        flat = tf.concat([tf.reshape(part, [-1]) for part in ids], axis=0)
        if self.items is None:
            rows = tf.gather(self.item_table, flat)
        else:
            rows = self.items.lookup(flat, tf.size(ids[0]), drop_seed)
        parts = tf.split(rows, [tf.size(part) for part in ids])
        return [
            tf.reshape(part, tf.concat([tf.shape(index), [rows.shape[1]]], axis=0))
            for part, index in zip(parts, ids, strict=True)
        ]

    def _record(self, *parts: tf.Tensor) -> None:
        values = tf.stack(parts)
        finite = tf.math.is_finite(self.loss_sums[: len(self.loss_parts)] + values)  # once false, it stays false
        self.loss_sums.assign_add(tf.concat([values, tf.cast(finite, values.dtype), [1.0]], axis=0))


def _in_32_bits(interests: Interests) -> Interests:
    """The interests in 32 bits. Under a 16-bit policy only the encoder computes in 16 bits, nothing after it."""
    floats = {
        name: tf.cast(value, tf.float32)
        for name, value in interests._asdict().items()
        if value is not None and value.dtype.is_floating
    }
    return interests._replace(**floats)
