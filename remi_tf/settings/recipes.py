"""The recipes: how --remi, the papers and their releases train. presets.py says which set of settings wins."""

from collections.abc import Mapping
from typing import Any

from remi_tf.errors import InputError
from remi_tf.settings.encoders import ENCODERS

# What --remi sets: the paper's weighting and regulariser. The regulariser's weight is as printed or, under the default
# recipe, among what was best on validation users (docs/RESULTS.md, "What each part of --remi brings").
REMI: dict[str, Any] = {"sampler": "uniform", "beta": 1.0}
REMI_AS_PRINTED: dict[str, Any] = {"rr_lambda": 100.0}
REMI_EXTRAS: dict[str, Any] = {
    "rr_lambda": 5.0,
    "readout": "per_candidate",
    "average_steps": 1000,
    "init": "spectral",
    "learning_rate": 1e-3,
    "targets": "future",
    "positions": "newest",
    "history_dropout": 0.3,
    "value_width": 3,
    "value_dropout": 0.5,
    "rep_lambda": 0.05,
    "rep_form": "squared_cosine",
    "boost": "counted",
}

# What the default recipe adds for models that give the user's vector after each item: best on validation users
# (docs/RESULTS.md, "Training on every position").
SEQUENCE_EXTRAS: dict[str, Any] = {"targets": "every"}

# What the default recipe adds where the dataset has features of items (docs/RESULTS.md, "What features bring").
WITH_FEATURES: dict[str, Any] = {"item_tower": "mlp"}

# How the papers train. On validation users, the defaults' own values were better for most models (docs/RESULTS.md, "The
# default training").
PAPER_TRAINING: dict[str, Any] = {"first_target": 4, "learning_rate": 1e-3, "exclude_history": "no"}

RECIPES: dict[str, dict[str, Any]] = {
    "default": {},
    # REMI's Algorithm 1 as printed: uniform negatives, hits among them included; the gradient passes the weights of
    # IHN; Adam moves every row. Where the text is silent the default stays. --remi adds REMI_AS_PRINTED.
    "paper": {
        **PAPER_TRAINING,
        "sampler": "uniform",
        "stop_gradient_weights": False,
        "mask_accidental_hits": False,
        "optimizer": "adam",
    },
    # REMI's PyTorch release, with its baselines (DIFFERENCES.md has a row for each setting).
    "released": {
        **PAPER_TRAINING,
        "sampler": "uniform",
        "stop_gradient_weights": False,
        "mask_accidental_hits": False,
        "padding_is_negative": True,
        "rr_reduction": "sum",
        "optimizer": "adam",
        "mask_padding": False,
        "routing_softmax": "sequence",
        "map_fan_in": "tensor",
    },
    # ComiRec's TensorFlow release, for the models that it has (COMIREC_MODELS).
    "comirec": {
        **PAPER_TRAINING,
        "sampler": "log_uniform",
        "padding_is_negative": True,
        "optimizer": "adam",
        "initializer": "glorot",
        "use_bias": True,
        "routing_start": "truncated",
        "map_fan_in": "unit",
        "gru_projection": False,
    },
}

# The models of ComiRec's TensorFlow release, with what differs from the encoder's own default.
COMIREC_MODELS: dict[str, dict[str, Any]] = {
    "SA": {},
    "DR": {},  # its README recommends 0.005, the encoder's default
    "MIND": {"learning_rate": 1e-3},
    "DNN": {},
    "GRU4REC": {"dropout": 0.0},
    "Pop": {},
}

# MTMI's loss as printed, with each of the two sets of values that its paper has: those "by grid search", and the best
# of its study. They are recipes of MTMI's models only, and hold on every dataset.
_AS_PRINTED: dict[str, Any] = {"loss": "idw", "idw_form": "printed", "sampler": "uniform", "num_negatives": 120}
MTMI_RECIPES: dict[str, dict[str, Any]] = {
    "mtmi": {**_AS_PRINTED, "idw_alpha": 5.5, "idw_repel": 6.0, "num_interests": 8, "max_history": 20},
    "mtmi_study": {**_AS_PRINTED, "idw_alpha": 2.0, "idw_repel": 1000.0, "num_interests": 4, "max_history": 20},
}
RECIPE_NAMES = (*RECIPES, *MTMI_RECIPES)


def of_recipe(recipe: str, model_type: str, remi: bool, explicit: Mapping[str, Any]) -> dict[str, Any]:
    """What a recipe sets over the encoders' defaults and the presets.

    Raises:
      InputError: it is not a recipe of this model.
    """
    if recipe == "comirec":
        if remi:
            raise InputError(
                "--recipe comirec: ComiRec's release has no REMI; leave out --remi, or take --recipe paper or released"
            )
        if model_type not in COMIREC_MODELS:
            raise InputError(
                f"--recipe comirec: ComiRec's release has no {model_type}; take one of {', '.join(COMIREC_MODELS)}, or "
                "another recipe"
            )
        return COMIREC_MODELS[model_type]
    if recipe in MTMI_RECIPES:
        _check_mtmi(recipe, model_type, explicit)
    return MTMI_RECIPES.get(recipe, {})


def _check_mtmi(recipe: str, model_type: str, explicit: Mapping[str, Any]) -> None:
    """Refuse a recipe of MTMI where its loss is not trained."""
    models = [name for name, entry in ENCODERS.items() if entry.defaults.get("loss") == "idw"]
    if model_type not in models:
        raise InputError(
            f"--recipe {recipe}: it has MTMI's loss and its values, and --model_type is {model_type}; take one of "
            f"{', '.join(models)}, or another recipe"
        )
    if explicit.get("loss", "idw") != "idw":
        raise InputError(f"--recipe {recipe} sets --loss idw, and --loss is {explicit['loss']}; leave out one of them")
