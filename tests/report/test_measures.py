"""Metrics next to the yardsticks, by segments, and tested."""

import html
import re

import pytest
from scipy import stats

from remi_tf.evaluation.segments import segments
from remi_tf.report.measures import comparison, metrics, of_segments
from remi_tf.report.page import joined


def rows(section):
    """Rows of all tables: their cells as text."""
    found = re.findall("<tr>(.*?)</tr>", joined(*section.parts), re.S)
    return [
        [html.unescape(re.sub("<[^>]*>", "", cell)) for cell in re.findall("<t[dh].*?</t[dh]>", row)] for row in found
    ]


def test_every_metric_has_a_row_with_all_systems(two):
    found = {row[0]: row[1:] for row in rows(metrics(two))}
    assert found["metric"] == ["A", "B", "MostPopular"]
    for name, value in two.runs[1].evaluation.figures.items():
        assert found[name][1] == f"{value:.4f}"
    assert {"recall@20", "ndcg@50", "gini@50", "diversity@20"} <= found.keys()


def test_what_is_left_out_is_said(bare):
    source = joined(*metrics(bare).parts)
    assert "ItemKNN is left out" in source and "no categories" in source and "diversity@20" not in source


def test_segments_have_their_users_and_the_metrics_of_all_systems(one):
    found = rows(of_segments(one))
    part = segments(one.dataset.test, one.users, one.items)[0]
    model = part.means(one.runs[0].evaluation)
    expected = [part.name, str(len(part.members)), f"{model['recall@50']:.4f}"]
    assert expected in [row[:3] for row in found]
    assert ["segment", "users", "model", "MostPopular"] in found
    assert any("categories" in row[0] for row in found)


def test_without_categories_one_way_to_divide_users_is_missing(bare):
    source = joined(*of_segments(bare).parts)
    assert "the data have no categories" in source and "By the length of the history" in source


def test_two_runs_are_tested_over_their_users(two):
    found = {row[0]: row[1:] for row in rows(comparison(two))}
    a, b = (run.evaluation.per_user["ndcg@50"] for run in two.runs)
    mean_a, mean_b, difference, p = found["ndcg@50"]
    assert (mean_a, mean_b, difference) == (f"{a.mean():.4f}", f"{b.mean():.4f}", f"{a.mean() - b.mean():+.4f}")
    assert float(p) == pytest.approx(stats.ttest_rel(a, b).pvalue, abs=1e-4)
