"""The options of MIND and DR: what is refused before TensorFlow is loaded."""

import pytest

from remi_tf.errors import InputError
from remi_tf.settings.encoders import encoder_settings


@pytest.mark.parametrize(
    ("model_type", "name", "value", "choices"),
    [
        ("MIND", "routing_softmax", "items", "interests, sequence"),
        ("MIND", "routing_start", "zeros", "normal, truncated"),
        ("DR", "map_fan_in", "slot", "item, tensor, unit"),
    ],
)
def test_a_value_that_is_not_there_is_answered_with_those_that_are(model_type, name, value, choices):
    with pytest.raises(InputError, match=f"--{name} '{value}': choose one of {choices}"):
        encoder_settings(model_type, **{name: value})


def test_each_option_belongs_to_its_model():
    with pytest.raises(InputError, match="--map_fan_in: MIND has no such option"):
        encoder_settings("MIND", map_fan_in="unit")
    with pytest.raises(InputError, match="--routing_start: DR has no such option"):
        encoder_settings("DR", routing_start="truncated")
