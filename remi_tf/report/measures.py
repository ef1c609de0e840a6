"""Metrics: of the whole split next to the yardsticks, of segments of users, and two runs tested against each other."""

from remi_tf.evaluation.list_metrics import NAMES, WHOLE_SPLIT_NAMES
from remi_tf.evaluation.paired_test import compare_evaluations, p_in_words
from remi_tf.evaluation.segments import by_segment, segments
from remi_tf.numbers import fixed
from remi_tf.report.gather import LONG, Findings
from remi_tf.report.page import Html, Section, element, joined, next_to_each_other, paragraph, table

OF_SEGMENT = (f"recall@{LONG}", f"ndcg@{LONG}")
KINDS = {
    "history": "By the length of the history",
    "category_spread": "By the spread of the history over categories (effective number of categories)",
    "target_popularity": "By the popularity of the targets (each part has a third of the training interactions)",
}


def metrics(findings: Findings) -> Section:
    """All metrics, one column for each system."""
    evaluations = findings.evaluations
    figures = {name: evaluation.figures for name, evaluation in evaluations.items()}
    names = list(dict.fromkeys(name for values in figures.values() for name in values))
    of_lists = [name for name in names if name.split("@")[0] in (*NAMES, *WHOLE_SPLIT_NAMES)]

    def of(chosen: list[str]) -> Html:
        return table(["metric", *figures], [[name, *(each.get(name) for each in figures.values())] for name in chosen])

    users, split = len(findings.users), findings.asked.split
    without = findings.runs[0].evaluation.without_targets
    lines = [f"{users:,} {split} users; {without:,} more have no targets.", findings.about_knn]
    lines += [f"{run.label}: {run.boost}" for run in findings.runs if run.boost]
    if findings.items.categories is None:
        lines.append("The data have no categories, so there is no diversity and no category_coverage.")
    return Section(
        "Metrics",
        "Higher is better, except for gini: is the model ahead of MostPopular and ItemKNN, which are only counted?",
        (
            next_to_each_other(
                joined(
                    element("h3", "Is the list right?"),
                    of([name for name in names if name not in of_lists]),
                ),
                joined(element("h3", "What does the list hold?"), of(of_lists)),
            ),
            *(paragraph(line, kind="note") for line in lines),
        ),
    )


def comparison(findings: Findings) -> Section:
    """The paired test of every metric of two runs."""
    a, b = findings.runs
    rows = [
        (name, row.mean_a, row.mean_b, Html(fixed(row.difference, 4, "+")), p_in_words(row.p))
        for name, row in compare_evaluations([a.evaluation], [b.evaluation]).items()
    ]
    return Section(
        "Is A better than B?",
        "A small p says that other users would show the same; it says nothing of other seeds, and with many metrics "
        "some p are small by chance.",
        (
            table(
                ["metric", "A", "B", "A − B", "p"],
                rows,
                f"Paired t-test over {len(findings.users):,} {findings.asked.split} users",
            ),
        ),
    )


def of_segments(findings: Findings) -> Section:
    """Tables of the metrics of `OF_SEGMENT`, by kind of segment."""
    data = findings.dataset.split(findings.asked.split)
    found = by_segment(segments(data, findings.users, findings.items), findings.evaluations)
    parts = []
    for kind, rows in found.items():
        parts.append(element("h3", KINDS[kind]))
        tables = []
        for metric in OF_SEGMENT:
            cells = [
                [row["segment"], row["users"], *(each.get(metric) for each in row["metrics"].values())] for row in rows
            ]
            tables.append(table(["segment", "users", *findings.evaluations], cells, metric))
        parts.append(next_to_each_other(*tables))
    if findings.items.categories is None:
        parts.append(paragraph("By spread over categories: not here, the data have no categories.", kind="missing"))
    return Section("For whom is it good?", "A row is a group of users: compare the columns within a row.", tuple(parts))
