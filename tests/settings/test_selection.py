"""The metric that chooses the best weights."""

import pytest

from remi_tf.errors import InputError
from remi_tf.evaluation import metrics
from remi_tf.settings import selection
from remi_tf.settings.presets import compose


def test_a_run_can_be_chosen_by_every_metric_that_evaluation_has():
    assert selection.METRICS == metrics.NAMES


@pytest.mark.parametrize(
    "metric", ["recall", "recall@", "recall@0", "recall@-5", "recall@ten", "mrr@10", "@50", "", "recall@5@5"]
)
def test_text_that_is_no_metric_is_refused_by_name(metric):
    with pytest.raises(InputError, match=r"--select .*: give a metric and a cut-off, such as recall@50"):
        compose("shop", "default", False, {"model_type": "SA", "select": metric})


def test_validation_measures_at_the_cut_off_that_it_is_asked_for():
    assert selection.with_cut_off((20, 50), "ndcg@10") == (10, 20, 50)
    assert selection.with_cut_off((20, 50), "recall@50") == (20, 50)
