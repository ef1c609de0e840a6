"""Some users: their histories, how the model routes them, and their lists."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from remi_tf.data.dataset.folder import Dataset
from remi_tf.report.charts import heat_map, svg
from remi_tf.report.gather import BEST_BY, LONG, Findings, RunNumbers
from remi_tf.report.page import (
    Html,
    Section,
    element,
    figure,
    folded,
    joined,
    listing,
    missing,
    name,
    next_to_each_other,
    paragraph,
    table,
)
from remi_tf.report.users import UserView
from remi_tf.report.words import TITLE, shortened

NEWEST = 20
"""Items of a history, or targets, that are shown."""
SHOWN = (f"recall@{LONG}", BEST_BY)


def sample_users(findings: Findings) -> Section:
    """Users at random, with heat maps of their routing."""
    if not findings.chosen.sample:
        return missing("Some users", "none were asked for (--users 0)")
    routed = [run.label for run in findings.runs if any(view.routing is not None for view in run.views.values())]
    without = [run.label for run in findings.runs if run.label not in routed]
    notes = [f"{' and '.join(without)}: no heat map, as the model has no routing."] if without else []
    if findings.asked.users > len(findings.chosen.sample):
        notes.append(f"{findings.asked.users} were asked for; no more {findings.asked.split} users have targets.")
    return Section(
        "Some users",
        f"Users drawn by the seed {findings.asked.seed}: a dark cell of a heat map says that the interest reads the "
        "item, and a good list serves all that the user reads.",
        (
            *(paragraph(note, kind="missing") for note in notes),
            *(_user(findings, position, routing=True) for position in findings.chosen.sample),
        ),
    )


def extremes(findings: Findings) -> Section:
    """The users with the best and with the worst lists."""
    heading, of_a, chosen = "Best and worst users", " of A" if findings.two else "", findings.chosen
    if not chosen.best:
        return missing(heading, "the split has one user with targets only")
    return Section(
        heading,
        f"By {BEST_BY}{of_a} (of equal users the seed {findings.asked.seed} chooses): what the worst ones share is "
        "what the model has not learnt.",
        (
            element("h3", "The best"),
            *(_user(findings, position) for position in chosen.best),
            element("h3", "The worst"),
            *(_user(findings, position) for position in chosen.worst),
        ),
    )


def _user(findings: Findings, position: int, routing: bool = False) -> Html:
    """One user, as every run sees the user."""
    dataset, split = findings.dataset, findings.asked.split
    at = int(findings.users[position])
    heading = element("h3" if routing else "h4", "User ", name(shortened(findings.user_ids[position], TITLE)))
    length = int(dataset.split(split).cuts[at])
    view = findings.runs[0].views[position]
    read, chose = view.history[::-1][:NEWEST], view.targets[:NEWEST]
    parts = [
        heading,
        next_to_each_other(
            folded(f"History: {length:,}, the newest {len(read)} first", listing(_names(dataset, read))),
            folded(
                f"Targets: {len(view.targets):,}" + (f", {NEWEST} of them" if len(view.targets) > NEWEST else ""),
                listing(_names(dataset, chose)),
            ),
        ),
        next_to_each_other(*(_of_run(findings, run, position, routing) for run in findings.runs)),
    ]
    return element("article", *parts)


def _of_run(findings: Findings, run: RunNumbers, position: int, routing: bool) -> Html:
    view, evaluation = run.views[position], run.evaluation
    scores = ", ".join(f"{metric} {evaluation.per_user[metric][position]:.2f}" for metric in SHOWN)
    heat_maps = [_heat_map(findings.dataset, view)] if routing and view.routing is not None else []
    label = f"{run.label}: " if findings.two else ""
    # The list first: where there is no room for both, as with two runs, the lists of the runs begin at one height.
    return joined(paragraph(label, scores), next_to_each_other(_list(findings.dataset, view), *heat_maps))


def _list(dataset: Dataset, view: UserView) -> Html:
    """The list, and which interest found what."""
    hits, has_interests = np.isin(view.listed, view.targets), view.interests is not None
    by = view.interests if view.interests is not None else [None] * len(view.listed)
    head = ["", "item", *(["interest"] if has_interests else []), "target?"]
    rows = [
        [
            str(place),
            label,
            *([str(which) if which is not None and which >= 0 else None] if has_interests else []),
            "✓ target" if hit else "",
        ]
        for place, (label, which, hit) in enumerate(zip(_names(dataset, view.listed), by, hits, strict=True), start=1)
    ]
    return table(head, rows, f"The first {len(rows)} of the list")


def _heat_map(dataset: Dataset, view: UserView) -> Html:
    """Newest item first; what is older than `NEWEST` items is one row."""
    assert view.routing is not None
    weights, items = view.routing.T[::-1], view.history[::-1]  # [n, K]
    labels = [_title(dataset, row) for row in items[:NEWEST]]
    shown = weights[:NEWEST]
    if len(items) > NEWEST:
        labels.append(f"{len(items) - NEWEST} older items")
        shown = np.concatenate([shown, weights[NEWEST:].sum(axis=0, keepdims=True)])
    names = [str(number) for number in range(shown.shape[1])]
    high = float(np.nanmax(shown[:NEWEST], initial=0.01))
    there = np.flatnonzero(~np.isnan(shown).all(axis=0))  # a user may have fewer interests
    most = [f"interest {k} reads {labels[int(np.argmax(shown[:, k]))]} most" for k in there]
    about = "Routing: " + "; ".join(most) + "."
    drawing = svg(heat_map(shown, labels, names, "interest", high=high), about)
    return figure(drawing, "How much each interest reads of each item, the newest first; a column sums to 1.")


def _names(dataset: Dataset, rows: Sequence[int] | np.ndarray) -> list[Html]:
    """What the items are called. The id is a tooltip, and is written behind titles that several of the items have."""
    shown = [shortened(_title(dataset, row), TITLE) for row in rows]
    ids = [shortened(raw_id, TITLE) for raw_id in dataset.vocabulary.raw_ids(rows)]
    once = dict.fromkeys(zip(shown, ids, strict=True))  # a history may have an item several times
    having = Counter(title for title, _ in once)
    return [
        joined(name(title, raw_id), element("small", " ", name(raw_id)) if having[title] > 1 else "")
        for title, raw_id in zip(shown, ids, strict=True)
    ]


def _title(dataset: Dataset, row: int) -> str:
    """The title of an item; its id where there is none."""
    titles = dataset.titles
    return (titles[row - 1] if titles else "") or dataset.vocabulary.raw_ids([row])[0]
