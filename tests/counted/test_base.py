"""What is added up over a history."""

import re

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.counted import base
from remi_tf.errors import InputError
from tests.counted_toys import counted, log, random_sequences, table_of

MODELS = ["ItemKNN", "SequentialRules", "EASE"]


@pytest.mark.parametrize("name", MODELS)
def test_scores_are_the_rows_of_the_history_added_up_each_newer_item_taking_its_share(name):
    model = counted(name, log(*random_sequences(30)), decay=0.5, max_history=5)
    table = table_of(model)
    history = [4, 1, 1, 2]  # oldest first
    expected = table[2] + table[1] / 2 + table[1] / 4 + table[4] / 8
    found = model.scores(tf.constant([[*history, 0], [2, 0, 0, 0, 0]])).numpy()
    np.testing.assert_allclose(found[:, 1:], np.stack([expected, table[2]])[:, 1:], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", MODELS)
def test_another_decay_is_read_without_counting_again_and_another_table_is_counted(name, monkeypatch):
    train, option = log(*random_sequences(30)), {"ItemKNN": "shrink", "EASE": "ease_lambda"}.get(name, "window")
    model = counted(name, train)
    faster, other = (counted(name, train, **options).settings for options in ({"decay": 0.3}, {option: 7}))
    made = []
    monkeypatch.setattr(type(model), "count_table", lambda self, train: made.append(self.settings))
    model.count(train, faster)
    assert not made
    assert model.age_weights.numpy()[2] == pytest.approx(0.09)
    model.count(train, other)
    assert made == [other]


@pytest.mark.parametrize("name", MODELS)
def test_another_log_is_counted_under_the_same_settings(name):
    model, train = counted(name, log([1, 2], [3, 4])), log([1, 3], [1, 3], [2, 4])
    model.count(train)
    np.testing.assert_array_equal(table_of(model), table_of(counted(name, train)))


@pytest.mark.parametrize(("name", "remedy"), [("EASE", "take --model_type ItemKNN"), ("ItemKNN", "fewer --neighbours")])
def test_a_catalogue_that_memory_cannot_hold_is_refused_with_both_numbers_before_a_table_is_made(
    name, remedy, monkeypatch
):
    monkeypatch.setattr(base, "available_memory", lambda: 2**30)
    refused = rf"--model_type {name}: its table for 9,000,000 items needs about ([\d,.]+) GiB of memory, and "
    with pytest.raises(InputError, match=refused + f"1.0 GiB are available; .*{remedy}") as error:
        counted(name, log([1, 2]), num_items=9_000_000)
    assert float(re.match(refused, str(error.value))[1].replace(",", "")) > 1
    counted(name, log([1, 2]), num_items=5)
