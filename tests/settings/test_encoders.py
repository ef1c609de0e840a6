"""The list of encoders and the options of each."""

import ast
import dataclasses
from pathlib import Path

import pytest

from remi_tf.errors import InputError
from remi_tf.settings.encoders import ENCODERS, EncoderSettings, encoder_settings, needs
from remi_tf.settings.names import known_settings

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", ENCODERS)
def test_every_entry_names_a_class_that_is_there(name):
    module, cls = ENCODERS[name].path.split(":")
    tree = ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8"))
    assert cls in [node.name for node in tree.body if isinstance(node, ast.ClassDef)]


@pytest.mark.parametrize("name", ENCODERS)
def test_an_entrys_defaults_are_values_that_its_settings_take(name):
    entry = ENCODERS[name]
    options = {each.name for each in dataclasses.fields(entry.settings)}
    made = encoder_settings(name)
    for setting, value in entry.defaults.items():
        assert known_settings()[setting].group != "encoder" or setting in options
        assert setting not in options or getattr(made, setting) == value


@pytest.mark.parametrize("name", ENCODERS)
def test_one_vector_a_user_means_one_interest_and_several_mean_more(name):
    assert (encoder_settings(name).num_interests == 1) == ENCODERS[name].single
    if ENCODERS[name].single:
        with pytest.raises(InputError, match=f"{name} gives one vector a user"):
            encoder_settings(name, num_interests=2)


def test_an_option_of_another_encoder_is_refused_with_those_there_are():
    with pytest.raises(InputError, match=r"--num_blocks: SA has no such option; it has .*use_bias"):
        encoder_settings("SA", num_blocks=2)
    with pytest.raises(InputError, match=r"'Transformer4': choose one of Pop, ItemKNN"):
        encoder_settings("Transformer4")


def test_settings_of_one_encoder_cannot_pass_for_anothers():
    with pytest.raises(InputError, match=r"--model_type SASRec: its settings are SASRecSettings"):
        EncoderSettings("SASRec")


def test_routing_of_capsules_is_fixed_where_nothing_can_be_chosen():
    assert encoder_settings("DR").fixed_routing() is None
    assert "take 2 rounds" in encoder_settings("DR", routing_iterations=1).fixed_routing()
    assert "nothing to choose" in encoder_settings("MIND", num_interests=1).fixed_routing()
    assert encoder_settings("MIND", num_interests=1, routing_softmax="sequence").fixed_routing() is None


def test_what_a_model_reads_next_to_the_history_depends_on_its_settings():
    assert needs(encoder_settings("SA")) == () and needs(encoder_settings("PIMI")) == ("days",)
    assert needs(encoder_settings("SA", read_profile="concat")) == ("profile",)
    assert needs(encoder_settings("PIMI", read_profile="concat")) == ("days", "profile")
    assert needs(encoder_settings("UMI")) == needs(encoder_settings("UMI", read_profile="concat")) == ("profile",)
