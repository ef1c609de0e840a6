"""The graph that is served: raw item ids (and times, and a profile) in, raw item ids out, with TensorFlow alone."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from remi_tf.data.profiles import ProfileColumn
from remi_tf.retrieval.top_k import Model, recommend

INPUTS = {
    "history": 'string [batch, any]: raw item ids, oldest first; "" is padding, unknown ids are ignored',
    "timestamps": "int64 [batch, any]: seconds since 1970 of the items of history, in its shape; any number on padding",
    "profile": 'string [batch, columns]: values of profile_columns, in their order; "" and unknown values say nothing',
}
OUTPUTS = {
    "items": "string [batch, max_top_n]: raw item ids, best first",
    "scores": "float32 [batch, max_top_n]: {score}; 0 for a history without a known id, which gets the most popular "
    "items",
    "known_items": "int32 [batch]: how many ids of the history were known",
}
PRODUCT = "inner product with the best interest"
INPUT_OF = {"days": "timestamps", "profile": "profile"}
SECONDS_A_DAY = 86_400
LAST_DAY = 2**29  # either way; differences of days then fit into 32 bits whatever a client sends


def signature(needs: Sequence[str], score: str = PRODUCT) -> dict[str, Any]:
    """What the model card says of inputs and outputs for a model that `needs` these features; what a `score` is."""
    names = ["history", *(INPUT_OF[name] for name in needs)]
    return {
        "inputs": {name: INPUTS[name] for name in names},
        "outputs": OUTPUTS | {"scores": OUTPUTS["scores"].format(score=score)},
    }


class Recommender(tf.Module):
    """Raw ids in, raw ids out: what is saved.

    Args:
      model: its `interests` and item vectors become part of the graph, the model itself does not.
      vocabulary: text file, line i holds the raw id of row i.
      profile_columns: what `profile` consists of, for a model that needs it.
      top_n: items returned.
    """

    def __init__(
        self,
        model: Model,
        vocabulary: Path,
        profile_columns: Sequence[ProfileColumn],
        top_n: int,
        exclude_history: bool,
        score_bytes: int,
    ):
        super().__init__("recommender")
        whole, number = tf.lookup.TextFileIndex.WHOLE_LINE, tf.lookup.TextFileIndex.LINE_NUMBER
        path = str(vocabulary)
        self.line_of = tf.lookup.StaticHashTable(
            tf.lookup.TextFileInitializer(path, tf.string, whole, tf.int64, number), default_value=-1
        )
        self.raw_id_at = tf.lookup.StaticHashTable(
            tf.lookup.TextFileInitializer(path, tf.int64, number, tf.string, whole), default_value=""
        )
        self.code_of = [_codes(column) for column in profile_columns] if "profile" in model.needs else []
        # Cosines would have the whole table brought to length 1 for every request: it is stored like that.
        vectors = tf.Variable(model.item_vectors(), trainable=False) if model.by_cosine else None
        specs = {
            "history": tf.TensorSpec([None, None], tf.string, "history"),
            "timestamps": tf.TensorSpec([None, None], tf.int64, "timestamps"),
            "profile": tf.TensorSpec([None, None], tf.string, "profile"),
        }

        def serve(history: tf.Tensor, *others: tf.Tensor) -> dict[str, tf.Tensor]:
            rows = tf.cast(self.line_of.lookup(history), tf.int32) + 1  # [B, any]; unknown ids and "" are 0
            known = tf.reduce_sum(tf.cast(rows > 0, tf.int32), axis=1)  # [B]
            read = last_known(rows, rows, model.max_history)  # [B, max_history]
            features = {}
            for name, values in zip(model.needs, others, strict=True):
                features[name] = self.profile(values) if name == "profile" else days(values, rows, model.max_history)
            ids, scores = recommend(model, read, top_n, exclude_history, score_bytes, vectors, **features)
            # Should retrieval give less than top_n items (scores that overflow), the popular ones stand in.
            lacking = ids[:, -1:] == 0  # [B, 1]
            ids = tf.where(lacking, tf.range(1, top_n + 1), ids)
            scores = tf.where(lacking, 0.0, scores)
            items = self.raw_id_at.lookup(tf.cast(ids, tf.int64) - 1)
            return {"items": items, "scores": scores, "known_items": known}

        inputs = [specs[name] for name in signature(model.needs)["inputs"]]
        self.serve = tf.function(serve, input_signature=inputs)
        # Saving wants every variable of the graph as a tracked attribute; nothing else of the model is attached.
        self.weights = list(self.serve.get_concrete_function().graph.variables)

    def profile(self, values: tf.Tensor) -> tf.Tensor:
        """Raw values → codes: [batch, columns] string → int32."""
        columns = len(self.code_of)
        message = f"profile must have {columns} values a user, one for each of profile_columns"
        tf.debugging.assert_equal(tf.shape(values)[1], columns, message=message)
        return tf.stack([table.lookup(values[:, column]) for column, table in enumerate(self.code_of)], axis=1)


def _codes(column: ProfileColumn) -> tf.lookup.StaticHashTable:
    values, codes = tf.constant(column.values, tf.string), tf.range(1, len(column.values) + 1)
    return tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(values, codes), default_value=0)


def days(timestamps: tf.Tensor, rows: tf.Tensor, length: int) -> tf.Tensor:
    """Day numbers (as `data.pipeline.day_numbers`) of the items that are read: [batch, any] → [batch, length] int32."""
    tf.debugging.assert_equal(
        tf.shape(timestamps), tf.shape(rows), message="timestamps must have the shape of history: one for each id"
    )
    numbers = tf.round(tf.cast(timestamps, tf.float64) / SECONDS_A_DAY)
    return last_known(tf.cast(tf.clip_by_value(numbers, -LAST_DAY, LAST_DAY), tf.int32), rows, length)


def last_known(values: tf.Tensor, rows: tf.Tensor, length: int) -> tf.Tensor:
    """The last `length` of the values whose row is not 0, in their order, right-padded with 0.

    Args:
      values, rows: [batch, any] int32.

    Returns:
      [batch, length] int32.
    """
    known = tf.cast(rows > 0, tf.int32)
    position = tf.cumsum(known, axis=1) - 1  # [B, any] among the known ones
    count = tf.reduce_sum(known, axis=1, keepdims=True)  # [B, 1]
    slot = position - tf.maximum(count - length, 0)
    kept = tf.where((rows > 0) & (slot >= 0))  # [n, 2] batch, position in rows
    target = tf.stack([kept[:, 0], tf.cast(tf.gather_nd(slot, kept), tf.int64)], axis=1)  # [n, 2] batch, slot
    shape = tf.stack([tf.shape(rows, tf.int64)[0], length])
    return tf.ensure_shape(tf.scatter_nd(target, tf.gather_nd(values, kept), shape), [None, length])
