"""The settings of the items' vectors."""

import pytest

from remi_tf.errors import InputError
from remi_tf.settings.items import ItemSettings
from remi_tf.settings.presets import compose

SA = {"model_type": "SA"}


def tower(recipe="default", model_type="SA", has_features=True, **explicit) -> str:
    settings = compose("any", recipe, False, {"model_type": model_type, **explicit}, has_features=has_features)
    return settings.items.item_tower


def test_features_are_read_where_there_are_some_under_the_default_recipe_only():
    assert tower() == tower(model_type="MTMI-DNN") == "mlp"
    assert tower(has_features=False) == tower("paper") == tower("released") == tower(model_type="ItemKNN") == "id"
    assert tower(item_tower="id") == "id" and tower("paper", item_tower="sum") == "sum"


def test_the_dropout_is_no_negative_number_and_is_read_with_a_tower_only():
    with pytest.raises(InputError, match=r"--id_dropout -1.0: must be a finite number"):
        ItemSettings(item_tower="sum", id_dropout=-1.0)
    with pytest.raises(InputError, match=r"--id_dropout 0.5: read only with --item_tower sum or mlp"):
        compose("any", "default", False, {**SA, "id_dropout": 0.5})


def test_a_counted_model_has_no_tower():
    with pytest.raises(InputError, match="--item_tower sum: EASE is counted, not trained; leave it out"):
        compose("any", "default", False, {"model_type": "EASE", "item_tower": "sum"})
