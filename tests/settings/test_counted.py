"""The options of the counted models."""

import pytest

from remi_tf.errors import InputError
from remi_tf.settings.names import known_settings
from remi_tf.settings.presets import compose
from remi_tf.settings.setting import check_value


def counted(**options):
    return compose("shop", "default", False, {"model_type": "ItemKNN", **options}).encoder


def test_an_old_item_never_weighs_more_than_a_new_one():
    assert counted(decay=1.0).decay == 1
    for value, message in ((1.1, "older items would weigh more"), (0.0, "above 0")):
        with pytest.raises(InputError, match=f"--decay {value}: .*{message}"):
            counted(decay=value)


def test_every_candidate_is_a_value_that_its_setting_takes_and_there_is_more_than_one():
    fields = [known.field for known in known_settings().values() if known.field.metadata["candidates"]]
    assert len(fields) == 4
    for field in fields:
        for value in field.metadata["candidates"]:
            check_value(field, value)
        assert len(set(field.metadata["candidates"])) > 1


def test_a_datasets_preset_does_not_shorten_what_a_counted_model_reads():
    assert compose("ml-1m", "default", False, {"model_type": "ItemKNN"}).encoder.max_history == counted().max_history
    assert compose("ml-1m", "default", False, {"model_type": "ItemKNN", "max_history": 9}).encoder.max_history == 9
