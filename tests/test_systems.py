"""Trained or counted: made from settings, and asked by one function."""

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.counted import base
from remi_tf.counted.base import CountedModel
from remi_tf.errors import InputError
from remi_tf.model import MultiInterestModel
from remi_tf.settings.presets import compose
from remi_tf.systems import make_counted, make_system, recommend
from tests.counted_toys import counted, log


def test_the_settings_say_which_kind_of_system_it_is():
    for model_type, kind in (("DNN", MultiInterestModel), ("Pop", CountedModel), ("EASE", CountedModel)):
        settings = compose("shop", "default", False, {"model_type": model_type})
        assert isinstance(make_system(settings, num_items=2000), kind)


def test_memory_is_looked_at_where_a_model_is_counted_and_not_where_a_counted_one_is_loaded(monkeypatch):
    monkeypatch.setattr(base, "available_memory", lambda: 0)
    settings = compose("shop", "default", False, {"model_type": "EASE"})
    make_system(settings, num_items=10)
    with pytest.raises(InputError, match=r"and 0\.0 MiB are available"):
        make_counted(settings, num_items=10)


def test_the_history_is_left_out_on_request_and_an_empty_one_gets_the_popular_items():
    model = counted("ItemKNN", log([1, 2, 3], [2, 3, 4], [3, 4, 5]), max_history=3)
    history = tf.constant([[2, 3, 0], [0, 0, 0]])
    ids, _ = recommend(model, history, 4)
    scores = model.scores(history)[0].numpy()
    assert ids[0].numpy().tolist() == (1 + np.argsort(-scores[1:], kind="stable")[:4]).tolist()
    assert set(ids[0].numpy()) & {2, 3} and ids[1].numpy().tolist() == [1, 2, 3, 4]
    assert not set(recommend(model, history, 4, exclude_history=True)[0][0].numpy()) & {2, 3}
