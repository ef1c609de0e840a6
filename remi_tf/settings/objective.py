"""The settings of the objective: interests, target and negatives → loss."""

from dataclasses import dataclass

from remi_tf.errors import InputError
from remi_tf.settings.setting import Only, SettingGroup, setting

_SOFTMAX: Only = {"loss": ("softmax",)}
_TRIPLETS: Only = {"loss": ("idw",)}
WITH_COUNTS = ("uniform", "log_uniform", "in_batch", "mns")
"""Samplers that know how often they draw an item."""
BY_SCORE = ("dns", "srns", "genni")
"""Samplers that choose negatives by their scores."""
SMALLEST_DISTANCE = 1e-3
"""Of a tower to its target in MTMI's loss: closer towers have the same weight."""
LARGEST_ALPHA = 6.0
"""SMALLEST_DISTANCE ** -alpha is squared in Adam, and must stay below 3e38."""


@dataclass(frozen=True)
class ObjectiveSettings(SettingGroup):
    """Interests, target and negatives → loss."""

    loss: str = setting(
        "softmax",
        "softmax: sampled softmax; idw: MTMI's inverse distance weighted triplets on cosines; bce: SASRec's",
        choices=("softmax", "idw", "bce"),
    )
    targets: str = setting(
        "last",
        "last: the item after the history; future: any of the next items, of as many as validation asks for; every: "
        "the item after the history and each item of it but the first, by the user's vector before it",
        choices=("last", "future", "every"),
        only=_SOFTMAX,
    )
    sampler: str = setting(
        "log_uniform",
        "how negatives are drawn; dns, srns and genni choose by score, full takes every item",
        choices=("uniform", "log_uniform", "full", "in_batch", "mns", "dns", "srns", "genni"),
    )
    num_negatives: int = setting(
        1280,
        "negatives per step, N: shared by the batch, or per row for dns, srns and genni; log_uniform takes at most "
        "half the items unless told",
        only={"sampler": ("uniform", "log_uniform", "mns", *BY_SCORE)},
    )
    pool_factor: int = setting(4, "ids to choose from, as a multiple of N", only={"sampler": BY_SCORE})
    preference_temperature: float = setting(
        1.0, "temperature of the softmax that genni draws from", only={"sampler": ("genni",)}, above_zero=True
    )
    variance_weight: float = setting(5.0, "weight of a score's standard deviation", only={"sampler": ("srns",)})
    variance_warmup: int = setting(5000, "steps until variance_weight is reached", only={"sampler": ("srns",)})
    variance_memory: int = setting(
        2**20, "slots that remember deviations, by item id; more items share slots", only={"sampler": ("srns",)}
    )
    readout: str = setting(
        "hard",
        "which interest answers for a candidate; sampled is BaM, per_candidate is UMI_HN",
        choices=("hard", "label_aware", "sampled", "per_candidate", "logsumexp"),
        only=_SOFTMAX,
    )
    label_power: float = setting(
        1.0, "sharpness p of label-aware attention", only={"readout": ("label_aware",)}, above_zero=True
    )
    label_attention: str = setting(
        "scale",
        "softmax of p times the products, or of their p-th power as in MIND's paper (p odd)",
        choices=("scale", "power"),
        only={"readout": ("label_aware",)},
    )
    correlation: str = setting(
        "inner",
        "what BaM draws by: inner products, or inner products of linear projections",
        choices=("inner", "linear"),
        only={"readout": ("sampled",)},
    )
    correlation_scale: float = setting(
        1.0, "factor T on what BaM draws by; larger is closer to hard", only={"readout": ("sampled",)}, above_zero=True
    )
    multi_interest_weight: float = setting(
        0.0, "weight of BaM's second loss, on the log-sum-exp over interests", only=_SOFTMAX
    )
    beta: float = setting(0.0, "IHN concentration; 0 = plain sampled softmax, --remi sets 1", only=_SOFTMAX)
    rr_lambda: float = setting(
        0.0,
        "routing regularisation in REMI's units (batch 128, dim 64); --remi sets 5, and 100 under --recipe paper and "
        "released",
    )
    stop_gradient_weights: bool = setting(
        True, "treat the IHN weights as constants in the gradient", only=_SOFTMAX, switch="beta"
    )
    log_q: str = setting(
        "subtract",
        "the correction for how negatives are drawn; subtract: log q from all scores, as in ComiRec; corrected: from "
        "the negatives' only, as the full softmax asks for",
        choices=("subtract", "corrected"),
        only={**_SOFTMAX, "sampler": WITH_COUNTS},
    )
    mask_accidental_hits: bool = setting(
        True,
        "a negative that is the row's own target does not count",
        only={"sampler": ("uniform", "log_uniform", "dns", "srns", "genni")},
    )
    padding_is_negative: bool = setting(
        False,
        "the padding row may be drawn as a negative",
        only={"sampler": ("uniform", "log_uniform", "mns", "dns", "srns", "genni")},
    )
    rr_reduction: str = setting(
        "mean",
        "mean: over the batch, independent of batch size and dim; valid: as mean, but with variances over the history "
        "only, as a share of their maximum; sum: REMI's release",
        choices=("mean", "valid", "sum"),
        switch="rr_lambda",
    )
    rep_lambda: float = setting(0.0, "weight of the penalty on interests that are alike (REMI's Rep. Reg.)")
    rep_form: str = setting(
        "covariance",
        "how likeness is measured; squared_cosine: the mean squared cosine of two interests",
        choices=("covariance", "cosine", "squared_cosine"),
        switch="rep_lambda",
    )
    re4_attend: float = setting(0.0, "weight of Re4's re-attend loss")
    re4_contrast: float = setting(0.0, "weight of Re4's re-contrast loss")
    re4_construct: float = setting(0.0, "weight of Re4's re-construct loss")
    idw_alpha: float = setting(2.0, "power of the inverse distance that weights a tower", only=_TRIPLETS)
    idw_margin: float = setting(0.2, "margin of the triplets, in cosine", only=_TRIPLETS)
    idw_repel: float = setting(0.03, "weight of the loss that pushes towers apart (repel)", only=_TRIPLETS)
    idw_form: str = setting(
        "normalised",
        "normalised: weights of a user's towers sum to 1, the repel is a mean over towers; printed: the weights are "
        "1/D^alpha, the repel is a sum over towers (MTMI, eq. 7)",
        choices=("normalised", "printed"),
        only=_TRIPLETS,
    )

    def check(self) -> None:
        if self.idw_form == "printed" and self.idw_alpha > LARGEST_ALPHA:
            raise InputError(
                f"--idw_alpha {self.idw_alpha} with --idw_form printed: the weight of a tower at its target has no "
                f"square in 32 bits; take {LARGEST_ALPHA} at most, or --idw_form normalised"
            )
        if self.label_attention == "power" and self.label_power % 2 != 1:
            raise InputError(
                f"--label_attention power --label_power {self.label_power}: an even power loses the sign of negative "
                "products and a fractional one has no value for them; take an odd whole number, or --label_attention "
                "scale"
            )
