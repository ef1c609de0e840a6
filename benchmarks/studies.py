"""Studies of the objective on one dataset, as in REMI's figures 3 and 6: one curve for each series.

    python benchmarks/studies.py samplers --dataset amazon-books-sample --output docs/results/samplers
    python benchmarks/studies.py beta_lambda --dataset amazon-books-sample --output docs/results/beta-lambda

samplers: plain SA with each sampler against the number of negatives N. IHN (uniform negatives with beta 1) is another
curve, and full softmax is a line.
beta_lambda: SA with IHN and RR, against IHN's beta at lambda 100, and against RR's lambda at beta 1.
All runs have the hard readout of the papers, and the first target and the learning rate of the default recipe. The plot
has recall@50 of the validation users, because values are chosen by it. OUTPUT.json also has that of the test users. The
runs are those of benchmarks/quality.py: a finished run is not trained again. `--plot_only` draws OUTPUT.png from the
JSON.
"""

import json
import statistics
import sys
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from quality import Budget, RunFailed, System, add_run_flags, find_data, run  # sets the import path
from systems import settings_of

from remi_tf.commands.cli import Parser, number_list, run_main
from remi_tf.errors import InputError
from remi_tf.files import atomic_file, write_json
from remi_tf.settings.exclusion import in_words
from remi_tf.settings.names import known_settings

STUDIES = ("samplers", "beta_lambda")
COMMON = "--learning_rate 0.003 --first_target 1"
PLOTTED, METRICS = "valid_recall@50", ("valid_recall@50", "recall@50")
NEGATIVES = (64, 256, 1024, 4096)
LARGEST_POOL = 8192  # ids that dns, srns and genni score for every user; more negatives are left out of their curves
Series = dict[str, list[tuple[float | None, str]]]  # a curve's name → its points (x or None for a line, flags)


def samplers(negatives: tuple[int, ...], batch_size: int) -> Series:
    """The curves of REMI's figure 3; mns needs more negatives than the batch has targets."""
    plain = f"SA {COMMON} --sampler"
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


def beta_lambda() -> Series:
    """The curves of REMI's figure 6."""
    remi = f"SA {COMMON} --sampler uniform"
    betas, lambdas = (0, 0.1, 0.5, 1, 2, 5, 10), (0, 10, 30, 100, 300, 1000)
    return {
        "beta (lambda 100)": [(beta, f"{remi} --beta {beta} --rr_lambda 100") for beta in betas],
        "lambda (beta 1)": [(value, f"{remi} --beta 1 --rr_lambda {value}") for value in lambdas],
    }


class Measured:
    """The figures of every point by seed. OUTPUT.json is written again with each of them.

    Args:
      about: what is the same for all points.
    """

    def __init__(self, path: Path, about: dict[str, Any]):
        self.path, self.content = path, {**about, "series": {}}

    def add(self, series: str, x: float | None, system: str, seed: int, result: dict[str, Any]) -> None:
        """Add the figures of one run."""
        point = self.content["series"].setdefault(series, {}).setdefault(system, {"x": x, "seeds": {}})
        point["seeds"][str(seed)] = {name: result[name] for name in METRICS}
        write_json(self.path, self.content)


def plot(content: dict[str, Any], path: Path) -> None:
    """One panel with the curves over N, or one panel for beta and one for lambda. Points are means over seeds."""
    names, over_negatives = list(content["series"]), content["study"] == "samplers"
    panels = [names] if over_negatives else [[name] for name in names]
    figure, axes = plt.subplots(1, len(panels), figsize=(6.5 * len(panels), 4.5), squeeze=False)
    for axis, shown in zip(axes[0], panels, strict=True):
        for name in shown:
            points = [
                (point["x"], statistics.mean(seed[PLOTTED] for seed in point["seeds"].values()))
                for point in content["series"][name].values()
            ]
            if points[0][0] is None:
                axis.axhline(points[0][1], linestyle="--", color="black", label=name)
            else:
                axis.plot(*zip(*points, strict=True), marker="o", label=name)
        axis.set_xscale("log", base=2) if over_negatives else axis.set_xscale("symlog", linthresh=0.1)
        axis.set_xlabel("negatives per step, N" if over_negatives else shown[0])
        axis.set_ylabel("recall@50 of validation users")
        axis.set_title(f"{content['dataset']}, {content['max_steps']:,} steps")
        axis.grid(alpha=0.3)
        if over_negatives:
            axis.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    figure.tight_layout()
    with atomic_file(path, "wb") as file:
        figure.savefig(file, format="png", dpi=110)
    plt.close(figure)


def main(argv: list[str]) -> int:
    """Run a study, or draw it again.

    Raises:
      InputError: a flag cannot be used, there is no dataset, or there is no JSON to draw.
    """
    parser = Parser(description=__doc__)
    parser.add_argument("study", choices=STUDIES)
    parser.add_argument("--dataset", help="name below data/ or path of a prepared dataset")
    parser.add_argument("--output", type=Path, required=True, help="the results go to OUTPUT.json and OUTPUT.png")
    default = ",".join(map(str, NEGATIVES))
    parser.add_argument(
        "--negatives", type=number_list, help=f"values of N in the study of samplers (default: {default})"
    )
    add_run_flags(parser, (1,), 5000, "runs/studies")
    parser.add_argument("--plot_only", action="store_true", help="draw OUTPUT.json again, train nothing")
    flags = parser.parse_args(argv)
    if flags.negatives and flags.study != "samplers":
        raise InputError("--negatives: only the study of samplers has that axis; leave it out")
    json_path, png_path = (flags.output.with_name(flags.output.name + suffix) for suffix in (".json", ".png"))
    if flags.plot_only:
        plot(_to_draw(json_path, flags.study), png_path)
        return 0
    if flags.dataset is None:
        raise InputError("--dataset is missing: name a prepared dataset")
    data, budget = find_data(flags.dataset, flags.exclude_history), Budget.of(flags)
    print(in_words(data.exclude_history, data.repeats), flush=True)
    if flags.study == "samplers":
        series = samplers(flags.negatives or NEGATIVES, settings_of(["SA"], data.name).training.batch_size)
    else:
        series = beta_lambda()
    flags.output.parent.mkdir(parents=True, exist_ok=True)
    about = {"study": flags.study, "dataset": data.path.name, "fingerprint": data.fingerprint, **vars(budget)}
    about |= {"exclude_history": data.exclude_history}
    measured = Measured(json_path, about)
    for seed in flags.seeds:
        for name, points in series.items():
            for x, text in points:
                system = System.parse(text, flags.seeds)
                try:
                    result = run(system, seed, data, budget, flags.runs.resolve(), threads=1)
                except RunFailed as error:
                    print(f"{system.name} seed {seed}: {error}", file=sys.stderr)
                    return 1
                print(f"{system.name} seed {seed}: {PLOTTED} {result[PLOTTED]:.4f}", flush=True)
                measured.add(name, x, system.name, seed, result)
    plot(measured.content, png_path)
    return 0


def _to_draw(path: Path, study: str) -> dict[str, Any]:
    if not path.is_file():
        raise InputError(f"{path}: there is nothing to draw; run the study without --plot_only")
    content = json.loads(path.read_text(encoding="utf-8"))
    if content.get("study") != study:
        raise InputError(f"{path}: it holds the study {content.get('study')}, not {study}")
    return content


if __name__ == "__main__":
    run_main(main)
