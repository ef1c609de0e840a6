"""What leaving users' histories in their lists costs, and what leaving them out costs: for --exclude_history auto.

    python benchmarks/history.py --run_dir runs/books runs/ml-1m

For each run, lists of --top_n items for the users of a split, with the history left in and left out. Targets are
counted over all users. A target is repeated if it occurs in its user's history, else it is new. Left out, a history
costs the repeated targets that lists would have found; left in, it costs the new ones that have no place. Both are
equal at the break-even: the share of repeats at which the lists find as many targets either way, if new and repeated
targets are found as often as they are now.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from systems import ROOT  # noqa: F401  # sets the import path

from remi_tf.commands.cli import Parser, run_main
from remi_tf.quiet_loading import load_tensorflow

load_tensorflow()

from remi_tf.data.dataset.interactions import Interactions
from remi_tf.data.dataset.views import features, histories, targets
from remi_tf.files import write_json
from remi_tf.model import Encodes
from remi_tf.retrieval.top_k import SCORE_BYTES
from remi_tf.systems import best
from remi_tf.training.run_folder import load_saved_run

BATCH = 100  # users at a time
COLUMNS = ("repeats", "places", "new in", "new out", "repeated in", "all in", "all out", "break-even")


def keys(rows: np.ndarray, ids: np.ndarray, num_items: int) -> np.ndarray:
    """One number for each (user, item)."""
    return rows.astype(np.int64) * (num_items + 1) + ids


def found(model: Encodes, users: Interactions, top_n: int) -> dict[str, np.ndarray]:
    """For every target of the users, in order: is it repeated, and is it in the list, with the history in and out.

    Returns:
      repeated, in, out: `[T]` bool; places: `[U]` how many items of the own history the list holds, left in.
    """
    num_items, parts = int(model.item_table.shape[0]) - 1, []
    for start in range(0, users.num_users, BATCH):
        batch = np.arange(start, min(start + BATCH, users.num_users))
        history = histories(users, batch, model.max_history)
        whole = histories(users, batch, int(users.cuts[batch].max()))
        known = features(users, batch, model.max_history, model.needs)
        after, offsets = targets(users, batch)
        own = keys(np.arange(len(batch))[:, None], whole, num_items)
        of_targets = keys(np.repeat(np.arange(len(batch)), np.diff(offsets)), after, num_items)
        part = {"repeated": np.isin(of_targets, own)}
        for name, exclude in (("in", None), ("out", whole)):
            ids = best(model, history, top_n, exclude, SCORE_BYTES, **known)[0].numpy()
            listed = keys(np.arange(len(batch))[:, None], ids, num_items)
            part[name] = np.isin(of_targets, listed)
            if name == "in":
                part["places"] = (np.isin(listed, own) & (ids > 0)).sum(axis=1)
        parts.append(part)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def figures(found: dict[str, np.ndarray], repeats: float) -> dict[str, float | None]:
    """The columns of the table; None where there is no target of the kind."""
    new, repeated = ~found["repeated"], found["repeated"]
    row: dict[str, float | None] = {"repeats": repeats, "places": float(found["places"].mean())}
    row |= {f"new {way}": float(found[way][new].mean()) for way in ("in", "out")}
    row["repeated in"] = float(found["in"][repeated].mean()) if repeated.any() else None
    row |= {f"all {way}": float(found[way].mean()) for way in ("in", "out")}
    gain, lost = float(row["new out"] or 0) - float(row["new in"] or 0), row["repeated in"]
    row["break-even"] = gain / (gain + (1.0 if lost is None else lost))  # none repeated: as if all of them were found
    return row


def markdown(rows: dict[str, dict[str, float | None]]) -> str:
    """One row for each log."""
    lines = ["| log | " + " | ".join(COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    for name, row in rows.items():
        cells = ["–" if (value := row[column]) is None else f"{value:.4f}" for column in COLUMNS]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main(argv: Sequence[str]) -> int:
    """Print the table.

    Raises:
      InputError: there is no such run, or its data are gone.
    """
    parser = Parser(description=__doc__)
    parser.add_argument("--run_dir", type=Path, nargs="+", required=True, help="runs of any models and logs")
    parser.add_argument("--split", choices=("valid", "test"), default="valid", help="users (default: valid)")
    parser.add_argument("--top_n", type=int, default=50, help="items of a list (default: 50)")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    flags: argparse.Namespace = parser.parse_args(argv)
    rows = {}
    for path in flags.run_dir:
        run = load_saved_run(path)
        of_targets = found(run.model, run.dataset.split(flags.split), flags.top_n)
        rows[run.dataset.name] = figures(of_targets, run.dataset.repeats)
    print(markdown(rows))
    if flags.json:
        write_json(flags.json, {"split": flags.split, "top_n": flags.top_n, "logs": rows})
    return 0


if __name__ == "__main__":
    run_main(main)
