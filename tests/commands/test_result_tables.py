"""The tables that evaluate prints."""

import numpy as np

from remi_tf.commands.result_tables import comparison_table, curve_table, metric_tables, segment_table, table
from remi_tf.evaluation.paired_test import Comparison
from remi_tf.evaluation.tally import Evaluation


def evaluation(whole_split=None, **per_user):
    values = {name.replace("_at_", "@"): np.array([value]) for name, value in per_user.items()}
    return Evaluation(values, np.array([0]), 0, 0.0, whole_split=whole_split or {})


def test_columns_stand_below_their_names_and_a_missing_value_is_a_dash():
    lines = table({"model": {"recall@20": 0.25, "users": 1200, "p": "< .0001"}, "other": {"users": 7}}).splitlines()
    assert lines[0].split() == ["recall@20", "users", "p"]
    assert lines[1].split() == ["model", "0.2500", "1,200", "<", ".0001"]
    assert lines[2].split() == ["other", "–", "7", "–"]
    assert len({len(line) for line in lines}) == 1
    ends = [line.index(last) + len(last) for line, last in zip(lines, ("users", "1,200", "7"), strict=True)]
    assert len(set(ends)) == 1


def test_accuracy_and_each_cut_offs_lists_have_tables_of_their_own():
    results = {
        "model": evaluation({"gini@5": 0.5, "gini@9": 0.75}, recall_at_5=1.0, recall_at_9=1.0, novelty_at_5=3.0),
        "other": evaluation({"gini@5": 0.25}, recall_at_5=0.0, novelty_at_9=2.0),
    }
    lines = [line.split() for line in metric_tables(results, has_categories=True).splitlines()]
    assert lines[0] == ["recall@5", "recall@9"]
    assert lines[3:6] == [["novelty@5", "gini@5"], ["model", "3.0000", "0.5000"], ["other", "–", "0.2500"]]
    assert lines[6:] == [["gini@9", "novelty@9"], ["model", "0.7500", "–"], ["other", "–", "2.0000"]]


def test_missing_categories_are_said_once_and_not_where_lists_are_not_measured():
    results = {"model": evaluation({"gini@5": 0.5, "gini@9": 0.5}, recall_at_5=1.0)}
    assert metric_tables(results, has_categories=False).count("the data have no categories") == 1
    assert "categories" not in metric_tables({"model": evaluation(recall_at_5=1.0)}, has_categories=False)


def test_segments_are_shown_at_one_cut_off_with_their_users():
    metrics = {"model": {"recall@5": 0.5, "recall@15": 0.75}, "other": {"recall@5": 0.0}}
    lines = segment_table(
        {"history": [{"segment": "4 items", "users": 9, "metrics": metrics}]}, "model", 5
    ).splitlines()
    assert lines[0].split() == ["users", "recall@5"]
    assert lines[1].split() == ["history:", "4", "items", "9", "0.5000"]


def test_the_curve_has_a_row_for_each_strength():
    curve = {
        0.0: evaluation(recall_at_5=0.5, novelty_at_5=3.0),
        np.inf: evaluation(recall_at_5=0.25, diversity_at_5=1.0),
    }
    lines = [line.split() for line in curve_table(curve).splitlines()]
    assert lines == [
        ["recall@5", "diversity@5"],
        ["λ", "=", "0", "0.5000", "–"],
        ["λ", "=", "inf", "0.2500", "1.0000"],
    ]


def test_a_comparison_shows_means_difference_p_and_users():
    lines = comparison_table({"recall@20": Comparison(1119, 0.25, 0.5, -0.25, 1e-9)}).splitlines()
    assert lines[0].split() == ["A", "B", "A", "-", "B", "p", "users"]
    assert lines[1].split() == ["recall@20", "0.2500", "0.5000", "-0.2500", "<", ".0001", "1,119"]
