"""The recipes: what each one sets."""

import re
from pathlib import Path

import pytest

from remi_tf.errors import InputError
from remi_tf.settings.presets import compose
from remi_tf.settings.recipes import REMI_EXTRAS

ROOT = Path(__file__).resolve().parents[2]
# What REMI's algorithm 1 says of the training.
ALGORITHM_1 = {"sampler": "uniform", "optimizer": "adam", "mask_accidental_hits": False, "stop_gradient_weights": False}


@pytest.mark.parametrize("asked", [False, True])
def test_the_recipe_paper_is_algorithm_1_of_remi(asked):
    flat = compose("book", "paper", asked, {"model_type": "SA"}).flat()
    assert {name: flat[name] for name in ALGORITHM_1} == ALGORITHM_1
    assert (flat["learning_rate"], flat["padding_is_negative"], flat["readout"]) == (0.001, False, "hard")


def test_the_recipe_comirec_has_tensorflows_starts_biases_and_sampler_where_remis_release_has_pytorchs():
    sa = compose("book", "comirec", False, {"model_type": "SA"}).flat()
    assert (sa["sampler"], sa["padding_is_negative"], sa["mask_accidental_hits"]) == ("log_uniform", True, True)
    assert (sa["use_bias"], sa["initializer"], sa["optimizer"]) == (True, "glorot", "adam")
    dr, mind, gru = (
        compose("book", "comirec", False, {"model_type": name}).flat() for name in ("DR", "MIND", "GRU4REC")
    )
    assert dr["map_fan_in"] == "unit" and dr["routing_softmax"] == mind["routing_softmax"] == "interests"
    assert mind["routing_start"] == "truncated" and (dr["learning_rate"], mind["learning_rate"]) == (0.005, 0.001)
    assert not gru["gru_projection"] and gru["dropout"] == 0
    assert (
        compose("taobao", "comirec", False, {"model_type": "SA"}).objective.num_negatives == 2560
    )  # 10 times the batch


def test_the_recipes_of_mtmi_are_its_printed_loss_with_each_of_the_papers_two_sets_of_values_on_every_dataset():
    def flat(recipe: str, dataset: str = "ml-100k", **explicit) -> dict:
        return compose(dataset, recipe, False, {"model_type": "MTMI-DNN", **explicit}).flat()

    names = ("idw_form", "idw_alpha", "idw_repel", "num_interests", "num_negatives")
    for dataset in ("ml-100k", "book", "taobao"):
        assert [flat("mtmi", dataset)[name] for name in names] == ["printed", 5.5, 6, 8, 120]
        assert [flat("mtmi_study", dataset)[name] for name in names] == ["printed", 2, 1000, 4, 120]
    assert flat("mtmi")["first_target"] == 4 and flat("mtmi")["max_history"] == 20  # not the preset's
    assert flat("mtmi", idw_alpha=1.0)["idw_alpha"] == 1 and flat("mtmi", num_negatives=60)["num_negatives"] == 60
    one = flat("mtmi", num_interests=1)
    assert (one["idw_form"], one["num_negatives"]) == ("normalised", 120)
    assert compose("book", "mtmi", False, {"model_type": "MTMI-GRU"}).encoder.dropout == 0.2


@pytest.mark.parametrize(
    ("explicit", "message"),
    [
        ({"model_type": "SA"}, "--model_type is SA; take one of MTMI-DNN, MTMI-GRU, MTMI-Q2S, or another recipe"),
        ({"model_type": "Pop"}, "--model_type is Pop; take one of MTMI-DNN"),
        ({"model_type": "MTMI-Q2S", "loss": "softmax"}, "--recipe mtmi sets --loss idw, and --loss is softmax"),
    ],
)
def test_a_recipe_of_mtmi_is_refused_where_its_loss_is_not_trained(explicit, message):
    with pytest.raises(InputError, match=message):
        compose("book", "mtmi", False, explicit)


def test_a_recipe_that_is_not_there_is_answered_with_those_that_are():
    with pytest.raises(InputError, match="choose one of default, paper, released, comirec, mtmi, mtmi_study"):
        compose("book", "best", False, {"model_type": "SA"})


def test_remi_as_released_differs_from_the_default_in_what_differences_md_lists():
    ours = compose("book", "default", True, {"model_type": "SA"}).flat()
    released = compose("book", "released", True, {"model_type": "SA"}).flat()
    different = {name for name in ours if ours[name] != released[name]}
    documented = set(re.findall(r"`(\w+)`", (ROOT / "DIFFERENCES.md").read_text(encoding="utf-8")))
    assert different and different <= documented


def test_remi_brings_the_recipe_that_was_best_unless_as_released_or_told_otherwise():
    sa = {"model_type": "SA"}
    ours, released = (compose("book", recipe, True, sa).flat() for recipe in ("default", "released"))
    assert {name: ours[name] for name in REMI_EXTRAS} == REMI_EXTRAS
    paper = compose("book", "paper", True, sa).flat()
    different = {name for name in ours if ours[name] != paper[name]}
    of_training = {"first_target", "exclude_history", *ALGORITHM_1} - {"sampler"}  # --remi has uniform negatives too
    assert different == {*REMI_EXTRAS, *of_training} - {"learning_rate"} and paper["rr_lambda"] == 100
    plain = compose("book", "released", False, sa).flat()
    assert {name for name in plain if plain[name] != released[name]} == {"beta", "rr_lambda"}
    assert compose("book", "released", False, {"model_type": "REMI"}).flat() == released
    assert compose("book", "default", True, {**sa, "readout": "hard"}).objective.readout == "hard"
    assert compose("book", "default", True, {"model_type": "BaM"}).objective.readout == "sampled"


@pytest.mark.parametrize("model_type", ["SA", "REMI"])
def test_the_recipe_comirec_has_no_remi(model_type):
    with pytest.raises(InputError, match="--recipe comirec: ComiRec's release has no REMI; leave out --remi"):
        compose("book", "comirec", True, {"model_type": model_type})
