"""Optimizers whose step does not grow with the catalogue."""

import tensorflow as tf

from remi_tf.config import TrainingSettings


class LazyAdam(tf.keras.optimizers.Adam):
    """Adam that touches only the rows a step has read.

    A dense variable is updated as Adam does. Of a variable with a sparse gradient only the rows in that gradient move,
    and only their moments decay; the others keep theirs until they are read again. That is another optimizer than
    Adam (Kingma & Ba, 2015, algorithm 1), which moves every row at every step: rare items move less here. Work per
    step grows with the rows read instead of with the table.
    """

    def __init__(self, learning_rate: float = 1e-3, epsilon: float = 1e-8, **kwargs):
        super().__init__(learning_rate, epsilon=epsilon, jit_compile=False, **kwargs)

    def update_step(self, gradient, variable):
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

        new_momentum = beta_1 * tf.gather(momentum, rows) + (1 - beta_1) * values
        new_velocity = beta_2 * tf.gather(velocity, rows) + (1 - beta_2) * tf.square(values)
        size = learning_rate * tf.sqrt(1 - tf.pow(beta_2, step)) / (1 - tf.pow(beta_1, step))
        momentum.scatter_update(tf.IndexedSlices(new_momentum, rows))
        velocity.scatter_update(tf.IndexedSlices(new_velocity, rows))
        variable.scatter_sub(tf.IndexedSlices(size * new_momentum / (tf.sqrt(new_velocity) + self.epsilon), rows))


def make_optimizer(settings: TrainingSettings) -> tf.keras.optimizers.Optimizer:
    """The optimizer called `settings.optimizer`, with PyTorch's epsilon 1e-8 as in the reference releases."""
    if settings.optimizer == "adam":
        return tf.keras.optimizers.Adam(settings.learning_rate, epsilon=1e-8, jit_compile=False)
    return LazyAdam(settings.learning_rate)
