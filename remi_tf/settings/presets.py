"""Named sets of settings: presets of datasets and models, names from the papers, and how they join recipes.py.

A setting takes its value from the first of these that has one:
  1. the flag as given
  2. what `--remi` (REMI) or a paper's name sets
  3. what a recipe of MTMI or of ComiRec sets for its models (MTMI_RECIPES, COMIREC_MODELS)
  4. the preset of model and dataset
  5. the preset of the dataset or of its family (after the next one for a counted model)
  6. the encoder's own default (encoders.py)
  7. what `--remi` (REMI_EXTRAS or REMI_AS_PRINTED), models that read item by item (SEQUENCE_EXTRAS) and features of
     items (WITH_FEATURES) add
  8. the recipe (one of MTMI's: PAPER_TRAINING)
  9. the default in objective.py, training.py, boost.py, items.py or encoders.py
"""

import difflib
from collections.abc import Mapping
from typing import Any

from remi_tf.errors import InputError
from remi_tf.settings.checks import OF_SEVERAL_TOWERS
from remi_tf.settings.encoders import ENCODERS
from remi_tf.settings.names import known_settings
from remi_tf.settings.recipes import (
    PAPER_TRAINING,
    RECIPE_NAMES,
    RECIPES,
    REMI,
    REMI_AS_PRINTED,
    REMI_EXTRAS,
    SEQUENCE_EXTRAS,
    WITH_FEATURES,
    of_recipe,
)
from remi_tf.settings.settings import Settings

# What is read only if a user has several interests.
SEVERAL = ("readout", "rep_lambda", "rep_form", *OF_SEVERAL_TOWERS)

# The papers' values for the papers' datasets (REMI, ComiRec), and ours for the small public logs.
DATASET_PRESETS: dict[str, dict[str, Any]] = {
    "book": {},
    "gowalla": {"max_history": 40},
    "rocket": {"eval_every": 200},
    "taobao": {"max_history": 50, "eval_every": 500, "batch_size": 256, "num_negatives": 2560},
    "ml-100k": {"max_history": 40, "eval_every": 200, "patience": 20, "num_negatives": 256},
    "ml-1m": {"max_history": 40},
    "synthetic": {"max_steps": 3000, "eval_every": 500, "num_negatives": 256},
}

# The same for all datasets whose names begin alike. Amazon Reviews 2023: the protocol of BaM's table 2, whose targets
# are single items (leave one out).
DATASET_FAMILIES: dict[str, dict[str, Any]] = {
    "amazon-2023-": {
        "max_history": 50,
        "eval_every": 1000,
        "eval_users": 1000,
        "patience": 15,
        "select": "recall@10",
        "first_target": 1,
        "exclude_history": "yes",
    },
}

# The papers' values for one model on one dataset.
MODEL_PRESETS: dict[tuple[str, str], dict[str, Any]] = {
    ("MIND", "book"): {"relu_layer": True},
    ("PIMI", "book"): {"patience": 70},
    ("PIMI", "taobao"): {"patience": 70, "time_threshold": 7},
    ("Re4", "book"): {
        "num_interests": 8,
        "batch_size": 1024,
        "num_negatives": 5000,
        "learning_rate": 3e-3,
        "weight_decay": 1e-6,
        "first_target": 1,
    },
}

# The papers' names: other spellings of a model, and systems that are a model plus some settings.
MODEL_ALIASES: dict[str, dict[str, Any]] = {
    "ComiRec-SA": {"model_type": "SA"},
    "ComiRec-DR": {"model_type": "DR"},
    "GRU4Rec": {"model_type": "GRU4REC"},
    "PIMIRec": {"model_type": "PIMI"},
    "MostPopular": {"model_type": "Pop"},
    "REMI": {"model_type": "SA"},  # always with --remi
    "UMI_HN": {"model_type": "SA", "readout": "per_candidate"},
    "BaM": {"model_type": "SA", "readout": "sampled", "sampler": "uniform"},
}


