"""Settings: precedence, the way to JSON and back, and what is refused."""

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from remi_tf.cli import Parser, add_settings, number_list
from remi_tf.config import GROUP_OF, GROUPS, Settings
from remi_tf.errors import InputError
from remi_tf.presets import DATASET_PRESETS, PROFILES, resolve

ROOT = Path(__file__).resolve().parents[1]


def parse(*arguments: str) -> dict:
    parser = Parser()
    add_settings(parser)
    return vars(parser.parse_args(list(arguments)))


def test_settings_survive_the_way_to_json_and_back():
    settings = resolve("gowalla", "released", True, {"model_type": "SA", "seed": 7})
    assert Settings.from_json(json.loads(json.dumps(settings.to_json()))) == settings


def test_a_setting_has_one_group():
    names = [field.name for group in GROUPS.values() for field in dataclasses.fields(group)]
    assert len(names) == len(set(names)) == len(GROUP_OF)


def test_profiles_and_presets_name_only_settings_there_are():
    for values in (*PROFILES.values(), *DATASET_PRESETS.values()):
        Settings().replace(**values)


def test_a_flag_beats_remi_which_beats_the_preset_which_beats_the_default():
    assert resolve("book", "default", False, {"model_type": "SA"}).objective.sampler == "log_uniform"
    assert resolve("book", "default", True, {"model_type": "SA"}).objective.sampler == "uniform"
    assert resolve("gowalla", "default", False, {"model_type": "SA"}).encoder.max_history == 40
    assert resolve("gowalla", "default", False, {"model_type": "SA", "max_history": 9}).encoder.max_history == 9
    assert resolve("book", "default", True, {"model_type": "SA", "beta": 4.0}).objective.beta == 4.0


def test_remi_as_released_differs_from_the_default_in_what_differences_md_lists():
    ours = resolve("book", "default", True, {"model_type": "SA"}).flat()
    released = resolve("book", "released", True, {"model_type": "SA"}).flat()
    different = {name for name in ours if ours[name] != released[name]}
    documented = set(re.findall(r"`(\w+)`", (ROOT / "DIFFERENCES.md").read_text(encoding="utf-8")))
    assert different and different <= documented


def test_a_small_catalogue_halves_the_default_of_distinct_negatives_but_never_a_flag():
    assert resolve("shop", "default", False, {"model_type": "SA"}, 100).objective.num_negatives == 50
    assert resolve("shop", "default", True, {"model_type": "SA"}, 100).objective.num_negatives == 1280
    flags = {"model_type": "SA", "num_negatives": 90}
    assert resolve("shop", "default", False, flags, 100).objective.num_negatives == 90


def test_the_original_spelling_of_a_model_is_understood():
    assert resolve("book", "default", False, {"model_type": "ComiRec-SA"}).encoder.model_type == "SA"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"temperature": 1}, "unknown setting 'temperature'"),
        ({"num_interests": 0}, "--num_interests 0: must be a positive number"),
        ({"learning_rate": float("inf")}, "--learning_rate inf"),
        ({"beta": -1.0, "sampler": "uniform"}, "--beta -1.0: must be a finite number of at least 0"),
        ({"beta": 1.0}, "use --sampler uniform or --beta 0"),
        ({"sampler": "popular"}, "choose one of uniform, log_uniform, full"),
    ],
)
def test_values_without_meaning_are_refused_with_the_remedy(values, message):
    with pytest.raises(InputError, match=re.escape(message)):
        Settings().replace(**values)


def test_only_flags_that_were_given_arrive():
    assert parse("--beta", "4", "--no-stop_gradient_weights") == {"beta": 4.0, "stop_gradient_weights": False}


def test_help_states_every_default():
    text = subprocess.run([sys.executable, str(ROOT / "train.py"), "--help"], capture_output=True, text=True).stdout
    for group in GROUPS.values():
        for field in dataclasses.fields(group):
            assert f"--{field.name}" in text
    assert text.count("(default:") >= len(GROUP_OF)


def test_a_mistyped_flag_is_answered_with_the_nearest_one_also_when_another_is_missing():
    parser = Parser()
    parser.add_argument("--history", required=True)
    with pytest.raises(InputError, match=r"unknown flag --histroy; did you mean --history\?"):
        parser.parse_args(["--histroy", "a"])
    with pytest.raises(InputError, match="required: --history"):
        parser.parse_args([])
    assert parser.parse_args(["--history=-5,-6"]).history == "-5,-6"


def test_abbreviated_flags_are_not_guessed():
    with pytest.raises(InputError, match="--learning_rate"):
        parse("--learning", "1")


def test_number_list():
    assert number_list("50,20,20") == (20, 50)
    for wrong in ("", "a", "0", "5,-1", "2.5"):
        with pytest.raises(Exception, match="positive whole numbers"):
            number_list(wrong)
