"""Spaces by name: each one fits the models it is for."""

import json

import pytest

from remi_tf.errors import InputError
from remi_tf.settings.encoders import ENCODERS
from remi_tf.settings.presets import compose
from remi_tf.tuning.named_spaces import find_space
from remi_tf.tuning.space import check_space, combinations


def test_the_papers_spaces_have_the_papers_values():
    assert [values["num_interests"] for values in combinations(find_space("interests", "SA", False))] == [2, 4, 6, 8]
    grid = {
        (each["learning_rate"], each["weight_decay"]) for each in combinations(find_space("mind_re4", "MIND", False))
    }
    assert grid == {(rate, decay) for rate in (0.001, 0.003, 0.005) for decay in (1e-6, 1e-5)}
    assert [values["beta"] for values in combinations(find_space("beta", "SA", True))] == [0.1, 1, 4, 10]


TRAINED = [(name, False) for name, entry in ENCODERS.items() if not entry.counted]
WITH_REMI = [(name, True) for name in ("SA", "PIMI", "MIND", "DR", "Re4", "UMI", "Que2Search")]


@pytest.mark.parametrize("recipe", ["default", "paper", "released"])
@pytest.mark.parametrize(("model_type", "remi"), TRAINED + WITH_REMI)
def test_the_default_space_fits_every_trained_model(model_type, remi, recipe):
    space = find_space("default", model_type, remi)
    assert "learning_rate" in space and ("beta" in space) == remi
    check_space("here", space, lambda values: compose("shop", recipe, remi, {"model_type": model_type, **values}))


def test_papers_names_of_models_have_a_default_space_too():
    assert {"beta", "history_dropout"} <= set(find_space("default", "REMI", False))
    with pytest.raises(InputError, match="--space default: Pop is counted, and train chooses its options"):
        find_space("default", "MostPopular", False)


def test_anything_else_is_the_path_of_a_file(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"beta": [1, 2]}))
    assert list(find_space(str(path), "SA", True)) == ["beta"]
    with pytest.raises(InputError, match=r"--space interest: no such file.*name a JSON file, or default, interests"):
        find_space("interest", "SA", False)
