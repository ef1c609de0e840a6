"""The settings of the boost."""

import pytest

from remi_tf.errors import InputError
from remi_tf.settings.presets import compose
from remi_tf.settings.settings import Settings


def test_remi_has_a_boost_under_the_default_recipe_only():
    for recipe, expected in (("default", "counted"), ("paper", "none"), ("released", "none")):
        assert compose("shop", recipe, True, {"model_type": "SA"}).boost.boost == expected
    assert compose("shop", "default", False, {"model_type": "SA"}).boost.boost == "none"


def test_an_older_run_has_no_boost():
    groups = compose("shop", "default", True, {"model_type": "SA"}).to_json()
    del groups["boost"]
    assert Settings.from_json(groups).boost.boost == "none"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"boost_weight": 2.0}, "--boost_weight 2.0: read only with --boost counted"),
        ({"boost": "counted", "boost_decay": 1.5}, "--boost_decay 1.5: older items would weigh more"),
        ({"boost": "always"}, "--boost 'always': choose one of none, counted"),
        ({"boost": "counted", "boost_neighbours": 0}, "--boost_neighbours 0: must be 1 or more"),
        ({"model_type": "EASE", "boost": "counted"}, "--boost counted: EASE is counted, not trained"),
    ],
)
def test_what_it_cannot_be_is_refused(values, message):
    with pytest.raises(InputError, match=message):
        compose("shop", "default", False, {"model_type": "SA", **values})
