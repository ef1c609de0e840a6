"""The settings of the training loop."""

import dataclasses

import pytest

from remi_tf.errors import InputError
from remi_tf.settings.encoders import ENCODERS
from remi_tf.settings.presets import compose
from remi_tf.settings.training import TrainingSettings


@pytest.mark.parametrize("name", ["max_steps", "patience", "eval_users", "average_steps", "seed"])
def test_0_is_a_value_with_a_meaning(name):
    assert getattr(TrainingSettings(**{name: 0}), name) == 0


@pytest.mark.parametrize("name", ["batch_size", "eval_every", "first_target"])
def test_0_is_refused_where_nothing_would_be_read_or_measured(name):
    with pytest.raises(InputError, match=f"--{name} 0: must be 1 or more"):
        TrainingSettings(**{name: 0})


@pytest.mark.parametrize("counted", [name for name, entry in ENCODERS.items() if entry.counted])
def test_a_counted_model_takes_no_setting_of_gradient_steps_and_all_the_others(counted):
    for each in dataclasses.fields(TrainingSettings):
        explicit = {"model_type": counted, each.name: each.default}
        if each.metadata["of_gradient_steps"]:
            with pytest.raises(InputError, match="is counted, not trained"):
                compose("shop", "default", False, explicit)
        else:
            compose("shop", "default", False, explicit)
