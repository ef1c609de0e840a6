"""What may be searched, and every kind of space that is refused before anything trains."""

import json

import pytest

from remi_tf.errors import InputError
from remi_tf.settings.presets import compose
from remi_tf.tuning.space import Range, Values, check_space, combinations, grid_size, parse_space, read_space


def written(tmp_path, text):
    path = tmp_path / "settings.json"
    path.write_text(text if isinstance(text, str) else json.dumps(text))
    return path


def test_a_file_gives_lists_and_ranges_in_the_types_of_the_settings(tmp_path):
    path = written(tmp_path, '{"learning_rate": {"low": 1e-4, "high": 1, "log": true}, "num_interests": [2, 4]}')
    space = read_space(path)
    assert space == {"learning_rate": Range(1e-4, 1.0, True), "num_interests": Values((2, 4))}
    assert type(space["learning_rate"].high) is float
    assert parse_space("again", {name: choice.to_json() for name, choice in space.items()}) == space


REFUSED = [
    ("[1]", "no settings"),
    ("{}", "no settings"),
    ("{", "not JSON"),
    ('{"beta": [1], "beta": [2]}', "beta is there twice"),
    ({"lerning_rate": [0.1]}, "unknown setting 'lerning_rate'; did you mean 'learning_rate'?"),
    ({"beta": []}, "beta: an empty list; give the values to try"),
    ({"beta": 1}, "beta 1: neither a list of values nor a range"),
    ({"beta": [1, 1.0]}, "beta 1.0: there twice"),
    ({"num_interests": [2.0]}, "num_interests 2.0: must be a whole number"),
    ({"num_interests": [True]}, "num_interests True: must be a whole number"),
    ({"num_interests": [0]}, "num_interests 0: must be 1 or more"),
    ({"learning_rate": ["0.1"]}, "learning_rate '0.1': must be a number"),
    ('{"learning_rate": [NaN]}', "learning_rate nan: must be a number"),
    ({"learning_rate": [-1]}, "learning_rate -1: must be a finite number above 0"),
    ({"learning_rate": {"low": 0, "high": 1}}, "learning_rate 0: must be a finite number above 0"),
    ({"dropout": [1.0]}, "dropout 1.0: nothing would be left"),
    ({"use_bias": [1]}, "use_bias 1: must be true or false"),
    ({"sampler": ["uniform", "unifrom"]}, "sampler 'unifrom': choose one of uniform, log_uniform"),
    ({"sampler": {"low": 0, "high": 1}}, "sampler: it is no number, so it has no range; give a list"),
    ({"beta": {"low": 2, "high": 1}}, "beta: low 2.0 is not below high 1.0; swap them"),
    ({"beta": {"low": 1}}, "beta: high is missing"),
    ({"beta": {"low": 1, "high": 2, "step": 1}}, "beta: unknown key 'step'"),
    ({"beta": {"low": 1, "high": 2, "log": "yes"}}, "beta: log 'yes'; give true or false"),
    ({"beta": {"low": 0, "high": 2, "log": True}}, "beta: low 0.0 with log; give a low above 0"),
    ({"eval_users": [10, 20]}, "eval_users cannot be searched: it changes on whom a trial is scored"),
    ({"seed": [1, 2]}, "seed cannot be searched"),
    ({"select": ["recall@20", "ndcg@20"]}, "select cannot be searched: it changes how a trial is scored"),
    ({"exclude_history": ["yes", "no"]}, "exclude_history cannot be searched"),
    ({"boost_weight": [1, 2]}, "boost_weight cannot be searched: trials are scored without a boost"),
]


@pytest.mark.parametrize(("content", "message"), REFUSED)
def test_a_wrong_space_is_refused_with_file_setting_value_and_remedy(tmp_path, content, message):
    path = written(tmp_path, content)
    with pytest.raises(InputError) as refused:
        read_space(path)
    assert str(refused.value).startswith(f"{path}: ") and message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nowhere.json: cannot be read .*name a JSON file"):
        read_space(tmp_path / "nowhere.json")


def test_a_grid_has_all_combinations_and_a_range_has_no_grid():
    space = parse_space("here", {"num_interests": [2, 4], "beta": [0, 1, 2]})
    assert grid_size(space) == 6
    found = [(values["num_interests"], values["beta"]) for values in combinations(space)]
    assert found == [(2, 0.0), (2, 1.0), (2, 2.0), (4, 0.0), (4, 1.0), (4, 2.0)]
    assert grid_size(parse_space("here", {"beta": {"low": 0, "high": 1}})) is None


def sa(values):
    return compose("shop", "default", False, {"model_type": "SA", **values})


def test_values_that_settings_refuse_together_are_named_without_the_others():
    content = {"batch_size": [64, 128], "beta": [0, 1], "learning_rate": [0.1, 0.01]}
    with pytest.raises(InputError, match=r"^here: beta 1\.0: --beta 1\.0 with --sampler log_uniform.*use --sampler"):
        check_space("here", parse_space("here", content), sa)
    with pytest.raises(InputError, match=r"^here: num_interests 1, rep_lambda 0\.1: --rep_lambda 0\.1: it sets"):
        check_space("here", parse_space("here", {"num_interests": [2, 1], "rep_lambda": [0, 0.1]}), sa)
    check_space("here", parse_space("here", {"num_interests": [2, 1], "batch_size": [8, 16]}), sa)


def test_both_ends_of_a_range_are_checked():
    with pytest.raises(InputError, match=r"^here: beta 1\.0: "):
        check_space("here", parse_space("here", {"beta": {"low": 0, "high": 1}}), sa)


def test_in_a_space_of_very_many_combinations_each_value_is_still_checked():
    large = {"batch_size": list(range(1, 60)), "max_history": list(range(1, 60)), "beta": [0, 1]}
    with pytest.raises(InputError, match=r"^here: beta 1\.0: "):
        check_space("here", parse_space("here", large), sa)


def test_an_error_that_no_searched_value_causes_does_not_blame_the_space():
    def never(values):
        raise InputError("--model_type X: no such model")

    with pytest.raises(InputError, match=r"^--model_type X: no such model$"):
        check_space("here", parse_space("here", {"beta": [0, 1]}), never)
