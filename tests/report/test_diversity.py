"""The diversity curve."""

from dataclasses import replace

from remi_tf.report.diversity import diversity
from remi_tf.report.page import joined


def test_every_strength_has_its_point_and_its_row(two):
    source = joined(*diversity(two).parts)
    for run in two.runs:
        for found in run.curve.values():
            assert f">{found.means['recall@50']:.4f}</td>" in source
    assert source.count(">λ = 0</td>") == 2 and source.count(">∞</text>") == 2


def test_it_is_said_of_which_users_it_is(one):
    """Recall at λ = 0 differs from that of the metrics where the curve has fewer users."""
    users = one.dataset.test.num_users
    assert diversity(one).how.startswith(f"The curve is of all {users} test users. A higher λ")
    (run,) = one.runs
    of_five = {strength: replace(found, users=found.users[:5]) for strength, found in run.curve.items()}
    fewer = replace(one, runs=(replace(run, curve=of_five),))
    said = f"The curve is of the first 5 test users only; the metrics above are of all {users}. A higher λ"
    assert diversity(fewer).how.startswith(said)


def test_data_without_categories_have_no_curve(bare):
    assert not diversity(bare).parts and "the data have no categories" in diversity(bare).how
