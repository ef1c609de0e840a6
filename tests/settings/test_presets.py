"""Recipes, presets and the papers' names: which of them wins, and what each one means."""

import re
from pathlib import Path

import pytest

from remi_tf.errors import InputError
from remi_tf.settings.encoders import ENCODERS
from remi_tf.settings.names import known_settings
from remi_tf.settings.presets import DATASET_PRESETS, MODEL_ALIASES, MODEL_PRESETS, compose, run_name
from remi_tf.settings.recipes import RECIPES, SEQUENCE_EXTRAS
from tests.flags import parse

ROOT = Path(__file__).resolve().parents[2]
OF_COMIREC = ("SA", "DR", "MIND", "DNN", "GRU4REC", "Pop")  # the models of its TensorFlow release


def test_recipes_and_presets_name_only_settings_there_are():
    for values in (*RECIPES.values(), *DATASET_PRESETS.values()):
        assert set(values) <= set(known_settings())
    for recipe in RECIPES:
        compose("shop", recipe, False, {"model_type": "DR"})
    for model_type, dataset in MODEL_PRESETS:
        assert dataset in DATASET_PRESETS
        compose(dataset, "default", False, {"model_type": model_type})


@pytest.mark.parametrize("recipe", sorted(RECIPES))
@pytest.mark.parametrize("name", [*ENCODERS, *MODEL_ALIASES])
def test_every_model_of_the_papers_resolves_by_its_name_alone(name, recipe):
    model_type = MODEL_ALIASES.get(name, {"model_type": name})["model_type"]
    if recipe == "comirec" and (name == "REMI" or model_type not in OF_COMIREC):
        with pytest.raises(InputError, match=r"ComiRec's release has no \w+"):
            compose("book", recipe, False, {"model_type": name})
        return
    settings = compose("book", recipe, False, {"model_type": name})
    assert settings.encoder.model_type in ENCODERS
    assert (settings.encoder.num_interests == 1) == ENCODERS[settings.encoder.model_type].single


def test_names_from_the_papers_mean_a_model_with_a_training_scheme():
    remi = compose("book", "default", True, {"model_type": "SA"})
    assert compose("book", "default", False, {"model_type": "REMI"}) == remi
    assert compose("book", "default", False, {"model_type": "UMI_HN"}).objective.readout == "per_candidate"
    assert compose("book", "default", False, {"model_type": "BaM"}).objective.readout == "sampled"


def test_remi_with_one_interest_sets_nothing_apart():
    one = compose("book", "default", True, {"model_type": "SA", "num_interests": 1}).objective
    assert one.rep_lambda == 0 and one.readout == "hard" and one.rr_lambda > 0
    assert compose("book", "default", True, {"model_type": "Que2Search"}).objective.rep_lambda == 0


@pytest.mark.parametrize("model_type", [name for name, entry in ENCODERS.items() if entry.states])
def test_models_that_read_item_by_item_learn_every_position_but_not_under_the_papers_recipes(model_type):
    def flat(recipe: str, **explicit) -> dict:
        return compose("book", recipe, False, {"model_type": model_type, **explicit}).flat()

    assert {name: flat("default")[name] for name in SEQUENCE_EXTRAS} == SEQUENCE_EXTRAS
    assert [flat(recipe)["targets"] for recipe in ("default", "paper", "released")] == ["every", "last", "last"]
    for targets in ("last", "future"):
        assert flat("default", targets=targets)["targets"] == targets
    assert flat("default", loss="bce", sampler="uniform")["loss"] == "bce"


def test_remi_and_its_plain_model_share_the_first_target_and_the_papers_learning_rate():
    for recipe in ("default", "paper", "released"):
        plain, remi = (compose("book", recipe, asked, {"model_type": "SA"}).training for asked in (False, True))
        # REMI and ComiRec: a user's first four items are never targets, Adam at 0.001
        assert plain.first_target == remi.first_target == (1 if recipe == "default" else 4)
        assert remi.learning_rate == 0.001 and plain.learning_rate == (0.003 if recipe == "default" else 0.001)
        for asked in (False, True):
            mind = compose("book", recipe, asked, {"model_type": "MIND"}).training
            assert mind.learning_rate == 0.005 and mind.first_target == plain.first_target  # the encoder's own


