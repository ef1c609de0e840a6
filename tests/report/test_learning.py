"""Learning curves."""

from dataclasses import replace

from remi_tf.report.learning import learning
from remi_tf.report.page import joined
from remi_tf.settings.settings import Settings


def test_there_is_a_panel_for_each_part_of_the_loss_and_each_metric(one):
    source = joined(*learning(one).parts)
    for title in ("loss: softmax", "validation: recall", "validation: ndcg"):
        assert f">{title}</text>" in source
    assert "@20</text>" in source and "@50</text>" in source
    assert "measured from step 10 to 20, best at step 20" in source


def test_both_runs_are_lines_of_the_same_panels(two):
    source = joined(*learning(two).parts)
    assert source.count(">loss: softmax</text>") == 1 and "A @20</text>" in source and "B @20</text>" in source


def test_lines_without_a_number_are_left_out(one):
    (run,) = one.runs
    odd = [{"step": 1, "loss_softmax": None, "valid_recall@50": "?"}, *run.measured]
    assert learning(replace(one, runs=(replace(run, measured=odd),))).parts


def test_nothing_trained_or_measured_is_said_in_a_line(one, bare):
    assert not learning(bare).parts and learning(bare).how.startswith("Not here: nothing was trained")
    counted = Settings().replace(model_type="Pop")
    assert not learning(replace(one, runs=(replace(one.runs[0], settings=counted),))).parts
