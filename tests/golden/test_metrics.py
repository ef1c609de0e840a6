"""Recall, hit rate and each NDCG against their definitions in loops."""

import numpy as np
import pytest

from remi_tf.evaluation import metrics
from tests.golden import generate


@pytest.mark.parametrize("n", [5, 12])
def test_the_metrics_of_every_user_are_those_of_the_definitions(n):
    golden = generate.load("ranking")
    inputs = (golden[f"in.{name}"] for name in ("retrieved", "targets", "offsets"))
    ours = metrics.per_user(*inputs, [n], published_ndcg=True)
    assert {f"out.{name}" for name in ours} == {key for key in golden if key.endswith(f"@{n}")}
    for name, values in ours.items():
        np.testing.assert_allclose(values, golden[f"out.{name}"], rtol=1e-6, err_msg=name)
