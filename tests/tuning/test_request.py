"""What is searched, as settings of trials, as JSON and as the command that trains a trial again."""

import json
import shlex
from pathlib import Path

import pytest

from remi_tf.commands import train
from remi_tf.errors import InputError
from remi_tf.settings.names import known_settings
from remi_tf.settings.presets import compose

GRID = {"num_interests": [2, 4, 6], "learning_rate": [0.1, 0.01]}


def test_a_trial_gives_what_is_fixed_and_what_is_searched_and_is_sa_unless_a_model_is_fixed(request_for):
    assert request_for(GRID).explicit({"num_interests": 2}) == {"model_type": "SA", "num_interests": 2}
    fixed = request_for(GRID, fixed={"model_type": "DR", "max_steps": 5})
    assert fixed.explicit({"num_interests": 2}) == {"model_type": "DR", "max_steps": 5, "num_interests": 2}


def test_a_trials_settings_are_those_that_it_gives_and_what_follows_from_remi_and_the_recipe(request_for):
    values = {"num_interests": 6, "learning_rate": 0.1}
    plain = request_for(GRID, fixed={"max_steps": 5}).compose(values)
    assert (plain.encoder.num_interests, plain.training.learning_rate, plain.training.max_steps) == (6, 0.1, 5)
    assert plain.objective.beta == 0
    remi = request_for(GRID, remi=True, recipe="paper").compose(values)
    assert remi.encoder.num_interests == 6 and remi.objective.beta > 0
    assert remi.objective.rr_lambda == 100  # as REMI's paper prints it


def test_a_trial_trains_without_a_boost_and_its_train_command_with_the_one_that_was_asked_for(request_for):
    remi = request_for({"beta": [1.0, 4.0]}, remi=True)
    assert remi.trained_with({"beta": 4.0}) == {"model_type": "SA", "beta": 4.0, "boost": "none"}
    assert "boost" not in remi.train_command({"beta": 4.0}, Path("run"))
    plain = request_for({"learning_rate": [0.1, 0.01]})
    assert plain.trained_with({"learning_rate": 0.1}) == {"model_type": "SA", "learning_rate": 0.1}
    counted = request_for({"shrink": [1.0, 2.0]}, fixed={"model_type": "ItemKNN"})
    assert counted.trained_with({"shrink": 1.0}) == {"model_type": "ItemKNN", "shrink": 1.0}


def test_a_setting_is_fixed_or_searched_but_not_both(request_for):
    with pytest.raises(InputError, match=r"^--learning_rate: my.json searches it too; leave out the flag"):
        request_for(GRID, fixed={"learning_rate": 0.5}).check("my.json")
    request_for(GRID, fixed={"max_steps": 5}).check("my.json")


def test_a_range_has_no_grid(request_for):
    space = {"num_interests": [2, 4], "learning_rate": {"low": 0.1, "high": 0.2}}
    with pytest.raises(InputError, match=r"^--search grid: my.json has a range for learning_rate; give a list"):
        request_for(space, search="grid").check("my.json")
    request_for(space, search="tpe").check("my.json")


def test_values_that_do_not_go_with_what_is_fixed_are_refused_before_the_search(request_for):
    with pytest.raises(InputError, match=r"^my.json: beta 2\.0: --beta 2\.0 with --sampler log_uniform"):
        request_for({"beta": [0, 2]}).check("my.json")
    request_for({"beta": [0, 2]}, fixed={"sampler": "uniform"}).check("my.json")


def test_a_grid_has_every_combination_once_in_an_order_of_the_seed(request_for):
    grids = [request_for(GRID, search_seed=seed).grid() for seed in range(4)]
    whole = [{"num_interests": k, "learning_rate": rate} for k in (2, 4, 6) for rate in (0.1, 0.01)]
    for grid in grids:
        assert len(grid) == 6 and all(values in grid for values in whole)
    assert request_for(GRID, search_seed=1).grid() == grids[1]
    assert len({str(grid) for grid in grids}) > 1


def test_study_json_says_what_decides_the_trials_and_not_where_the_data_lies(request_for):
    space = {"num_interests": [2, 4], "beta": {"low": 1, "high": 2}}
    request = request_for(space, fixed={"max_steps": 5, "sampler": "uniform"}, remi=True, search_seed=7)
    assert json.loads(json.dumps(request.to_json())) == {
        "dataset": {"name": "toy", "fingerprint": request.dataset.fingerprint},
        "fixed": {"max_steps": 5, "sampler": "uniform"},
        "space": {"num_interests": [2, 4], "beta": {"low": 1.0, "high": 2.0, "log": False}},
        **{"remi": True, "recipe": "default", "search": "tpe", "search_seed": 7, "pruning": "median"},
        "keep_runs": False,
    }


def read_back(line):
    """A train command as the command reads it: the flags that are no settings, and the settings."""
    words = shlex.split(line)
    settings = vars(train._parser().parse_args(words[words.index("--dataset") :]))
    return {name: settings.pop(name) for name in train.NOT_SETTINGS}, settings


def test_the_train_command_of_a_trial_is_read_back_as_its_settings(request_for):
    request = request_for(GRID, fixed={"weight_decay": 1e-06, "use_bias": True, "mask_accidental_hits": False})
    values = {"num_interests": 6, "learning_rate": 0.1 + 0.2}
    line = request.train_command(values, Path("runs/my best"))
    assert "--use_bias" in line.split() and "--no-mask_accidental_hits" in line.split()
    flags, settings = read_back(line)
    assert (flags["dataset"], flags["run_dir"], flags["remi"], flags["recipe"]) == (
        *("toy", Path("runs/my best")), False, None
    )  # fmt: skip
    assert settings == {
        **{"model_type": "SA", "weight_decay": 1e-06, "use_bias": True, "mask_accidental_hits": False},
        **{"num_interests": 6, "learning_rate": 0.30000000000000004},
    }


def test_remi_and_the_recipe_are_in_the_train_command_so_that_all_settings_follow_again(request_for):
    request = request_for(GRID, remi=True, recipe="paper", fixed={"model_type": "DR"})
    values = {"num_interests": 2, "learning_rate": 1e-05}
    flags, settings = read_back(request.train_command(values, Path("run")))
    assert compose("toy", flags["recipe"], flags["remi"], settings) == request.compose(values)


def test_every_setting_is_read_back_from_the_train_command_in_its_type(request_for):
    defaults = {name: known.field.default for name, known in known_settings().items()}
    for values in (defaults, {name: not value for name, value in defaults.items() if type(value) is bool}):
        given = {"model_type": "SA", **values}
        _, settings = read_back(request_for(GRID, fixed=given).train_command({}, Path("run")))
        assert settings == given
        assert {name: type(value) for name, value in settings.items()} == {n: type(v) for n, v in given.items()}
