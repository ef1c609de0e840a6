"""Sets of settings with a name: profiles, --remi, presets of datasets and models, names from the papers.

A setting's value is the first of: the flag as given, what `--remi` or the paper's name sets, the preset of model and
dataset, the dataset's, the encoder's own default (encoders/__init__.py), the profile, the default in config.py.
"""

from typing import Any

from remi_tf.config import SETTING, Settings
from remi_tf.encoders import ENCODERS
from remi_tf.errors import InputError

REMI: dict[str, Any] = {"sampler": "uniform", "beta": 1.0, "rr_lambda": 100.0}

PROFILES: dict[str, dict[str, Any]] = {
    "default": {},
    # REMI's PyTorch release, its baselines included (DIFFERENCES.md has a row for each).
    "released": {
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
}

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

# The papers' names: spellings of a model, and systems that are a model with a training scheme.
MODEL_ALIASES: dict[str, dict[str, Any]] = {
    "ComiRec-SA": {"model_type": "SA"},
    "ComiRec-DR": {"model_type": "DR"},
    "GRU4Rec": {"model_type": "GRU4REC"},
    "PIMIRec": {"model_type": "PIMI"},
    "MostPopular": {"model_type": "Pop"},
    "REMI": {"model_type": "SA", **REMI},
    "UMI_HN": {"model_type": "SA", "readout": "per_candidate"},
    "BaM": {"model_type": "SA", "readout": "sampled", "sampler": "uniform"},
}


def resolve(
    dataset_name: str, profile: str, remi: bool, explicit: dict[str, Any], num_items: int | None = None
) -> Settings:
    """Settings of a run from its dataset's name, its profile, --remi and the flags that were given.

    Args:
      num_items: where the catalogue is small, distinct negatives default to half of it.

    Raises:
      InputError: an unknown profile, model or setting, or a combination without meaning.
    """
    if profile not in PROFILES:
        raise InputError(f"--profile {profile!r}: choose one of {', '.join(PROFILES)}")
    alias = MODEL_ALIASES.get(explicit["model_type"], {"model_type": explicit["model_type"]})
    model_type = alias["model_type"]
    if model_type not in ENCODERS:
        raise InputError(f"--model_type {model_type!r}: choose one of {', '.join([*ENCODERS, *MODEL_ALIASES])}")
    given = {**(REMI if remi else {}), **alias, **explicit, "model_type": model_type}
    values = {
        **PROFILES[profile],
        **({"num_interests": 1} if ENCODERS[model_type].single else {}),
        **ENCODERS[model_type].defaults,
        **DATASET_PRESETS.get(dataset_name, {}),
        **MODEL_PRESETS.get((model_type, dataset_name), {}),
        **given,
    }
    settings = Settings().replace(**values)
    _check_given(settings, given)
    if num_items is not None and settings.objective.sampler == "log_uniform" and "num_negatives" not in explicit:
        settings = settings.replace(num_negatives=max(1, min(settings.objective.num_negatives, num_items // 2)))
    return settings


def _check_given(settings: Settings, given: dict[str, Any]) -> None:
    """Refuse what was asked for and would not be read."""
    values = settings.flat()
    for name in given:
        for other, readers in SETTING[name].metadata["only"].items():
            if values[other] not in readers:
                raise InputError(
                    f"--{name} {given[name]}: read only with --{other} {' or '.join(readers)}, and --{other} is "
                    f"{values[other]}; leave it out"
                )
    if ENCODERS[settings.encoder.model_type].single and given.get("readout", "hard") != "hard":
        raise InputError(
            f"--readout {given['readout']}: {settings.encoder.model_type} gives one vector a user, so all readouts are "
            "the same; leave it out"
        )
