"""How near items are to each other: by their vectors, or by what a counted model knows of them."""

from functools import cached_property

import numpy as np

from remi_tf.counted.base import CountedModel
from remi_tf.errors import InputError
from remi_tf.recommending.index_folder import finite_vectors
from remi_tf.training.run_folder import SavedRun


class SimilarItems:
    """The nearness of a run's items.

    Args:
      run: an open run.

    Raises:
      InputError: an item vector is not finite: the run has diverged.
    """

    def __init__(self, run: SavedRun):
        self.run = run
        if not isinstance(run.model, CountedModel):
            finite_vectors(run)

    def near(self, row: int) -> np.ndarray:
        """`[I + 1]` float32: the cosine of each item's vector with that of `row`, or the number of a counted model.

        It is -inf for padding, for the item itself and for what a counted model does not know as similar.

        Raises:
          InputError: the model does not know similar items.
        """
        model = self.run.model
        near = model.similar(row) if isinstance(model, CountedModel) else self._directions @ self._directions[row]
        if near is None:
            model_type = self.run.settings.encoder.model_type
            raise InputError(f"{self.run.path}: {model_type} does not know which items are similar")
        if isinstance(model, CountedModel):
            near = np.where(near > 0, near, -np.inf)
        near[[0, row, *self.run.catalogue.removed]] = -np.inf
        return near

    @cached_property
    def _directions(self) -> np.ndarray:
        """[I + 1, d] item vectors at length 1."""
        vectors = finite_vectors(self.run)
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
