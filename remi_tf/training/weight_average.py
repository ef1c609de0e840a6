"""A moving average of a model's weights: smoother than the last step's, at the price of a second copy of them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

MOST = 4  # the window is at most the steps taken so far, divided by this


class WeightAverage(tf.Module):
    """average ← average + (1 − e^(−Δ / w)) (weight − average), every Δ steps (Polyak averaging, exponential form).

    w is the window: `steps`, but at most a quarter of the steps taken so far, so that the first weights are soon
    forgotten. An update reads every row of every weight, so it is done only once in several steps.

    Args:
      weights: the variables to average, the trainable ones of a model; others stay as they are.
      steps: how many of the last steps to average over.

    Attributes:
      averages: a variable for each of the weights.
      step: the step of the last update.
    """

    def __init__(self, weights: Sequence[tf.Variable], steps: int):
        super().__init__()
        self.steps = steps
        self.weights = list(weights)
        self.averages = [tf.Variable(weight, trainable=False) for weight in self.weights]
        self.step = tf.Variable(0, dtype=tf.int64, trainable=False)

    def begin(self) -> None:
        """Before the first step: the averages are the weights as they are now."""
        for average, weight in zip(self.averages, self.weights, strict=True):
            average.assign(weight)

    @tf.function
    def update(self, step: tf.Tensor) -> None:
        """Add the weights after `step` (scalar int64) to the averages."""
        window = tf.minimum(float(self.steps), tf.cast(step, tf.float32) / MOST)
        share = -tf.math.expm1(-tf.cast(step - self.step, tf.float32) / window)
        for average, weight in zip(self.averages, self.weights, strict=True):
            average.assign_add(tf.cast(share, weight.dtype) * (weight - average))
        self.step.assign(step)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Within the block the model's weights are the averages."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    @tf.function
    def _swap(self) -> None:
        for average, weight in zip(self.averages, self.weights, strict=True):
            value = tf.identity(weight)
            weight.assign(average)
            average.assign(value)


class KeepAverage(tf.keras.callbacks.Callback):
    """Updates an average each time fit returns from a call of several steps."""

    def __init__(self, average: WeightAverage):
        super().__init__()
        self.average = average

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self.average.update(self.model.optimizer.iterations)
