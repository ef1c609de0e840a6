"""What the interests do."""

from dataclasses import replace

import numpy as np

from remi_tf.report.interests import interests
from remi_tf.report.page import joined


def test_shares_and_cosines_are_shown(one):
    figures = one.runs[0].evaluation.interests
    source = joined(*interests(one).parts)
    for share in figures["list_shares"]:
        assert f">{share:.0%}</td>" in source
    cosine = figures["cosines"][0][1]
    assert source.count(f">{cosine:.2f}</text>") == 2 and ">1.00</text>" in source
    assert np.isclose(cosine, figures["interest_cosine"])


def test_interests_that_no_user_has_together_have_no_cosine(one):
    (run,) = one.runs
    apart = {"list_shares": [1.0, 0.0], "cosines": [[1.0, None], [None, None]]}
    changed = replace(run, evaluation=replace(run.evaluation, interests=apart))
    assert "no user has two interests" in joined(*interests(replace(one, runs=(changed,))).parts)


def test_a_run_without_interests_says_so_next_to_one_with_some(two, bare):
    a, _ = two.runs
    source = joined(*interests(replace(two, runs=(a, replace(bare.runs[0], label="B")))).parts)
    assert "No interests, or one a user." in source and "<svg" in source


def test_nothing_to_compare_is_said_in_a_line(bare):
    section = interests(bare)
    assert not section.parts and "Not here: the model has no interests, or one a user" in section.how


def test_a_cosine_that_is_rounded_to_zero_has_no_minus(one):
    (run,) = one.runs
    nearly = {"list_shares": [0.5, 0.5], "cosines": [[1.0, -0.001], [-0.001, 1.0]], "effective_items": 1.0}
    figures = {**run.evaluation.interests, **nearly}
    changed = replace(run, evaluation=replace(run.evaluation, interests=figures))
    source = joined(*interests(replace(one, runs=(changed,))).parts)
    assert source.count(">0.00</text>") == 2 and "from 0.00 to 0.00" in source and "-0.00" not in source
