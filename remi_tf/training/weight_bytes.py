"""How large the weights of a model are, by their shapes: nothing of their size is made."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from remi_tf.data.dataset.folder import Dataset
from remi_tf.data.features.store import Features
from remi_tf.model import MultiInterestModel
from remi_tf.settings.settings import Settings
from remi_tf.training.run_folder import build


class WeightBytes(NamedTuple):
    """Bytes.

    items: the rows of the items' ids; tower: trained weights of the item tower; encoder: those of the encoder; loss:
    those that only training reads; others: what is saved, but not trained; finished: the items' vectors next to a
    tower, which are not saved; largest: the largest trained weight.
    """

    items: int
    tower: int
    encoder: int
    loss: int
    others: int
    finished: int
    largest: int

    @property
    def trained(self) -> int:
        return self.items + self.tower + self.encoder + self.loss

    @property
    def best(self) -> int:
        """What best/ holds: the weights that answer, without those of the loss."""
        return self.trained - self.loss + self.others


def weight_bytes(settings: Settings, dataset: Dataset) -> WeightBytes:
    """The weights of the model of these settings for `dataset`.

    Raises:
      InputError: as MultiInterestModel.
    """
    features = None if settings.items.item_tower == "id" else dataset.features
    num_items, profile_sizes, num_cold = dataset.num_items, tuple(dataset.profile_sizes), dataset.num_cold
    if features is None:
        return _without_features(settings, num_items, profile_sizes, num_cold)
    return _of_model(settings, num_items, profile_sizes, num_cold, _first_row(features))


def features_bytes(features: Features) -> int:
    """What a tower holds of the items' features."""
    known = 4 * len(features.codes) + 8 * len(features.offsets)
    return known + sum(4 * rows.shape[0] * rows.shape[1] for rows in features.vectors.values())


@lru_cache(maxsize=64)
def _without_features(settings: Settings, num_items: int, profile_sizes: tuple[int, ...], num_cold: int) -> WeightBytes:
    return _of_model(settings, num_items, profile_sizes, num_cold, None)


def _first_row(features: Features) -> Features:
    """Features of row 0 only: the tower's weights are the same, and no array is copied."""
    columns = len(features.columns)
    codes = np.asarray(features.codes[: int(features.offsets[columns])])
    vectors = {column: rows[:1] for column, rows in features.vectors.items()}
    return Features(features.columns, codes, np.asarray(features.offsets[: columns + 1]), vectors)


def _of_model(
    settings: Settings, num_items: int, profile_sizes: tuple[int, ...], num_cold: int, features: Features | None
) -> WeightBytes:
    with tf.Graph().as_default():  # its variables have a shape, and no memory
        model = MultiInterestModel(settings, num_items, profile_sizes, None, features, num_cold)
        build(model)
    all_trained, rows = _total(model.trainable_variables), num_items + 1
    encoder = _total(model.encoder.trainable_variables)
    sizes = [_size(weight) for weight in model.trainable_variables]
    others = _total([*model.non_trainable_variables, *_memory(model)])
    if model.items is None:
        items = _size(model.item_table)
        return WeightBytes(items, 0, encoder, all_trained - items - encoder, others, 0, max(sizes))
    first = _size(model.items.id_table)  # its features are of one row
    items, tower = rows * first, _total(model.items.tower.trainable_variables)
    loss = all_trained - first - tower - encoder
    others += (rows - 1) * _size(model.items.occurrences)
    return WeightBytes(items, tower, encoder, loss, others, _size(model.item_table), max(items, *sizes))


def _memory(model: MultiInterestModel) -> list[Any]:
    """What a sampler remembers (srns); Keras does not list it."""
    memory = getattr(model.sampler, "memory", None)
    return [] if memory is None else [memory]


def _total(weights: Iterable[Any]) -> int:
    return sum(map(_size, weights))


def _size(weight: Any) -> int:
    return int(np.prod(weight.shape, dtype=np.int64)) * weight.dtype.size
