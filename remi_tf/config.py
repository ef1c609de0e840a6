"""Settings: frozen dataclasses, and their way to a run's config.json.

A field's metadata is all the command line knows of it (cli.py). checks.py says which values and combinations have a
meaning, presets.py has the sets of values with a name.
"""

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from remi_tf.errors import InputError

Only = dict[str, tuple[str, ...]]


def _setting(default: Any, help: str, choices: tuple[str, ...] | None = None, only: Only | None = None) -> Any:
    """only: another setting and the values of it under which this one is read; given elsewhere it is refused."""
    return field(default=default, metadata={"help": help, "choices": choices, "only": only or {}})


def _encoders(*names: str) -> Only:
    return {"model_type": names}


_SOFTMAX: Only = {"loss": ("softmax",)}
_IDW: Only = {"loss": ("idw",)}
BY_SCORE = ("dns", "srns", "genni")


@dataclass(frozen=True)
class EncoderSettings:
    """Sequence → interests."""

    model_type: str = _setting("SA", "encoder; the names are in README's model table")
    embedding_dim: int = _setting(64, "size of item and interest vectors")
    num_interests: int = _setting(4, "interests per user, K")
    max_history: int = _setting(20, "most recent items of the history that are read, L")
    use_bias: bool = _setting(
        False,
        "bias in the encoder's dense layers (ComiRec's TensorFlow release has it)",
        only=_encoders("SA", "DNN", "MIND", "MTMI-DNN"),
    )
    dropout: float = _setting(
        0.0, "share of values dropped in training", only=_encoders("GRU4REC", "MTMI-GRU", "PIMI", "SASRec")
    )
    mask_padding: bool = _setting(
        True, "leave padded slots out of means, graphs and routing; the releases count some of them in",
        only=_encoders("DNN", "MTMI-DNN", "MIND", "DR", "PIMI"),
    )  # fmt: skip
    gru_projection: bool = _setting(
        True, "GRU of size 2d, then a dense layer (REMI's port); without: GRU of size d (ComiRec's release)",
        only=_encoders("GRU4REC", "MTMI-GRU"),
    )  # fmt: skip
    routing_softmax: str = _setting(
        "interests", "what the routing weights compete over", ("interests", "sequence"), only=_encoders("MIND", "DR")
    )
    routing_iterations: int = _setting(3, "rounds of dynamic routing", only=_encoders("MIND", "DR", "UMI"))
    relu_layer: bool = _setting(False, "dense ReLU layer on every capsule", only=_encoders("MIND"))
    adaptive_interests: bool = _setting(
        False, "K' = max(1, min(K, log2 |history|)) interests for a short history", only=_encoders("MIND", "DR")
    )
    map_fan_in: str = _setting(
        "item", "initial spread of the maps: sqrt(2/d), or over the whole tensor (REMI's port)", ("item", "tensor"),
        only=_encoders("DR"),
    )  # fmt: skip
    time_threshold: int = _setting(64, "gaps of more days count as this many", only=_encoders("PIMI"))
    next_item_edges: bool = _setting(False, "the graph also links each item to the next", only=_encoders("PIMI"))
    profile_dim: int = _setting(8, "size of the embedding of each profile column", only=_encoders("UMI"))
    num_concepts: int = _setting(50, "rows of the concept table", only=_encoders("SINE"))
    active_concepts: int = _setting(4, "concepts a user's history is split into", only=_encoders("SINE"))
    concept_temperature: float = _setting(0.1, "temperature of the weights of the concepts", only=_encoders("SINE"))
    concept_lambda: float = _setting(0.1, "weight of the concepts' decorrelation", only=_encoders("SINE"))
    num_blocks: int = _setting(2, "transformer blocks", only=_encoders("SASRec"))
    num_heads: int = _setting(1, "attention heads", only=_encoders("SASRec", "PIMI"))


