"""The boost on disk."""

import numpy as np
import pytest

from remi_tf.settings.presets import compose
from remi_tf.training.boost_folder import boost_keeper, make_boost, restore_boost
from tests.counted_toys import NUM_ITEMS, log, random_sequences

SETTINGS = compose("toy", "default", True, {"model_type": "SA", "boost_neighbours": 4})


@pytest.fixture
def boost():
    boost = make_boost(SETTINGS, NUM_ITEMS, 0)
    boost.take(boost.lists(log(*random_sequences(20)), ["rules"])["rules"])
    boost.weigh(2.0, 0.5)
    return boost


def test_what_is_saved_comes_back_for_the_step_of_its_weights_only(boost, tmp_path, caplog):
    boost_keeper(tmp_path, boost, verify=True).save(30)
    again = restore_boost(tmp_path, SETTINGS, NUM_ITEMS, 0, 30, verify=True)
    for name, table in boost.tables.items():
        np.testing.assert_array_equal(again.tables[name], table)
    assert not caplog.records
    assert restore_boost(tmp_path, SETTINGS, NUM_ITEMS, 0, 40, verify=True) is None
    assert f"{tmp_path}: lists are without the boost" in caplog.text


def test_nothing_is_looked_for_where_a_run_has_none(tmp_path, caplog):
    settings = compose("toy", "default", False, {"model_type": "SA"})
    assert restore_boost(tmp_path, settings, NUM_ITEMS, 0, 30, verify=True) is None
    assert not caplog.records
