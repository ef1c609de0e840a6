"""The model of a new run, as it is before the first step."""

from collections.abc import Callable

import numpy as np

from remi_tf.data.dataset.folder import Dataset
from remi_tf.model import MultiInterestModel
from remi_tf.settings.settings import Settings
from remi_tf.training.spectral_start import start_from_log


def new_model(settings: Settings, dataset: Dataset, target_shares: Callable[[], np.ndarray]) -> MultiInterestModel:
    """The model of these settings for the items of `dataset`.

    Raises:
      InputError: as MultiInterestModel.
    """
    features = None if settings.items.item_tower == "id" else dataset.features
    model = MultiInterestModel(
        settings, dataset.num_items, dataset.profile_sizes, target_shares, features, dataset.num_cold
    )
    if model.items is not None:
        model.items.learns(np.bincount(dataset.train.items, minlength=dataset.num_items + 1))
    return model


def fill_from_log(model: MultiInterestModel, dataset: Dataset, seed: int) -> None:
    """--init spectral: the rows of the items' ids start from the training log."""
    table = model.item_table if model.items is None else model.items.id_table
    start_from_log(table, dataset.train, seed)