def test_the_commands_of_readmes_model_table_write_into_folders_of_their_own():
    commands = re.findall(r"`python train.py (--dataset book [^`]+)`", (ROOT / "README.md").read_text(encoding="utf-8"))
    names = []
    for command in dict.fromkeys(commands):
        arguments = [word for word in command.split() if word != "--remi"]
        dataset = arguments[arguments.index("--dataset") + 1]
        flags = parse(*[word for word in arguments if word not in ("--dataset", dataset)])
        names.append(run_name(dataset, "default", "--remi" in command, flags))
    assert len(names) > 15 and len(set(names)) == len(names)


def test_a_flag_beats_remi_which_beats_the_preset_which_beats_the_default():
    assert compose("book", "default", False, {"model_type": "SA"}).objective.sampler == "log_uniform"
    assert compose("book", "default", True, {"model_type": "SA"}).objective.sampler == "uniform"
    assert compose("gowalla", "default", False, {"model_type": "SA"}).encoder.max_history == 40
    assert compose("gowalla", "default", False, {"model_type": "SA", "max_history": 9}).encoder.max_history == 9
    assert compose("book", "default", True, {"model_type": "SA", "beta": 4.0}).objective.beta == 4.0


def test_models_have_their_releases_values_on_their_releases_datasets():
    def flat(model_type: str, dataset: str) -> dict:
        return compose(dataset, "default", False, {"model_type": model_type}).flat()

    assert flat("PIMI", "taobao")["time_threshold"] == 7 and flat("PIMI", "book")["time_threshold"] == 64
    assert [flat("PIMI", dataset)["patience"] for dataset in ("book", "taobao", "gowalla")] == [70, 70, 50]
    assert flat("MIND", "book")["relu_layer"] and not flat("MIND", "gowalla")["relu_layer"]
    assert flat("Re4", "book")["num_interests"] == 8 and flat("Re4", "gowalla")["num_interests"] == 4


def test_logs_of_amazon_2023_have_the_protocol_of_bams_table():
    def flat(name: str, recipe: str = "default") -> dict:
        return compose(name, recipe, False, {"model_type": "SA"}).flat()

    for recipe in ("default", "paper"):
        ours = flat("amazon-2023-Movies_and_TV", recipe)
        assert (ours["select"], ours["max_history"], ours["patience"]) == ("recall@10", 50, 15)
        assert ours["exclude_history"] == "yes" and ours["first_target"] == 1
    assert flat("amazon-books")["select"] == "recall@50"


def test_a_small_catalogue_halves_the_default_of_distinct_negatives_but_never_a_flag():
    assert compose("shop", "default", False, {"model_type": "SA"}, 100).objective.num_negatives == 50
    assert compose("shop", "default", True, {"model_type": "SA"}, 100).objective.num_negatives == 1280
    flags = {"model_type": "SA", "num_negatives": 90}
    assert compose("shop", "default", False, flags, 100).objective.num_negatives == 90


def test_the_original_spelling_of_a_model_is_understood():
    assert compose("book", "default", False, {"model_type": "ComiRec-SA"}).encoder.model_type == "SA"


@pytest.mark.parametrize("name", ["MTMI-DNN", "GRU4REC"])
def test_the_remedy_for_remi_without_routing_works(name):
    with pytest.raises(InputError, match="REMI's weighting of negatives without it is") as refusal:
        compose("book", "default", True, parse("--model_type", name))
    remedy = str(refusal.value).rpartition("without it is ")[2].split()
    assert compose("book", "default", False, parse("--model_type", name, *remedy)).objective.beta == 1
