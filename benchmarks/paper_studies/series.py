"""The curves: which systems, and where they stand on the axis.

Papers print their curves without numbers of the axes, so the values are ours: those of REMI's text and README for beta
(0 to 10), and powers of four for N. Every curve of REMI's is ComiRec-SA with K = 4, unless it says PIMI.
"""

from systems import settings_of  # sets the import path

from paper_studies.curves import LOG2, Curves, Panel, Series, from_zero
from paper_studies.study import Asked, paper
from remi_tf.settings.names import known_settings

NEGATIVES = (64, 256, 1024, 4096)
LARGEST_POOL = 8192  # ids that dns, srns and genni score for every user; more negatives are left out of their curves
DEFAULT_TRAINING = "--learning_rate 0.003 --first_target 1"
PAPER_TRAINING = "--recipe paper"
BETAS, LAMBDAS = (0, 0.1, 0.5, 1, 2, 5, 10), (0, 10, 30, 100, 300, 1000, 10_000)
REPELS = (0, 1, 6, 10, 100, 1000)  # MTMI's grid is said to go from 1 to 1000; 6 is the value of its table
OVER_NEGATIVES = "negatives per step, N"


def samplers(asked: Asked, training: str = DEFAULT_TRAINING) -> Series:
    """The curves of REMI's figure 3; mns needs more negatives than the batch has targets."""
    negatives, plain = asked.negatives or NEGATIVES, f"SA {training} --sampler"
    batch_size = settings_of(["SA"], asked.data.name).training.batch_size
    series: Series = {
        name: [(n, f"{plain} {name} --num_negatives {n}") for n in negatives if name != "mns" or n >= batch_size]
        for name in ("uniform", "log_uniform", "mns")
    }
    for name in ("dns", "srns", "genni"):
        factor = known_settings()["pool_factor"].field.default
        series[name] = [(n, f"{plain} {name} --num_negatives {n}") for n in negatives if factor * n <= LARGEST_POOL]
    series["IHN"] = [(n, f"{plain} uniform --beta 1 --num_negatives {n}") for n in negatives]
    series["full softmax"] = [(None, f"{plain} full")]
    return {name: points for name, points in series.items() if points}


def remi_samplers(asked: Asked) -> Series:
    """The same with the papers' training."""
    return samplers(asked, PAPER_TRAINING)


def remi_negatives(asked: Asked) -> Series:
    """The curves of REMI's figure 1(a), for ComiRec-SA and for PIMI."""
    series: Series = {}
    for model in ("SA", "PIMI"):
        for name, parts in (("uniform", {}), ("IHN", {"ihn": True}), ("IHN and RR", {"ihn": True, "rr": True})):
            points = [(n, paper(model, **parts, more=f"--num_negatives {n}")) for n in asked.negatives or NEGATIVES]
            series[f"{model}: {name}"] = list(points)
        series[f"{model}: full softmax"] = [(None, paper(model, more="--sampler full"))]
    return series


def beta_lambda(asked: Asked) -> Series:
    """The curves of REMI's figure 6, with the training of the default recipe."""
    remi = f"SA {DEFAULT_TRAINING} --sampler uniform"
    return {
        "beta (lambda 100)": [(beta, f"{remi} --beta {beta} --rr_lambda 100") for beta in BETAS],
        "lambda (beta 1)": [(value, f"{remi} --beta 1 --rr_lambda {value}") for value in LAMBDAS[:-1]],
    }


def remi_beta_lambda(asked: Asked) -> Series:
    """The curves of REMI's figure 6. Points that other studies have are spelt as there, so they are trained once."""
    known = {(0, 100): paper("SA", rr=True), (1, 0): paper("SA", ihn=True), (1, 100): paper("SA", ihn=True, rr=True)}
    remi = paper("SA", ihn=True, rr=True)
    return {
        "beta (lambda 100)": [(beta, known.get((beta, 100), f"{remi} --beta {beta}")) for beta in BETAS],
        "lambda (beta 1)": [(weight, known.get((1, weight), f"{remi} --rr_lambda {weight}")) for weight in LAMBDAS],
    }


def mtmi_repel(asked: Asked) -> Series:
    """The curves of MTMI's figure 4. The recipe mtmi_study has beta 1000."""
    return {
        model: [(repel, f"{model} --recipe mtmi_study --idw_repel {repel}") for repel in REPELS]
        for model in ("MTMI-DNN", "MTMI-GRU", "MTMI-Q2S")
    }


_BETA_LAMBDA = tuple(
    Panel(name, from_zero(first), name) for name, first in (("beta (lambda 100)", 0.1), ("lambda (beta 1)", 10))
)
CURVES = {
    "samplers": Curves(
        "as remi_samplers, with the learning rate and the first target of the default recipe",
        samplers, (Panel(OVER_NEGATIVES, LOG2),), ("valid_recall",), "auto", ("negatives",),
    ),
    "beta_lambda": Curves(
        "as remi_beta_lambda, with the learning rate and the first target of the default recipe",
        beta_lambda, _BETA_LAMBDA, ("valid_recall",), "auto",
    ),
    "remi_negatives": Curves(
        "REMI, figure 1(a): SA and PIMI over the number of negatives, plain, with IHN, with IHN and RR",
        remi_negatives,
        (Panel(OVER_NEGATIVES, LOG2, "SA: ", "ComiRec-SA"), Panel(OVER_NEGATIVES, LOG2, "PIMI: ", "PIMI")),
        options=("negatives",),
    ),
    "remi_samplers": Curves(
        "REMI, figure 3: SA with each sampler, and with IHN, over the number of negatives",
        remi_samplers, (Panel(OVER_NEGATIVES, LOG2),), options=("negatives",),
    ),
    "remi_beta_lambda": Curves(
        "REMI, figure 6: SA with IHN and RR over beta (at lambda 100) and over lambda (at beta 1)",
        remi_beta_lambda, _BETA_LAMBDA, ("valid_recall", "recall", "hit_rate", "ndcg"),
    ),
    "mtmi_repel": Curves(
        "MTMI, figure 4: its three models over the weight beta of the repel loss",
        mtmi_repel, (Panel("beta of the repel loss", from_zero(1)),), ("recall", "hit_rate", "ndcg"),
    ),
}  # fmt: skip
