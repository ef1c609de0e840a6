"""Popularity bias: do lists hold popular items more often than users choose them?"""

import numpy as np

from remi_tf.data.dataset.views import targets
from remi_tf.report.charts import bars, svg
from remi_tf.report.gather import LONG, Findings
from remi_tf.report.page import Html, Section, figure, next_to_each_other, table

BANDS = 10


def bands(counts: np.ndarray) -> list[np.ndarray]:
    """The items in ten groups of equal size (fewer where there are fewer items), the most popular ones first.

    Args:
      counts: `[I + 1]` how often each row occurs in training.
    """
    order = 1 + np.argsort(-counts[1:], kind="stable")
    return np.array_split(order, min(BANDS, len(order)))


def popularity(findings: Findings) -> Section:
    """What share of the log, of the targets and of the lists each tenth of the items has."""
    items = findings.items
    wanted, _ = targets(findings.dataset.split(findings.asked.split), findings.users)
    counts = {"log": items.counts, "targets": np.bincount(wanted, minlength=len(items.counts))}
    counts |= {f"lists of {run.label}": run.evaluation.listed[LONG] for run in findings.runs}
    groups = bands(items.counts)
    shares = {name: [float(each[rows].sum() / max(each.sum(), 1)) for rows in groups] for name, each in counts.items()}
    names = [str(number) for number in range(1, len(groups) + 1)]
    words = ", ".join(f"{share[0]:.0%} of the {name}" for name, share in shares.items())
    about = f"Shares by tenths of the items. The most popular tenth has {words}."
    drawing = svg(bars(names, shares, "tenth of the items, the most popular ones first", "share"), about)
    cells = [[number, *(Html(f"{share[at]:.1%}") for share in shares.values())] for at, number in enumerate(names)]
    return Section(
        "Popularity bias",
        "A tenth that is larger in the lists than in the targets is recommended more often than users choose it.",
        (
            next_to_each_other(
                figure(drawing, f"Items in tenths by how often training users have them; lists of {LONG}."),
                table(["tenth", *shares], cells),
            ),
        ),
    )
