"""Numbers as text."""

import numpy as np
import pytest

from remi_tf.numbers import fixed


@pytest.mark.parametrize(
    ("value", "shown"),
    [(-0.0, "0.00"), (-0.0049, "0.00"), (-0.006, "-0.01"), (0.25, "0.25"), (-1, "-1.00"), (np.float32(-1e-9), "0.00")],
)
def test_nothing_is_minus_zero(value, shown):
    assert fixed(value, 2) == shown


def test_a_sign_is_written_where_it_is_asked_for():
    assert [fixed(value, 1, "+") for value in (0.26, -0.01, -0.26)] == ["+0.3", "+0.0", "-0.3"]
    assert fixed(float("nan"), 2) == "nan"
