"""What the interests do: which of them fills the lists, which finds the targets, and how alike they are."""

import numpy as np

from remi_tf.evaluation.interest_report import sentence
from remi_tf.numbers import fixed
from remi_tf.report.charts import heat_map, svg
from remi_tf.report.gather import LONG, Findings, RunNumbers
from remi_tf.report.page import Html, Section, element, figure, joined, missing, next_to_each_other, paragraph, table

HEADING = "Interests"


def interests(findings: Findings) -> Section:
    """A table of shares and a heat map of cosines, for each run that has several interests."""
    if not any("cosines" in run.evaluation.interests for run in findings.runs):
        return missing(HEADING, "the model has no interests, or one a user: there is nothing to share or to compare")
    return Section(
        HEADING,
        "Collapse shows here: one interest that finds nearly everything, or interests whose cosine is near 1 (they are "
        "numbered from 0, as in recommendations).",
        (next_to_each_other(*map(_of_run, findings.runs)),),
    )


def _of_run(run: RunNumbers) -> Html:
    heading, figures = element("h3", run.label), run.evaluation.interests
    if "cosines" not in figures:
        return joined(heading, paragraph("No interests, or one a user.", kind="missing"))
    hits = figures.get("hit_shares", [None] * len(figures["list_shares"]))
    rows = [
        (str(number), *(None if share is None else Html(f"{share:.0%}") for share in shares))
        for number, shares in enumerate(zip(figures["list_shares"], hits, strict=True))
    ]
    cosines = np.array(figures["cosines"], float)
    names = [str(number) for number in range(len(cosines))]
    drawing = svg(heat_map(cosines, names, names, "cosine of two interests", low=-1), _in_words(run.label, cosines))
    return joined(
        heading,
        paragraph(sentence(figures).capitalize(), "."),
        table(["interest", f"share of the lists of {LONG}", "share of the hits"], rows),
        figure(drawing, "Mean cosine of every two interests, over the users who have both."),
    )


def _in_words(label: str, cosines: np.ndarray) -> str:
    pairs = cosines[np.triu_indices(len(cosines), k=1)]
    pairs = pairs[np.isfinite(pairs)]
    if not len(pairs):
        return f"{label}: no user has two interests."
    return f"{label}: cosines of every two interests, from {fixed(pairs.min(), 2)} to {fixed(pairs.max(), 2)}."
