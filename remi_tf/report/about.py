"""What ran: the data, the settings, the versions."""

from collections.abc import Sequence
from datetime import datetime, timezone

import numpy as np

from remi_tf.data.dataset.folder import Dataset
from remi_tf.data.dataset.interactions import SPLITS
from remi_tf.report.gather import Findings, RunNumbers
from remi_tf.report.page import Html, Section, element, joined, name, next_to_each_other, paragraph, table
from remi_tf.settings.exclusion import in_words
from remi_tf.training.run_config import system_name


def about(findings: Findings) -> Section:
    """The data card, and what the runs are."""
    dataset, asked = findings.dataset, findings.asked
    rows = [(split, dataset.split(split).num_users, len(dataset.split(split).items)) for split in SPLITS]
    return Section(
        "What ran",
        "Which data the model has learnt from, and how it was trained.",
        (
            element("h3", "Data: ", name(dataset.name)),
            next_to_each_other(table(["split", "users", "interactions"], rows), _facts(dataset)),
            paragraph("On this page: ", in_words(asked.exclude_history, dataset.repeats), "."),
            element("h3", "Runs" if findings.two else "Run"),
            _runs(findings.runs),
            next_to_each_other(
                joined(element("h3", "Settings that differ from the defaults of --help"), _settings(findings.runs)),
                joined(element("h3", "Versions"), _versions(findings.runs)),
            ),
        ),
    )


def _facts(dataset: Dataset) -> Html:
    facts: list[Html] = [joined(dataset.num_items, " items")]
    if dataset.num_cold:
        facts.append(joined(dataset.num_cold, " of them are hidden from training (cold items)"))
    facts.append(Html(f"{dataset.repeats:.1%} of the targets repeat an item of their history"))
    facts.append(joined(_dates(dataset) if dataset.has_times else "no times: only the order of the interactions"))
    has = {
        "titles": dataset.titles,
        "categories": dataset.categories,
        "features of items": dataset.features,
        "user profiles": dataset.profile_columns or None,
    }
    facts.append(joined("with ", ", ".join(what for what, there in has.items() if there is not None) or "ids only"))
    facts.append(joined("fingerprint ", dataset.fingerprint[:12]))
    return element("ul", *(element("li", fact) for fact in facts))


def _dates(dataset: Dataset) -> str:
    times = [np.asarray(dataset.split(split).timestamps) for split in SPLITS]
    ends = (min(part.min() for part in times if len(part)), max(part.max() for part in times if len(part)))
    try:
        first, last = (datetime.fromtimestamp(int(end), timezone.utc).date() for end in ends)
    except (ValueError, OverflowError, OSError):  # seconds that no calendar has
        return f"times from {ends[0]} to {ends[1]} seconds"
    return f"from {first} to {last}"


def _runs(runs: Sequence[RunNumbers]) -> Html:
    return table(
        ["", "folder", "model", "best step"],
        [(run.label, name(str(run.path)), system_name(run.config, run.settings), run.step) for run in runs],
    )


def _settings(runs: Sequence[RunNumbers]) -> Html:
    """One row for each setting that differs from the default in some run."""
    differing = dict.fromkeys(each for run in runs for each in run.settings.differences())
    if not differing:
        return paragraph("none")
    values = [run.settings.flat() for run in runs]
    rows = [[each, *(str(flat[each]) if each in flat else None for flat in values)] for each in differing]
    return table(["setting", *(run.label for run in runs)], rows)


def _versions(runs: Sequence[RunNumbers]) -> Html:
    """What the runs were trained with."""
    every = [dict(run.config.get("versions") or {}) for run in runs]
    for versions, run in zip(every, runs, strict=True):
        versions["git revision"] = str(run.config.get("git_revision") or "")[:12]
    names = dict.fromkeys(each for versions in every for each, value in versions.items() if value)
    rows = [[each, *(str(versions[each]) if versions.get(each) else None for versions in every)] for each in names]
    return table(["package", *(run.label for run in runs)], rows)
