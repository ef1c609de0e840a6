"""The numbers of a page are those that evaluation gives."""

import numpy as np
import pytest

from remi_tf.errors import InputError
from remi_tf.evaluation.diversity_curve import DiversityCurve
from remi_tf.evaluation.evaluate import evaluate
from remi_tf.evaluation.list_metrics import ItemFacts
from remi_tf.evaluation.yardsticks import most_popular
from remi_tf.report.gather import CURVE_USERS, Asked
from tests.report_toys import findings, routed


def test_metrics_yardsticks_and_the_curve_are_those_of_evaluation(one):
    data, items = one.dataset.test, ItemFacts.of(one.dataset)
    expected = evaluate(routed(), data, (20, 50), items=items)
    found = one.runs[0].evaluation
    assert found.figures == expected.figures and found.interests == expected.interests
    assert one.yardsticks["MostPopular"].means == evaluate(most_popular(one.dataset), data, items=items).means
    curve = DiversityCurve(routed(), items, (0.1,), (50,)).evaluate(data.first(CURVE_USERS))
    assert one.runs[0].curve[0.1].figures == curve[0.1].figures


def test_the_same_users_are_shown_of_both_runs_and_named_by_their_raw_ids(two):
    a, b = two.runs
    assert (a.label, b.label, two.two) == ("A", "B", True)
    assert a.views.keys() == b.views.keys() == set(two.chosen.all) == two.user_ids.keys()
    for position, raw_id in two.user_ids.items():
        assert raw_id == two.dataset.user_ids("test")[two.users[position]]
        np.testing.assert_array_equal(a.views[position].targets, b.views[position].targets)


def test_split_history_and_users_are_as_asked_for(tmp_path):
    asked = Asked("valid", exclude_history=True, users=2, seed=5)
    found = findings(tmp_path, routed(), asked=asked)
    expected = evaluate(routed(), found.dataset.valid, (20, 50), exclude_history=True)
    assert found.runs[0].evaluation.means.items() >= expected.means.items()
    assert len(found.chosen.sample) == 2


def test_a_split_without_targets_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("tests.report_toys.random_users", lambda count, seed: [([1, 2], [])] * count)
    with pytest.raises(InputError, match="has targets: nothing to evaluate"):
        findings(tmp_path, routed())
