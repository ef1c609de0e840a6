"""Settings: precedence, the way to JSON and back, and what is refused."""

import json
import re
from pathlib import Path

import pytest

from remi_tf.errors import InputError
from remi_tf.settings.presets import (
    compose,
)
from remi_tf.settings.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


def test_settings_survive_the_way_to_json_and_back():
    settings = compose("gowalla", "released", True, {"model_type": "SA", "seed": 7})
    assert Settings.from_json(json.loads(json.dumps(settings.to_json()))) == settings


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"temperature": 1}, "unknown setting 'temperature'"),
        ({"num_interests": 0}, "--num_interests 0: must be 1 or more"),
        ({"patience": -1}, "--patience -1: must be 0 or more"),
        ({"batch_size": 128.5}, "--batch_size 128.5: must be a whole number"),
        ({"batch_size": "128"}, "--batch_size '128': must be a whole number"),
        ({"beta": "1"}, "--beta '1': must be a finite number of at least 0"),
        ({"learning_rate": 0}, "--learning_rate 0: must be a finite number above 0; the default is 0.003"),
        ({"learning_rate": -1.0}, "--learning_rate -1.0: must be a finite number above 0"),
        ({"sampler": "in_batch", "batch_size": 1}, "no other target in the batch"),
        ({"learning_rate": float("inf")}, "--learning_rate inf"),
        ({"beta": -1.0, "sampler": "uniform"}, "--beta -1.0: must be a finite number of at least 0"),
        ({"beta": 1.0}, "use --sampler uniform or --beta 0"),
        ({"sampler": "popular"}, "choose one of uniform, log_uniform, full"),
        ({"model_type": "SASRec", "dropout": 1.0}, "nothing would be left"),
        ({"model_type": "PIMI", "num_heads": 3}, "take a number that divides it"),
        ({"routing_iterations": 2}, "read only with --model_type"),
        ({"label_attention": "power", "label_power": 2.0}, "an even power loses the sign"),
        ({"sampler": "mns", "num_negatives": 100}, "take more negatives than --batch_size"),
        ({"loss": "idw"}, "add --sampler uniform"),
        ({"model_type": "DNN", "num_interests": 1, "re4_attend": 0.1}, "has no routing matrix to work on"),
    ],
)
def test_values_without_meaning_are_refused_with_the_remedy(values, message):
    with pytest.raises(InputError, match=re.escape(message)):
        Settings().replace(**values)
