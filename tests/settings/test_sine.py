"""The options of SINE: what is refused before TensorFlow is loaded."""

import pytest

from remi_tf.errors import InputError
from remi_tf.settings.encoders import encoder_settings


def test_a_history_is_split_into_as_many_concepts_as_there_are_at_most():
    with pytest.raises(InputError, match=r"--active_concepts 9 --num_concepts 8: .* take fewer active ones"):
        encoder_settings("SINE", active_concepts=9, num_concepts=8)
    assert encoder_settings("SINE", active_concepts=8, num_concepts=8).active_concepts == 8
