"""The options of SA: what is refused before TensorFlow is loaded."""

import pytest

from remi_tf.errors import InputError
from remi_tf.settings.encoders import encoder_settings
from remi_tf.settings.presets import compose


@pytest.mark.parametrize("name", ["history_dropout", "value_dropout"])
def test_a_share_of_one_or_more_is_refused(name):
    with pytest.raises(InputError, match=rf"--{name} 1\.0: nothing would be left"):
        encoder_settings(value_width=1, **{name: 1.0})


def test_dropout_of_a_convolution_that_is_not_there_is_refused():
    with pytest.raises(InputError, match=r"--value_dropout 0\.5: read only with --value_width above 0"):
        compose("book", "default", False, {"model_type": "SA", "value_dropout": 0.5})


def test_another_end_of_the_history_is_refused():
    with pytest.raises(InputError, match="--positions 'latest': choose one of oldest, newest"):
        encoder_settings(positions="latest")
