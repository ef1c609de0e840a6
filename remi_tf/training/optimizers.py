"""Adam: dense as in PyTorch, or lazy. The work of a lazy step does not grow with the catalogue."""

from typing import Any, TypeAlias

import tensorflow as tf

from remi_tf.settings.training import TrainingSettings

Gradient: TypeAlias = tf.Tensor | tf.IndexedSlices


class Adam(tf.keras.optimizers.Adam):
    """Adam with PyTorch's epsilon and PyTorch's weight decay: `l2` times the weight is added to its gradient.

    That is not Keras's `weight_decay`, which shrinks the weight apart from the step (AdamW).
    """

    def __init__(self, learning_rate: float = 1e-3, epsilon: float = 1e-8, l2: float = 0.0, **kwargs: Any):
        super().__init__(learning_rate, epsilon=epsilon, jit_compile=False, **kwargs)
        self.l2 = l2

    def _deduplicate_sparse_grad(self, grads: list[Gradient]) -> list[Gradient]:
        """Keras sums the rows of a gradient that stand for one index. Where each is there once, nothing is summed.

        A model that looks up distinct rows has such gradients: their indices come from `tf.unique`.
        """
        summed = iter(super()._deduplicate_sparse_grad([each for each in grads if not _is_distinct(each)]))
        return [each if _is_distinct(each) else next(summed) for each in grads]

    def update_step(self, gradient: Gradient, variable: tf.Variable) -> None:
        """`gradient` is a tensor, or IndexedSlices: Adam moves every row, so every row decays, read or not."""
        if self.l2:
            decay = self.l2 * variable
            if isinstance(gradient, tf.IndexedSlices):
                gradient = tf.tensor_scatter_nd_add(decay, gradient.indices[:, tf.newaxis], gradient.values)
            else:
                gradient += decay
        super().update_step(gradient, variable)


def _is_distinct(gradient: Gradient) -> bool:
    """Whether it can be seen in the graph that no index of a sparse gradient is there twice."""
    if not isinstance(gradient, tf.IndexedSlices) or not hasattr(gradient.indices, "op"):
        return False
    indices = gradient.indices
    while indices.op.type in ("Reshape", "Identity"):
        indices = indices.op.inputs[0]
    return indices.op.type in ("Unique", "UniqueV2") and indices is indices.op.outputs[0]


class LazyAdam(Adam):
    """Adam that touches only the rows a step has read.

    A variable with a dense gradient is updated as in Adam. With a sparse gradient, only the rows in that gradient move,
    and only their moments decay. The other rows keep their moments until they are read again. Adam (Kingma & Ba, 2015,
    algorithm 1) moves every row at every step; here rare items move less. Work per step grows with the rows read, not
    with the table. `l2` also acts only on the rows read.
    """

    def update_step(self, gradient: Gradient, variable: tf.Variable) -> None:
        """`gradient` is a tensor, or IndexedSlices whose rows Keras has already summed to distinct ones."""
        if not isinstance(gradient, tf.IndexedSlices):
            super().update_step(gradient, variable)
            return
        step = tf.cast(self.iterations + 1, variable.dtype)
        learning_rate, beta_1, beta_2 = (
            tf.cast(value, variable.dtype) for value in (self.learning_rate, self.beta_1, self.beta_2)
        )
        slot = self._index_dict[self._var_key(variable)]
        momentum, velocity = self._momentums[slot], self._velocities[slot]
        rows, values = gradient.indices, gradient.values
        if self.l2:
            values += self.l2 * tf.gather(variable, rows)

        new_momentum = beta_1 * tf.gather(momentum, rows) + (1 - beta_1) * values
        new_velocity = beta_2 * tf.gather(velocity, rows) + (1 - beta_2) * tf.square(values)
        size = learning_rate * tf.sqrt(1 - tf.pow(beta_2, step)) / (1 - tf.pow(beta_1, step))
        momentum.scatter_update(tf.IndexedSlices(new_momentum, rows))
        velocity.scatter_update(tf.IndexedSlices(new_velocity, rows))
        variable.scatter_sub(tf.IndexedSlices(size * new_momentum / (tf.sqrt(new_velocity) + self.epsilon), rows))


def make_optimizer(settings: TrainingSettings) -> tf.keras.optimizers.Optimizer:
    """The optimizer called `settings.optimizer`, with PyTorch's epsilon 1e-8 as in the reference releases."""
    optimizer = Adam if settings.optimizer == "adam" else LazyAdam
    return optimizer(settings.learning_rate, l2=settings.weight_decay)
