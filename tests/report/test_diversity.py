"""The diversity curve."""

from remi_tf.report.diversity import diversity
from remi_tf.report.page import joined


def test_every_strength_has_its_point_and_its_row(two):
    source = joined(*diversity(two).parts)
    for run in two.runs:
        for found in run.curve.values():
            assert f">{found.means['recall@50']:.4f}</td>" in source
    assert source.count(">λ = 0</td>") == 2 and source.count(">∞</text>") == 2


def test_data_without_categories_have_no_curve(bare):
    assert not diversity(bare).parts and "the data have no categories" in diversity(bare).how
