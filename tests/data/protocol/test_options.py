"""The settings of the protocol."""

import pytest

from remi_tf.data.protocol.options import PrepareSettings
from remi_tf.errors import InputError


@pytest.mark.parametrize("options", [{"min_count": 0}, {"core": "twice"}, {"split": "random"}])
def test_settings_that_make_no_sense_are_refused(options):
    with pytest.raises(InputError):
        PrepareSettings(**options)
