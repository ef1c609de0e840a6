"""The benchmark of steps: it takes systems as train.py does and trains them as they are."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
import encoders
from systems import settings_of

from remi_tf.errors import InputError


@pytest.mark.trains
@pytest.mark.parametrize("flags", ["SA --remi", "MIND --remi --recipe released"])
def test_a_round_trains_the_system_asked_for(flags, monkeypatch):
    monkeypatch.setattr(encoders, "STEPS", 20)
    words = [*flags.split(), "--batch_size", "8", "--num_negatives", "16"]
    case = encoders.Case(words, encoders.random_log(300, users=50))
    before = case.model.item_table.numpy()
    assert case.round() > 0
    assert np.abs(case.model.item_table.numpy() - before).max() > 1e-4
    averages = [callback.average for callback in case.callbacks]
    assert len(averages) == ("released" not in flags)
    assert all(int(average.step) == case.model.optimizer.iterations == 40 for average in averages)


def test_a_system_is_what_train_would_make_of_its_flags():
    settings = settings_of(["SA", "--remi", "--recipe", "released", "--readout", "sampled"], "shop")
    assert settings.objective.readout == "sampled" and settings.training.optimizer == "adam"
    with pytest.raises(InputError, match='system "DNN --remi": --remi: it regularises a routing matrix'):
        settings_of(["DNN", "--remi"], "shop")
