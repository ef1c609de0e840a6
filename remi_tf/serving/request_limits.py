"""How large a request may be: who sends one decides its lengths, and the server has to hold what comes of them."""

from typing import NamedTuple

import tensorflow as tf

from remi_tf.serving.request import checked


class Limits(NamedTuple):
    """rows of a request; places: rows × the longest list, in each list and in the answer; items: ids of `items`.

    None is no limit. The methods give the values as they are, or InvalidArgumentError when the graph runs.
    """

    rows: int | None
    places: int | None
    items: int | None

    def of_history(self, history: tf.Tensor) -> tf.Tensor:
        """history: [batch, any]."""
        message = f"history: at most {self.rows} rows in a request"
        return self.of_list("history", _at_most(history, tf.shape(history)[0], self.rows, message))

    def of_list(self, name: str, values: tf.Tensor) -> tf.Tensor:
        """values: [batch or 1, any]."""
        message = f"{name}: rows × the longest list must be at most {self.places}; send fewer rows or shorter lists"
        return _at_most(values, tf.size(values), self.places, message)

    def of_answer(self, values: tf.Tensor, batch: tf.Tensor, top_n: tf.Tensor | int) -> tf.Tensor:
        """values: whatever the answer is made from."""
        message = f"rows × top_n must be at most {self.places}; send fewer rows or ask for fewer items"
        size = tf.cast(batch, tf.int64) * tf.cast(top_n, tf.int64)
        return _at_most(values, size, self.places, message)

    def of_boosts(self, ids: tf.Tensor) -> tf.Tensor:
        """ids: [batch, any] of the items that are boosted."""
        message = f"rows × boosted items must be at most {self.places}; send fewer rows"
        return _at_most(ids, tf.size(ids, tf.int64), self.places, message)

    def of_items(self, items: tf.Tensor) -> tf.Tensor:
        """items: [any]."""
        return _at_most(items, tf.size(items), self.items, f"items: at most {self.items} ids in a request")


LIMITS = Limits(rows=10_000, places=2_000_000, items=200_000)
"""Of an export."""

NO_LIMITS = Limits(None, None, None)
"""In one's own process."""


def _at_most(values: tf.Tensor, size: tf.Tensor, most: int | None, message: str) -> tf.Tensor:
    return values if most is None else checked(values, tf.cast(size, tf.int64) <= most, message)