def compose(
    dataset_name: str,
    recipe: str,
    remi: bool,
    explicit: Mapping[str, Any],
    num_items: int | None = None,
    repeats: float | None = None,
    has_features: bool = False,
) -> Settings:
    """Settings of a run from its dataset's name, its recipe, --remi and the settings that were given.

    Args:
      recipe: one of RECIPE_NAMES.
      explicit: settings by name; `model_type` may be a paper's name.
      num_items: number of items, if known. The default number of distinct negatives is then at most half of it.
      repeats: the log's share of repeats, if known. exclude_history is then yes or no, no longer auto.
      has_features: whether the dataset has features of items. The default recipe then reads them.

    Raises:
      InputError: an unknown recipe, model or setting, or settings that do not work together.
    """
    if recipe not in RECIPE_NAMES:
        raise InputError(f"--recipe {recipe!r}: choose one of {', '.join(RECIPE_NAMES)}")
    spelling = explicit["model_type"]
    remi = remi or spelling == "REMI"
    alias = _meaning(spelling)
    model_type = alias["model_type"]
    if "readout" in alias and explicit.get("readout", alias["readout"]) != alias["readout"]:
        raise InputError(
            f"--readout {explicit['readout']}: {spelling} is {model_type} with --readout {alias['readout']}; leave it "
            f"out, or take --model_type {model_type}"
        )
    given = {**(REMI if remi else {}), **alias, **explicit, "model_type": model_type}
    entry = ENCODERS[model_type]
    late = of_recipe(recipe, model_type, remi, explicit)
    values = {
        **RECIPES.get(recipe, PAPER_TRAINING),
        **_extras(model_type, recipe, remi, has_features),
        **entry.defaults,
        **_of_dataset(dataset_name),
        **(entry.defaults if entry.counted else {}),  # the presets are about what a trained model reads
        **MODEL_PRESETS.get((model_type, dataset_name), {}),
        **late,
        **given,
    }
    if entry.single or values.get("num_interests") == 1:
        # With one vector all readouts are the same, and nothing is to be set apart.
        values = {name: value for name, value in values.items() if name in given or name not in SEVERAL}
    if remi:
        _check_remi("--model_type REMI" if spelling == "REMI" else "--remi", model_type, values.get("loss", "softmax"))
    settings = Settings().replace(**_of_model(values, explicit))
    if settings.training.max_steps == 0:
        raise InputError("--max_steps 0: nothing would be learnt; 0 is for --warm_start, to take over a run as it is")
    for name in given:
        if name in explicit:
            settings.refuse_unread(name, f"--{name} {given[name]}")
        elif name in alias:
            settings.refuse_unread(name, f"--model_type {spelling} sets --{name} {given[name]}")
    if num_items is not None and settings.objective.sampler == "log_uniform" and "num_negatives" not in explicit:
        settings = settings.replace(num_negatives=max(1, min(settings.objective.num_negatives, num_items // 2)))
    return settings if repeats is None else settings.decided(repeats)


def _extras(model_type: str, recipe: str, remi: bool, has_features: bool) -> dict[str, Any]:
    """What `--remi`, models that read item by item, and features of items add to a recipe."""
    if recipe != "default":
        return REMI_AS_PRINTED if remi else {}
    entry = ENCODERS[model_type]
    return {
        **(REMI_EXTRAS if remi else {}),
        **(SEQUENCE_EXTRAS if entry.states else {}),
        **(WITH_FEATURES if has_features and not entry.counted else {}),
    }


def _of_dataset(name: str) -> dict[str, Any]:
    """The preset of a dataset of this name, or of its family."""
    family = next((values for prefix, values in DATASET_FAMILIES.items() if name.startswith(prefix)), {})
    return DATASET_PRESETS.get(name, family)


def _meaning(spelling: str) -> dict[str, Any]:
    """The model and the settings that a name of --model_type stands for."""
    alias = MODEL_ALIASES.get(spelling, {"model_type": spelling})
    if alias["model_type"] in ENCODERS:
        return alias
    names = [*ENCODERS, *MODEL_ALIASES]
    close = difflib.get_close_matches(spelling.lower(), [name.lower() for name in names], n=1)
    hints = [f"did you mean {name}?" for name in names if name.lower() in close]
    raise InputError(f"--model_type {spelling!r}: {hints[0] if hints else 'choose one of ' + ', '.join(names)}")


def _of_model(values: Mapping[str, Any], explicit: Mapping[str, Any]) -> dict[str, Any]:
    """`values` without the options of recipes and presets that this encoder does not have."""
    known = known_settings()

    def has(name: str) -> bool:
        owners = known[name].only.get("model_type") if name in known else None
        return owners is None or values["model_type"] in owners

    return {name: value for name, value in values.items() if name in explicit or has(name)}


def _check_remi(asked: str, model_type: str, loss: str) -> None:
    if not ENCODERS[model_type].routing:
        routing = ", ".join(name for name in ENCODERS if ENCODERS[name].routing)
        flags = ("--loss softmax " if loss != "softmax" else "") + "--beta 1 --sampler uniform"
        without = "" if ENCODERS[model_type].counted else f"; REMI's weighting of negatives without it is {flags}"
        raise InputError(
            f"{asked}: it regularises a routing matrix, and {model_type} has none (there is one in {routing}){without}"
        )
    if loss != "softmax":
        raise InputError(f"{asked}: it weights the negatives of a softmax, and --loss is {loss}; add --loss softmax")


def run_name(dataset_name: str, recipe: str, remi: bool, explicit: Mapping[str, Any]) -> str:
    """A folder name for a run: what was asked for, so that the papers' systems get different names."""
    chosen = [explicit[name] for name in ("loss", "readout") if name in explicit]
    marks = [dataset_name, explicit["model_type"], *chosen]
    return "-".join(marks + ["remi"] * remi + [recipe] * (recipe != "default"))
