"""The metric of the validation users that chooses: the best weights, the settings of what is counted, when to stop."""

import re
from collections.abc import Sequence

from remi_tf.errors import InputError

METRICS = ("recall", "hit_rate", "ndcg", "ndcg_hits")
"""What a run can be chosen by, each at any cut-off."""
DEFAULT = "recall@50"


def check(metric: str) -> None:
    """Refuse text that is no metric@n.

    Raises:
      InputError: an unknown metric, or no cut-off.
    """
    name, _, n = metric.partition("@")
    if name not in METRICS or not re.fullmatch("[1-9][0-9]*", n):
        raise InputError(
            f"--select {metric!r}: give a metric and a cut-off, such as {DEFAULT}; metrics are {', '.join(METRICS)}"
        )


def cut_off(metric: str) -> int:
    """n of metric@n."""
    return int(metric.split("@")[1])


def with_cut_off(top_n: Sequence[int], metric: str) -> tuple[int, ...]:
    """`top_n` and the cut-off of `metric`, each once, ascending."""
    return tuple(sorted({*top_n, cut_off(metric)}))