@dataclass(frozen=True)
class ObjectiveSettings:
    """Interests, target and negatives → loss."""

    loss: str = _setting(
        "softmax", "softmax: sampled softmax; idw: MTMI's inverse distance weighted triplets on cosines; bce: SASRec's",
        ("softmax", "idw", "bce"),
    )  # fmt: skip
    sampler: str = _setting(
        "log_uniform", "how negatives are drawn; dns, srns and genni choose by score, full takes every item",
        ("uniform", "log_uniform", "full", "in_batch", "mns", "dns", "srns", "genni"),
    )  # fmt: skip
    num_negatives: int = _setting(
        1280, "negatives per step, N: shared by the batch, or of each row where it chooses",
        only={"sampler": ("uniform", "log_uniform", "mns", *BY_SCORE)},
    )  # fmt: skip
    pool_factor: int = _setting(4, "ids to choose from, as a multiple of N", only={"sampler": BY_SCORE})
    preference_temperature: float = _setting(
        1.0, "temperature of the model's preference that is drawn from", only={"sampler": ("genni",)}
    )
    variance_weight: float = _setting(5.0, "weight of the scores' deviation", only={"sampler": ("srns",)})
    variance_warmup: int = _setting(5000, "steps over which that weight grows", only={"sampler": ("srns",)})
    variance_memory: int = _setting(
        2**20, "items, by id, whose deviation is remembered; more share a place", only={"sampler": ("srns",)}
    )
    readout: str = _setting(
        "hard", "which interest answers for a candidate; sampled is BaM, per_candidate is UMI_HN",
        ("hard", "label_aware", "sampled", "per_candidate", "logsumexp"), only=_SOFTMAX,
    )  # fmt: skip
    label_power: float = _setting(1.0, "sharpness p of label-aware attention", only={"readout": ("label_aware",)})
    label_attention: str = _setting(
        "scale", "softmax of p times the products, or of their p-th power as in MIND's paper (p odd)",
        ("scale", "power"), only={"readout": ("label_aware",)},
    )  # fmt: skip
    correlation: str = _setting(
        "inner", "what BaM draws by: inner products, or those of linear projections", ("inner", "linear"),
        only={"readout": ("sampled",)},
    )  # fmt: skip
    correlation_scale: float = _setting(
        1.0, "factor T on what BaM draws by; larger is harder", only={"readout": ("sampled",)}
    )
    multi_interest_weight: float = _setting(
        0.0, "weight of BaM's second loss, on the log-sum-exp over interests", only=_SOFTMAX
    )
    beta: float = _setting(0.0, "IHN concentration; 0 = plain sampled softmax, --remi sets 1", only=_SOFTMAX)
    rr_lambda: float = _setting(0.0, "routing regularisation in REMI's units (batch 128, dim 64); --remi sets 100")
    stop_gradient_weights: bool = _setting(True, "treat the IHN weights as constants in the gradient", only=_SOFTMAX)
    mask_accidental_hits: bool = _setting(
        True, "a negative that is the row's own target does not count",
        only={"sampler": ("uniform", "log_uniform", "dns", "srns", "genni")},
    )  # fmt: skip
    padding_is_negative: bool = _setting(
        False, "the padding row may be drawn as a negative",
        only={"sampler": ("uniform", "log_uniform", "mns", "dns", "srns", "genni")},
    )  # fmt: skip
    rr_reduction: str = _setting(
        "mean", "mean: over the batch, independent of batch size and dim; valid: mean, of variances over the history "
        "alone as a share of their maximum; sum: REMI's release", ("mean", "valid", "sum"),
    )  # fmt: skip
    rep_lambda: float = _setting(0.0, "weight of the penalty on interests that are alike (REMI's Rep. Reg.)")
    rep_form: str = _setting("covariance", "how alike is measured", ("covariance", "cosine"))
    re4_attend: float = _setting(0.0, "weight of Re4's re-attend loss")
    re4_contrast: float = _setting(0.0, "weight of Re4's re-contrast loss")
    re4_construct: float = _setting(0.0, "weight of Re4's re-construct loss")
    idw_alpha: float = _setting(2.0, "power of the inverse distance that weights a tower", only=_IDW)
    idw_margin: float = _setting(0.2, "margin of the triplets, in cosine", only=_IDW)
    idw_repel: float = _setting(0.03, "weight of the repel between towers", only=_IDW)


@dataclass(frozen=True)
class TrainingSettings:
    """The fit loop."""

    batch_size: int = _setting(128, "users per step over all devices, B")
    max_steps: int = _setting(1_000_000, "steps at most")
    eval_every: int = _setting(1000, "steps between validations (each saves a checkpoint)")
    patience: int = _setting(50, "stop when more validations than this in a row bring no better recall@50")
    eval_users: int = _setting(0, "validate on this many users; 0 = all")
    first_target: int = _setting(
        1, "0-based position of a user's first item that may be a target; 4 under --profile paper and released"
    )
    optimizer: str = _setting(
        "lazy_adam", "lazy_adam updates only the rows read in the step, adam every row", ("lazy_adam", "adam")
    )
    learning_rate: float = _setting(
        3e-3, "step size of the optimizer; 0.001 under --profile paper and released, but for models with their own"
    )
    weight_decay: float = _setting(0.0, "L2 added to the gradient (of the rows read, under lazy_adam)")
    average_steps: int = _setting(
        0,
        "validate and save the average of the weights over about this many last steps, at most a quarter of those "
        "taken (a second copy of the weights in memory); 0 = the weights as they are",
    )
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
        from remi_tf.checks import check  # which reads the tables below

        groups = {
            group: dataclasses.replace(
                getattr(self, group), **{name: value for name, value in values.items() if GROUP_OF[name] == group}
            )
            for group in GROUPS
        }
        settings = Settings(**groups)
        check(settings)
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
SETTING = {setting.name: setting for cls in GROUPS.values() for setting in dataclasses.fields(cls)}
