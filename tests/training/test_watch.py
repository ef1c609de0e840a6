"""Training that only gets worse is said once; training that learns is left in peace."""

import pytest

from remi_tf.training.measurements import append_metrics
from remi_tf.training.watch import Watch


@pytest.fixture
def told(monkeypatch):
    said = []
    monkeypatch.setattr("absl.logging.warning", lambda text, *values: said.append(text % values))
    return said


def watch(path):
    return Watch(path, ("softmax",), 60, 0.5)


@pytest.mark.parametrize("losses", [[1e13, 1e12], [4.0, 60.0, 1e13], [0.7, 0.6, 15.0]])
def test_a_loss_far_above_a_guess_or_the_first_interval_is_said_once(tmp_path, told, losses):
    seen = watch(tmp_path)
    for number, loss in enumerate([*losses, 1e13], start=1):
        seen.see(20 * number, {"softmax": loss})
    assert len(told) == 1 and "training makes it worse" in told[0] and "--learning_rate (now 0.5)" in told[0]


def test_learning_and_growing_penalties_are_no_reason(tmp_path, told):
    seen = watch(tmp_path)
    seen.see(0, {})
    for step, loss in ((20, 4.5), (40, 5.0), (60, 3.0)):
        seen.see(step, {"softmax": loss, "rr": 10.0**step})
    seen.end(best_step=60)
    assert not told


def test_a_resumed_run_knows_its_first_interval_and_has_been_told(tmp_path, told):
    append_metrics(tmp_path, {"step": 20, "loss_softmax": 1.0})
    watch(tmp_path).see(40, {"softmax": 30.0})
    assert len(told) == 1
    append_metrics(tmp_path, {"step": 40, "loss_softmax": 30.0})
    watch(tmp_path).see(60, {"softmax": 40.0})
    assert len(told) == 1


def test_a_patience_in_which_nothing_beat_the_first_validation_is_said(tmp_path, told):
    seen = watch(tmp_path)
    for step in (20, 40, 60):
        seen.see(step, {"softmax": 3.0})
    seen.end(best_step=20)
    assert "no validation was better than the first one, of step 20" in told[0]
