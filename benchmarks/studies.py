"""The figures and tables of the papers on one dataset: one study, one command.

    python benchmarks/studies.py remi_parts --dataset amazon-books-sample --output docs/results/remi_parts-books
    python benchmarks/studies.py mtmi_grid --dataset ml-100k --output docs/results/mtmi_grid-ml-100k --plot_only

A study trains its systems with each seed, and writes OUTPUT.json and a picture, OUTPUT.png; a table is OUTPUT.md too.
The runs are those of benchmarks/quality.py: a finished run is not trained again, and studies share runs, so an
interrupted study goes on. Systems have the training of their paper (--recipe paper, mtmi or mtmi_study), and the budget
of this command. Weights are chosen on validation users, figures are of test users unless a label says otherwise.
Where --exclude_history is auto, REMI's and MTMI's lists have the history, and BaM's do not, as in the papers.

studies:
{studies}
"""

import json
from pathlib import Path
from typing import Any

from paper_studies.grid import Grid
from paper_studies.routing import Routing
from paper_studies.series import CURVES, NEGATIVES
from paper_studies.shares import Shares
from paper_studies.study import Asked, Study, beside
from paper_studies.systems_of_papers import SYSTEMS
from paper_studies.weights import Weights
from quality import Budget, add_jobs, add_run_flags, at_least_one, find_data

from remi_tf.commands.cli import Parser, number_list, run_main
from remi_tf.errors import InputError
from remi_tf.settings.exclusion import in_words

STUDIES: dict[str, Study] = {
    **CURVES,
    **SYSTEMS,
    "remi_routing": Routing(),
    "remi_weights": Weights(),
    "bam_shares": Shares(),
    "mtmi_grid": Grid(),
}
OPTIONS = {"negatives": "--negatives", "users": "--users", "best_k": "--best_k"}


def main(argv: list[str]) -> int:
    """Run a study, or draw it again.

    Raises:
      InputError: a flag cannot be used, there is no dataset or one that cannot answer, or there is no JSON to draw.
    """
    flags = _parser().parse_args(argv)
    study = STUDIES[flags.study]
    for name, flag in OPTIONS.items():
        if getattr(flags, name) and name not in study.options:
            having = ", ".join(other for other in sorted(STUDIES) if name in STUDIES[other].options)
            raise InputError(f"{flag}: {flags.study} does not have it; leave it out (studies that have it: {having})")
    if flags.plot_only:
        study.draw(_to_draw(flags.output, flags.study), flags.output)
        return 0
    if flags.dataset is None:
        raise InputError("--dataset is missing: name a prepared dataset")
    history = study.history if flags.exclude_history == "auto" else flags.exclude_history
    data = find_data(flags.dataset, history, flags.top_n)
    print(in_words(data.exclude_history, data.repeats), flush=True)
    flags.output.parent.mkdir(parents=True, exist_ok=True)
    failed = study.measure(
        Asked(
            flags.study, data, Budget.of(flags), flags.seeds, flags.runs, flags.jobs, flags.output,
            flags.negatives, flags.users, flags.best_k,
        )
    )  # fmt: skip
    if beside(flags.output, ".json").is_file():  # else no run has ended well
        study.draw(_to_draw(flags.output, flags.study), flags.output)
    return 1 if failed else 0


def _parser() -> Parser:
    ordered = sorted(STUDIES, key=lambda name: (name in ("samplers", "beta_lambda"), name))
    width = max(map(len, ordered))
    listed = "\n".join(f"  {name:{width}}  {STUDIES[name].about}" for name in ordered)
    parser = Parser(description=(__doc__ or "").replace("{studies}", listed))
    parser.add_argument("study", choices=ordered, metavar="STUDY", help="one of those above")
    parser.add_argument("--dataset", help="name below data/ or path of a prepared dataset")
    parser.add_argument("--output", type=Path, required=True, help="the results go to OUTPUT.json and OUTPUT.png")
    default = ",".join(map(str, NEGATIVES))
    parser.add_argument("--negatives", type=number_list, help=f"values of N where N is the axis (default: {default})")
    parser.add_argument("--users", type=at_least_one, metavar="N", help="users in a picture of users (default: 2 or 3)")
    best = "try 2, 4, 6 and 8 interests for each baseline that has several, and show the best on validation users"
    parser.add_argument("--best_k", action="store_true", help=best)
    add_run_flags(parser, (1,), 5000, "runs/studies")
    add_jobs(parser)
    parser.add_argument("--plot_only", action="store_true", help="draw OUTPUT.json again, train nothing")
    return parser


def _to_draw(output: Path, study: str) -> dict[str, Any]:
    path = beside(output, ".json")
    if not path.is_file():
        raise InputError(f"{path}: there is nothing to draw; run the study without --plot_only")
    content = json.loads(path.read_text(encoding="utf-8"))
    if content.get("study") != study:
        raise InputError(f"{path}: it holds the study {content.get('study')}, not {study}")
    return content


if __name__ == "__main__":
    run_main(main)
