"""What diverse lists cost in accuracy."""

from remi_tf.report.charts import curves, svg
from remi_tf.report.gather import LONG, Findings, RunNumbers
from remi_tf.report.page import Html, Section, figure, missing, next_to_each_other, table

HEADING = "Diversity"
RECALL, DIVERSITY = f"recall@{LONG}", f"diversity@{LONG}"


def diversity(findings: Findings) -> Section:
    """Recall against diversity, a point for each strength."""
    if not findings.runs[0].curve:
        return missing(HEADING, "the data have no categories")
    points = {
        run.label: [
            (found.means[DIVERSITY], found.means[RECALL], _lambda(strength))
            for strength, found in run.curve.items()
            if DIVERSITY in found.means
        ]
        for run in findings.runs
    }
    if not all(points.values()):
        return missing(HEADING, "no list holds two items")
    about = "; ".join(
        f"{label}: at λ 0 recall {each[0][1]:.4f} and diversity {each[0][0]:.4f}, at the highest λ "
        f"{each[-1][1]:.4f} and {each[-1][0]:.4f}"
        for label, each in points.items()
    )
    return Section(
        HEADING,
        f"{_which(findings)} A higher λ takes fewer items of one category, from 0 (the plain list) to ∞ (a new "
        "category as long as there is one): choose the λ at which recall has lost little.",
        (
            next_to_each_other(
                figure(
                    svg(curves(points, DIVERSITY, RECALL), f"{about}."),
                    "The labels are λ, where there is room for them.",
                ),
                *map(_table, findings.runs),
            ),
        ),
    )


def _which(findings: Findings) -> str:
    """Whose recall it is: not always that of the metrics."""
    some, every, split = len(findings.runs[0].curve[0.0].users), len(findings.users), findings.asked.split
    if some == every:
        return f"The curve is of all {every:,} {split} users."
    return f"The curve is of the first {some:,} {split} users only; the metrics above are of all {every:,}."


def _table(run: RunNumbers) -> Html:
    rows = [
        (f"λ = {_lambda(strength)}", *map(found.means.get, (RECALL, DIVERSITY)))
        for strength, found in run.curve.items()
    ]
    return table(["strength", RECALL, DIVERSITY], rows, run.label)


def _lambda(strength: float) -> str:
    return "∞" if strength == float("inf") else f"{strength:g}"
