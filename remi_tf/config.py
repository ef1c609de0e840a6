"""Settings: frozen dataclasses, profiles and dataset presets, and their way to and from a run's config.json.

A setting's value is the first of: the flag as given, what `--remi` sets, the dataset's preset, the profile, the
default written here. A field's metadata (help, choices) is all the command line knows of it (cli.py).
"""

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from remi_tf.errors import InputError


def _setting(default: Any, help: str, choices: tuple[str, ...] | None = None) -> Any:
    return field(default=default, metadata={"help": help, "choices": choices})


@dataclass(frozen=True)
class EncoderSettings:
    """Sequence → interests."""

    model_type: str = _setting("SA", "encoder; the names are in README's model table")
    embedding_dim: int = _setting(64, "size of item and interest vectors")
    num_interests: int = _setting(4, "interests per user, K")
    max_history: int = _setting(20, "most recent items of the history that are read, L")
    use_bias: bool = _setting(False, "bias in the encoder's dense layers (ComiRec's TensorFlow release has it)")


@dataclass(frozen=True)
class ObjectiveSettings:
    """Interests, target and negatives → loss."""

    sampler: str = _setting("log_uniform", "how negatives are drawn", ("log_uniform", "uniform"))
    num_negatives: int = _setting(1280, "negatives per step, shared by the batch, N")
    readout: str = _setting("hard", "which interest answers for the target", ("hard",))
    beta: float = _setting(0.0, "IHN concentration; 0 = plain sampled softmax, --remi sets 1")
    rr_lambda: float = _setting(0.0, "routing regularisation in REMI's units (batch 128, dim 64); --remi sets 100")
    stop_gradient_weights: bool = _setting(True, "treat the IHN weights as constants in the gradient")
    mask_accidental_hits: bool = _setting(True, "a negative that is the row's own target does not count")
    padding_is_negative: bool = _setting(False, "the padding row may be drawn as a negative")
    rr_reduction: str = _setting(
        "mean", "mean: over the batch, independent of batch size and dim; sum: REMI's release", ("mean", "sum")
    )


@dataclass(frozen=True)
class TrainingSettings:
    """The fit loop."""

    batch_size: int = _setting(128, "users per step over all devices, B")
    max_steps: int = _setting(1_000_000, "steps at most")
    eval_every: int = _setting(1000, "steps between validations (each saves a checkpoint)")
    patience: int = _setting(50, "stop when more validations than this in a row bring no better recall@50")
    eval_users: int = _setting(0, "validate on this many users; 0 = all")
    first_target: int = _setting(4, "0-based position of a user's first item that may be a target")
    optimizer: str = _setting(
        "lazy_adam", "lazy_adam updates only the rows read in the step, adam every row", ("lazy_adam", "adam")
    )
    learning_rate: float = _setting(1e-3, "step size of the optimizer")
    seed: int = _setting(2021, "decides weights, windows and negatives")


@dataclass(frozen=True)
class Settings:
    """Everything that decides what a run computes."""

    encoder: EncoderSettings = field(default_factory=EncoderSettings)
    objective: ObjectiveSettings = field(default_factory=ObjectiveSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)

    def to_json(self) -> dict[str, dict[str, Any]]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, groups: dict[str, dict[str, Any]]) -> "Settings":
        """Inverse of `to_json`.

        Raises:
          InputError: a setting that this version does not know.
        """
        return cls().replace(**{name: value for group in groups.values() for name, value in group.items()})

    def replace(self, **values: Any) -> "Settings":
        """A copy with the named settings changed, whichever group they belong to.

        Raises:
          InputError: an unknown name or an impossible value.
        """
        unknown = sorted(set(values) - set(GROUP_OF))
        if unknown:
            raise InputError(f"unknown setting {unknown[0]!r}; there are: {', '.join(sorted(GROUP_OF))}")
        groups = {
            group: dataclasses.replace(
                getattr(self, group), **{name: value for name, value in values.items() if GROUP_OF[name] == group}
            )
            for group in GROUPS
        }
        settings = Settings(**groups)
        _check(settings)
        return settings

    def changed(self) -> str:
        """The settings that are not the defaults of this file, for people."""
        defaults = Settings().flat()
        return ", ".join(f"{name} {value}" for name, value in self.flat().items() if value != defaults[name])

    def flat(self) -> dict[str, Any]:
        """All settings by name."""
        return {name: value for group in self.to_json().values() for name, value in group.items()}


GROUPS: dict[str, Any] = {"encoder": EncoderSettings, "objective": ObjectiveSettings, "training": TrainingSettings}
GROUP_OF = {setting.name: group for group, cls in GROUPS.items() for setting in dataclasses.fields(cls)}

REMI = {"sampler": "uniform", "beta": 1.0, "rr_lambda": 100.0}

PROFILES: dict[str, dict[str, Any]] = {
    "default": {},
    # REMI's PyTorch release, its plain SA baseline included (DIFFERENCES.md has a row for each).
    "released": {
        "sampler": "uniform",
        "stop_gradient_weights": False,
        "mask_accidental_hits": False,
        "padding_is_negative": True,
        "rr_reduction": "sum",
        "optimizer": "adam",
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

MODEL_ALIASES = {"ComiRec-SA": "SA"}


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
    explicit = {**explicit, "model_type": MODEL_ALIASES.get(explicit["model_type"], explicit["model_type"])}
    values = {**PROFILES[profile], **DATASET_PRESETS.get(dataset_name, {}), **(REMI if remi else {}), **explicit}
    settings = Settings().replace(**values)
    if num_items is not None and settings.objective.sampler == "log_uniform" and "num_negatives" not in explicit:
        settings = settings.replace(num_negatives=max(1, min(settings.objective.num_negatives, num_items // 2)))
    return settings


def _check(settings: Settings) -> None:
    """Refuse values and combinations that have no meaning."""
    values = settings.flat()
    for cls in GROUPS.values():
        for setting in dataclasses.fields(cls):
            value, choices = values[setting.name], setting.metadata["choices"]
            if choices and value not in choices:
                raise InputError(f"--{setting.name} {value!r}: choose one of {', '.join(choices)}")
            if type(value) is int and value < (0 if setting.name in _MAY_BE_ZERO else 1):
                raise InputError(f"--{setting.name} {value}: must be a positive number ({setting.metadata['help']})")
    for name in ("beta", "rr_lambda", "learning_rate"):
        if not 0 <= values[name] < float("inf"):
            raise InputError(f"--{name} {values[name]}: must be a finite number of at least 0")
    if values["learning_rate"] == 0:
        raise InputError("--learning_rate 0: nothing would be learnt; the default is 0.001")
    if values["beta"] > 0 and values["sampler"] != "uniform":
        raise InputError(
            f"--beta {values['beta']} with --sampler {values['sampler']}: IHN reweights uniform negatives "
            "(REMI, section 3.2); use --sampler uniform or --beta 0"
        )


_MAY_BE_ZERO = ("seed", "patience", "eval_users")
