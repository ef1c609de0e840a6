"""Studies of the objective on one dataset, as in REMI's figures 3 and 6: a curve for each series, test recall@50.

    python benchmarks/studies.py samplers --dataset amazon-books-sample --output docs/results/samplers
    python benchmarks/studies.py beta_lambda --dataset amazon-books-sample --output docs/results/beta-lambda

samplers: plain SA with each sampler against the number of negatives N, IHN (uniform negatives with beta 1) beside
them, full softmax as a line. beta_lambda: SA + REMI against IHN's beta at lambda 100 and against RR's lambda at beta 1.
Runs are those of benchmarks/quality.py: one that is finished is not trained again. OUTPUT.json has every figure,
OUTPUT.png the plot; `--plot_only` draws it from the JSON without any run.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from quality import Budget, Data, RunFailed, System, find_data, run  # sets the import path

from remi_tf.cli import Parser, number_list, run_main
from remi_tf.errors import InputError
from remi_tf.files import atomic_file, write_json

COMMON = "--learning_rate 0.003 --first_target 1"
METRIC = "recall@50"
Series = dict[str, list[tuple[float | None, str]]]  # a curve's name → its points (x or None for a line, flags)


def samplers(negatives: tuple[int, ...]) -> Series:
    """The curves of REMI's figure 3. Samplers that choose from a pool of 4 N score it: their last point is left out."""
    plain = f"SA {COMMON} --sampler"
    series: Series = {
        name: [(n, f"{plain} {name} --num_negatives {n}") for n in negatives if name != "mns" or n >= 128]
        for name in ("uniform", "log_uniform", "mns")
    }
    for name in ("dns", "srns", "genni"):
        series[name] = [(n, f"{plain} {name} --num_negatives {n}") for n in negatives[:-1]]
    series["IHN"] = [(n, f"{plain} uniform --beta 1 --num_negatives {n}") for n in negatives]
    series["full softmax"] = [(None, f"{plain} full")]
    return series


def beta_lambda(negatives: tuple[int, ...]) -> Series:
    """The curves of REMI's figure 6."""
    remi = f"SA {COMMON} --sampler uniform"
    betas, lambdas = (0, 0.1, 0.5, 1, 2, 5, 10), (0, 10, 30, 100, 300, 1000)
    return {
        "beta (lambda 100)": [(beta, f"{remi} --beta {beta} --rr_lambda 100") for beta in betas],
        "lambda (beta 1)": [(value, f"{remi} --beta 1 --rr_lambda {value}") for value in lambdas],
    }


STUDIES: dict[str, Callable[[tuple[int, ...]], Series]] = {"samplers": samplers, "beta_lambda": beta_lambda}


def measure(series: Series, seeds: tuple[int, ...], data: Data, budget: Budget, runs: Path) -> dict[str, Any]:
    """Every point's metric by seed.

    Raises:
      RunFailed: of the first run that fails.
    """
    measured: dict[str, Any] = {}
    for seed in seeds:
        for name, points in series.items():
            for x, text in points:
                system = System.parse(text, seeds)
                value = run(system, seed, data, budget, runs, threads=1)[METRIC]
                print(f"{name} {x if x is not None else ''} seed {seed}: {METRIC} {value:.4f}", flush=True)
                found = measured.setdefault(name, {}).setdefault(system.name, {"x": x, METRIC: {}})
                found[METRIC][str(seed)] = value
    return measured


def plot(study: str, content: dict[str, Any], path: Path) -> None:
    """One panel of the curves over N, or a panel each for beta and lambda; the mean over seeds."""
    names = list(content["series"])
    panels = [names] if study == "samplers" else [[name] for name in names]
    figure, axes = plt.subplots(1, len(panels), figsize=(6.5 * len(panels), 4.5), squeeze=False)
    for axis, shown in zip(axes[0], panels, strict=True):
        for name in shown:
            points = [(p["x"], sum(p[METRIC].values()) / len(p[METRIC])) for p in content["series"][name].values()]
            if points[0][0] is None:
                axis.axhline(points[0][1], linestyle="--", color="black", label=name)
            else:
                axis.plot(*zip(*points, strict=True), marker="o", label=name)
        axis.set_xscale("log", base=2) if study == "samplers" else axis.set_xscale("symlog", linthresh=0.1)
        axis.set_xlabel("negatives per step, N" if study == "samplers" else shown[0])
        axis.set_ylabel(f"{METRIC}, test")
        axis.set_title(f"{content['dataset']}, {content['max_steps']:,} steps")
        axis.grid(alpha=0.3)
        if study == "samplers":
            axis.legend()
    figure.tight_layout()
    with atomic_file(path, "wb") as file:
        figure.savefig(file, format="png", dpi=110)


def main(argv: list[str]) -> int:
    """Run a study, or draw it anew.

    Raises:
      InputError: a flag cannot be used, there is no dataset, or no JSON to draw.
    """
    parser = Parser(description=__doc__)
    parser.add_argument("study", choices=STUDIES)
    parser.add_argument("--dataset", help="name below data/ or path of a prepared dataset")
    parser.add_argument("--output", type=Path, required=True, help="the results are OUTPUT.json and OUTPUT.png")
    parser.add_argument("--seeds", type=number_list, default=(1,), help="default: 1")
    parser.add_argument(
        "--negatives", type=number_list, default=(64, 256, 1024, 4096), help="default: 64,256,1024,4096"
    )
    parser.add_argument("--max_steps", type=int, default=5000, help="default: 5000")
    parser.add_argument("--eval_every", type=int, default=1000, help="default: 1000")
    parser.add_argument("--runs", type=Path, default=Path("runs/studies"), help="run folders (default: runs/studies)")
    parser.add_argument("--plot_only", action="store_true", help="draw OUTPUT.json again, train nothing")
    flags = parser.parse_args(argv)
    json_path, png_path = (flags.output.with_name(flags.output.name + suffix) for suffix in (".json", ".png"))
    if flags.plot_only:
        if not json_path.is_file():
            raise InputError(f"{json_path}: there is nothing to draw; run the study without --plot_only")
        plot(flags.study, json.loads(json_path.read_text(encoding="utf-8")), png_path)
        return 0
    if flags.dataset is None:
        raise InputError("--dataset is missing: name a prepared dataset")
    data, budget = find_data(flags.dataset), Budget(flags.max_steps, flags.eval_every, patience=15)
    flags.output.parent.mkdir(parents=True, exist_ok=True)
    try:
        series = measure(STUDIES[flags.study](flags.negatives), flags.seeds, data, budget, flags.runs.resolve())
    except RunFailed as error:
        print(error, file=sys.stderr)
        return 1
    content = {"dataset": data.path.name, "split": "test", **vars(budget), "series": series}
    write_json(json_path, content)
    plot(flags.study, content, png_path)
    return 0


if __name__ == "__main__":
    run_main(main)
