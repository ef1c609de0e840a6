"""What every golden case is made with: random numbers that 32 bits hold exactly, and finite differences."""

from collections.abc import Callable

import numpy as np

STEP = 1e-6
Arrays = dict[str, np.ndarray]


def draw(random: np.random.RandomState, *shape: int, scale: float = 1.0, around: float = 0.0) -> np.ndarray:
    return random.normal(around, scale, shape).astype(np.float32).astype(np.float64)


def gradient(total: Callable[[], float], array: np.ndarray) -> np.ndarray:
    """Central differences of `total`, which reads `array`, in each of its entries."""
    result = np.zeros_like(array)
    for place in np.ndindex(*array.shape):
        value = array[place]
        array[place] = value + STEP
        above = total()
        array[place] = value - STEP
        below = total()
        array[place] = value
        result[place] = (above - below) / (2 * STEP)
    return result


def case(total: Callable[[], float], inputs: Arrays, weights: Arrays, fixed: Arrays, **values) -> Arrays:
    """A case's arrays: inputs and weights with their gradients, `fixed` inputs without, and values."""
    arrays: Arrays = {f"in.{name}": value for name, value in {**inputs, **fixed}.items()}
    arrays.update({f"w.{name}": value for name, value in weights.items()})
    arrays.update({f"out.{name}": value for name, value in {**values, "total": total()}.items()})
    arrays.update({f"grad.{name}": gradient(total, value) for name, value in {**inputs, **weights}.items()})
    return arrays
