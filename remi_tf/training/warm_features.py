"""What a warm start takes over of an item tower: the embeddings of the features' values, found by their names."""

import numpy as np
import tensorflow as tf

from remi_tf.data.features.columns import FIRST, FeatureColumn
from remi_tf.data.features.store import Features
from remi_tf.item_tower import ItemTower
from remi_tf.model import MultiInterestModel


def take_over_features(model: MultiInterestModel, before: MultiInterestModel, ours: Features, theirs: Features) -> None:
    """Give the tower of `model` the weights of the tower of `before`.

    A value that both know keeps its embedding; a bucket of numbers gets that of the bucket in which its lower border
    lay. What the run before does not know starts at 0, as in a new run.

    Args:
      ours, theirs: the features of the items of both.
    """
    assert model.items is not None and before.items is not None
    tower, old = model.items.tower, before.items.tower
    places = {(column.name, column.kind): number for number, column in enumerate(theirs.columns)}
    old_table = old.code_table.numpy()
    table = np.zeros(tower.code_table.shape, np.float32)
    for number, column in enumerate(ours.columns):
        place = places.get((column.name, column.kind))
        if place is None:
            continue
        same = same_codes(column, theirs.columns[place])  # [size] codes there, -1 = not known
        known = same >= 0
        table[ours.starts[number] + np.flatnonzero(known)] = old_table[theirs.starts[place] + same[known]]
        if column.kind == "vector" and column.width == theirs.columns[place].width:
            scale = theirs.columns[place].scale / column.scale
            tower.projections[str(number)].assign(old.projections[str(place)] * scale)
    tower.code_table.assign(table)
    for layer, old_layer in zip(_layers(tower), _layers(old), strict=True):
        layer.set_weights(old_layer.get_weights())


def same_codes(column: FeatureColumn, old: FeatureColumn) -> np.ndarray:
    """[size] the code that `old` has for each code of `column`, -1 where it has none."""
    own = np.full(column.size, -1)
    own[:FIRST] = np.arange(FIRST)  # missing and unknown
    if column.kind in ("number", "date"):
        own[FIRST] = FIRST
        own[FIRST + 1 :] = FIRST + np.searchsorted(old.edges, column.edges, side="right")
    elif column.kind != "vector":
        code_of = {value: code for code, value in enumerate(old.values, start=FIRST)}
        end = FIRST + len(column.values)
        own[FIRST:end] = [code_of.get(value, -1) for value in column.values]
        if column.buckets == old.buckets:
            own[end:] = FIRST + len(old.values) + np.arange(column.buckets)
    return own


def _layers(tower: ItemTower) -> list[tf.keras.layers.Layer]:
    return [layer for layer in (tower.out, tower.hidden, tower.hidden_out) if layer is not None]
