"""The item tower: what the features of an item add to the row of its id (MTMI's item tower; DropoutNet's dropout)."""

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from remi_tf.data.features.store import Features
from remi_tf.encoders.base import kaiming_normal
from remi_tf.settings.items import ItemSettings

SHRINK = 2
"""A row of the feature table is shorter than an item's vector by this: half the work of a step, and as good on
validation users."""
PIECE = 1 << 16  # items whose vectors are finished together


class _Known(NamedTuple):
    """Features as tensors. They are no weights: a checkpoint does not hold them."""

    codes: tf.Tensor
    offsets: tf.Tensor
    vectors: dict[str, tf.Tensor]

    @classmethod
    def of(cls, features: Features) -> "_Known":
        vectors = {str(number): tf.constant(rows) for number, rows in features.vectors.items()}
        return cls(tf.constant(features.codes), tf.constant(features.offsets), vectors)


class ItemTower(tf.keras.layers.Layer):
    """Features of items → vectors. An item's vector is the row of its id plus what this gives.

        h_i = Σ_c mean_{codes of i in c} E[code] + Σ_v P_v x_iv,    f_i = W h_i       (item_tower sum)
                                                                    f_i = W h_i + W₂ ReLU(W₁ h_i + b)    (mlp)

    E has a row of d/2 numbers for each code of each column; x_iv is the vector that the item has in column v. E and P_v
    start at 0, so that at first an item is its id. The work grows with the items asked for, not with the catalogue, and
    each code among them is read once.

    Args:
      features: of the rows 0..I of the item table.
      dim: d.
      hidden: with the hidden layer.
      seed: of W and W₁.
    """

    def __init__(self, features: Features, dim: int, hidden: bool, seed: int):
        super().__init__(name="item_tower", dtype="float32")
        self.columns, width = len(features.columns), max(1, dim // SHRINK)
        self.code_table = self.add_weight("code_table", [int(features.starts[-1]), width], initializer="zeros")
        self.projections = {
            str(number): self.add_weight(f"projection_{number}", [rows.shape[1], width], initializer="zeros")
            for number, rows in features.vectors.items()
        }

        def dense(name: str, fan_in: int, number: int, activation: str | None = None) -> tf.keras.layers.Dense:
            initializer = kaiming_normal(fan_in, seed + number)
            layer = tf.keras.layers.Dense(
                dim,
                activation,
                use_bias=activation is not None,
                kernel_initializer=initializer,
                name=name,
                dtype="float32",
            )
            layer.build([None, fan_in])
            return layer

        self.out = dense("out", width, 0)
        self.hidden = dense("hidden", width, 1, "relu") if hidden else None
        self.hidden_out = dense("hidden_out", dim, 2) if hidden else None
        self._known = _Known.of(features)

    def call(self, rows: tf.Tensor) -> tf.Tensor:
        """[n] int32 rows, each once → [n, dim]."""
        return self._said(self._known, rows)

    def of(self, features: Features) -> tf.Tensor:
        """[rows, dim]: what features of other items say, which have the same columns."""
        return self._said(_Known.of(features), tf.range(features.num_rows))

    def _said(self, known: "_Known", rows: tf.Tensor) -> tf.Tensor:
        summed = self._of_codes(known, rows)  # [n, width]
        for number, projection in self.projections.items():
            summed += tf.matmul(tf.gather(known.vectors[number], rows), projection)
        vectors = self.out(summed)
        if self.hidden is None or self.hidden_out is None:
            return vectors
        return vectors + self.hidden_out(self.hidden(summed))

    def _of_codes(self, known: "_Known", rows: tf.Tensor) -> tf.Tensor:
        places = tf.cast(rows, tf.int64)[:, tf.newaxis] * self.columns + tf.range(self.columns, dtype=tf.int64)
        places = tf.reshape(places, [-1])  # [n · columns]
        ranges = tf.ragged.range(tf.gather(known.offsets, places), tf.gather(known.offsets, places + 1))
        distinct, index = tf.unique(tf.gather(known.codes, ranges.values))
        # Rows that are read once have a sparse gradient without repeats; the sum never forms a row for each code.
        embedded = tf.gather(self.code_table, distinct)
        # Without the check of a shape, TensorFlow's graph optimizer would read the whole table instead of these rows.
        embedded = tf.ensure_shape(embedded, [None, self.code_table.shape[1]])
        means = tf.sparse.segment_mean(embedded, index, ranges.value_rowids(), num_segments=tf.size(places))
        return tf.reduce_sum(tf.reshape(means, [-1, self.columns, self.code_table.shape[1]]), axis=1)


class TowerItems(tf.keras.layers.Layer):
    """The vectors of items that are more than an id: the row of the id, where it has learnt one, and the tower's.

        e_i = [n_i > 0] id_i + f_i

    n_i is how often training users have the item. Where they never do, nothing has taught the row, so the features
    speak for the item. In training an item loses its row as target and negative in the share

        c / (c + n_i),    c = id_dropout

    of the steps: the less the row can know, the more often only its features are asked. (Volkovs et al.,
    DropoutNet, NIPS'17, drop the ids of whole examples at one rate.) In histories items keep their rows: to read less
    of a history is its own dropout.

    Args:
      features: of the rows 0..I.
      dim: d.
      initializer: what the rows of ids start from.
      seed: of the tower.
    """

    def __init__(
        self,
        settings: ItemSettings,
        features: Features,
        dim: int,
        initializer: tf.keras.initializers.Initializer,
        seed: int,
    ):
        super().__init__(name="items", dtype="float32")
        self.rate, shape = settings.id_dropout, [features.num_rows, dim]
        self.id_table = self.add_weight("id_table", shape, initializer=initializer)
        self.occurrences = self.add_weight("occurrences", shape[:1], initializer="ones", trainable=False)
        self.tower = ItemTower(features, dim, settings.item_tower == "mlp", seed)

    def learns(self, occurrences: np.ndarray) -> None:
        """Say how often training users have each item, [I + 1]. Padding has a row in any case."""
        self.occurrences.assign(np.concatenate([[np.inf], occurrences[1:]]).astype(np.float32))

    def call(self, rows: tf.Tensor) -> tf.Tensor:
        """[n] int32 rows, each once → [n, dim]."""
        return self._own(rows) + self.tower(rows)

    def _own(self, rows: tf.Tensor) -> tf.Tensor:
        has_row = tf.gather(self.occurrences, rows) > 0
        return tf.where(has_row[:, tf.newaxis], tf.gather(self.id_table, rows), 0.0)

    def lookup(self, ids: tf.Tensor, whole: tf.Tensor, drop_seed: tf.Tensor | None = None) -> tf.Tensor:
        """[m] int32 rows → [m, dim]. Each distinct item is put together once.

        Args:
          whole: the first so many of the ids keep their row whatever is drawn.
          drop_seed: [2] int32, in training.
        """
        rows, index = tf.unique(ids)
        own, said = self._own(rows), self.tower(rows)
        if drop_seed is None or not self.rate:
            return tf.gather(own + said, index)
        share = self.rate / (self.rate + tf.gather(self.occurrences, rows))
        is_dropped = tf.random.stateless_uniform(tf.shape(rows), drop_seed, alg="philox") < share
        kept = tf.where(is_dropped[:, tf.newaxis], 0.0, own)
        return tf.concat([tf.gather(own + said, index[:whole]), tf.gather(kept + said, index[whole:])], axis=0)

    def finish(self, table: Any) -> None:
        """Put the vectors of all items into `table`, a variable [I + 1, dim]."""
        for start in range(0, table.shape[0], PIECE):
            rows = tf.range(start, min(start + PIECE, table.shape[0]))
            table.scatter_update(tf.IndexedSlices(self._finished(rows), rows))

    def become(self, table: np.ndarray) -> None:
        """Set the rows of the ids so that all items have the vectors of `table` [I + 1, dim]."""
        for start in range(0, len(table), PIECE):
            rows = np.arange(start, min(start + PIECE, len(table)), dtype=np.int32)
            self.id_table.scatter_update(tf.IndexedSlices(table[rows] - self._of_features(rows), rows))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)])
    def _of_features(self, rows: tf.Tensor) -> tf.Tensor:
        return self.tower(rows)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)])
    def _finished(self, rows: tf.Tensor) -> tf.Tensor:
        return self(rows)
