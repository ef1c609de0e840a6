"""The tables that evaluate prints."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from remi_tf.errors import command

if TYPE_CHECKING:
    from remi_tf.evaluation.paired_test import Comparison
    from remi_tf.evaluation.tally import Evaluation

OF_CURVE = ("recall", "hit_rate", "ndcg", "diversity")
NO_CATEGORIES = "the data have no categories, so there is no diversity and no category_coverage"


def table(rows: Mapping[str, Mapping[str, Any]], columns: Iterable[str] = ()) -> str:
    """A text table: one row for each key, one column for each name; "–" where a row has no value.

    Args:
      columns: names of the columns; without them, all names.
    """
    names = list(columns) or _names(rows)
    width = max(map(len, rows))
    lines = [" " * width + "".join(f"  {name:>{max(7, len(name))}}" for name in names)]
    for label, values in rows.items():
        cells = [f"  {_cell(values.get(name)):>{max(7, len(name))}}" for name in names]
        lines.append(f"{label:<{width}}" + "".join(cells))
    return "\n".join(lines)


def metric_tables(results: Mapping[str, "Evaluation"], has_categories: bool) -> str:
    """One row for each system: a table of accuracy, and for each cut-off one of what the lists hold."""
    from remi_tf.evaluation.list_metrics import NAMES, WHOLE_SPLIT_NAMES

    rows = {system: result.figures for system, result in results.items()}
    names = _names(rows)
    of_lists = [name for name in names if _metric(name) in (*NAMES, *WHOLE_SPLIT_NAMES)]
    parts = [table(rows, [name for name in names if name not in of_lists])]
    for n in dict.fromkeys(_cut_off(name) for name in of_lists):
        parts.append(table(rows, [name for name in of_lists if _cut_off(name) == n]))
    if of_lists and not has_categories:
        parts.append(f"{NO_CATEGORIES}; {command('prepare', '--category_col')} adds them")
    return "\n".join(parts)


def segment_table(by_segment: Mapping[str, Sequence[Mapping[str, Any]]], system: str, n: int) -> str:
    """One row for each segment, with a system's metrics at the cut-off `n`. Takes what `segments.by_segment` gives."""
    rows: dict[str, dict[str, Any]] = {}
    for kind, parts in by_segment.items():
        for part in parts:
            metrics = {name: value for name, value in part["metrics"][system].items() if _cut_off(name) == n}
            rows[f"{kind}: {part['segment']}"] = {"users": part["users"], **metrics}
    return table(rows)


def curve_table(curve: Mapping[float, "Evaluation"]) -> str:
    """One row for each strength λ."""
    rows = {f"λ = {strength:g}": result.means for strength, result in curve.items()}
    return table(rows, [name for name in _names(rows) if _metric(name) in OF_CURVE])


def cold_table(found: Mapping[str, Any]) -> str:
    """What `ColdReport.figures` has: a sentence, and one row for each way to rank cold items among themselves."""
    lists = (
        f"Cold items: {found['share_of_lists']:.1%} of the lists, {found['share_of_targets']:.1%} of the targets; "
        f"recall@50 of warm targets {_cell(found['warm'])}, of cold ones {_cell(found['cold'])}"
    )
    rows = {name: {f"recall@{found['length']}": value} for name, value in found["among"].items()}
    return f"{lists}\nranked among cold items only ({found['users']:,} users with cold targets):\n{table(rows)}"


def comparison_table(found: Mapping[str, "Comparison"]) -> str:
    """One row for each metric."""
    from remi_tf.evaluation.paired_test import p_in_words

    rows: dict[str, dict[str, Any]] = {}
    for name, row in found.items():
        means = {"A": row.mean_a, "B": row.mean_b, "A - B": f"{row.difference:+.4f}"}
        rows[name] = {**means, "p": p_in_words(row.p), "users": row.users}
    return table(rows)


def _names(rows: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """All names of the rows' values, in the order of their first row."""
    return list(dict.fromkeys(name for values in rows.values() for name in values))


def _metric(name: str) -> str:
    return name.split("@")[0]


def _cut_off(name: str) -> int:
    return int(name.split("@")[1])


def _cell(value: float | int | str | None) -> str:
    if value is None:
        return "–"
    return value if isinstance(value, str) else f"{value:,}" if isinstance(value, int) else f"{value:.4f}"
