"""Learning curves: the parts of the loss, and what validations measured."""

from collections.abc import Iterable, Sequence
from typing import Any

from remi_tf.report.charts import Line, panels, svg
from remi_tf.report.gather import Findings, RunNumbers
from remi_tf.report.page import Section, figure, missing, next_to_each_other
from remi_tf.settings.encoders import ENCODERS

HEADING = "Learning curves"
LOSS, VALID = "loss_", "valid_"
CAPTIONS = {
    "loss": "Parts of the loss: means of the steps since the validation before.",
    "validation": "Metrics of the validation users.",
}
MEASURED = ("recall", "ndcg", "interest_cosine", "effective_items")
"""What is drawn of a validation, at every cut-off where it has some."""


def learning(findings: Findings) -> Section:
    """A panel for each part of the loss and each metric; the runs are lines in it."""
    runs = [run for run in findings.runs if not ENCODERS[run.settings.encoder.model_type].counted and run.measured]
    if not runs:
        return missing(HEADING, "nothing was trained step by step, or nothing was measured on the way")
    names = dict.fromkeys(name for run in runs for line in run.measured for name in line)
    drawn = {f"loss: {name.removeprefix(LOSS)}": [name] for name in names if name.startswith(LOSS)}
    for metric in MEASURED:
        if of_metric := [name for name in names if name.removeprefix(VALID).split("@")[0] == metric]:
            drawn[f"validation: {metric}"] = of_metric
    lines = {title: [line for line in _lines(runs, names) if line.x] for title, names in drawn.items()}
    drawings = []
    for kind, caption in CAPTIONS.items():
        if of_kind := {title: its_lines for title, its_lines in lines.items() if title.startswith(kind) and its_lines}:
            drawings.append(
                figure(svg(panels(of_kind, "step"), f"{kind.capitalize()} curves. {_in_words(runs)}"), caption)
            )
    how = "A loss that still falls, or metrics that still rise, ask for more steps; the star is the best step."
    return Section(HEADING, how, (next_to_each_other(*drawings),))


def _lines(runs: Sequence[RunNumbers], names: Sequence[str]) -> Iterable[Line]:
    for run in runs:
        for name in names:
            points = [(line["step"], line[name]) for line in run.measured if _is_number(line.get(name))]
            x, y = [x for x, _ in points], [y for _, y in points]
            best = next((point for point in points if point[0] == run.step), None)
            at = f"@{name.split('@')[1]}" if "@" in name else ""
            label = " ".join(filter(None, [run.label if len(runs) > 1 else "", at]))
            yield Line(label, x, y, best)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _in_words(runs: Sequence[RunNumbers]) -> str:
    parts = []
    for run in runs:
        first, last = run.measured[0]["step"], run.measured[-1]["step"]
        parts.append(f"{run.label}: measured from step {first:,} to {last:,}, best at step {run.step:,}")
    return "; ".join(parts) + "."
