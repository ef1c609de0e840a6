"""What recommenders of other projects reach on the same dataset folders, with the same users, lists and metrics.

    python -m venv outside-env && outside-env/bin/pip install -r benchmarks/requirements-outside.txt
    outside-env/bin/python benchmarks/outside.py --dataset data/ml-1m data/yelp-2019 --choose [--json FILE]

It runs in an environment of its own, so it imports nothing of remi_tf and reads the folders itself. The systems:
  als      implicit: alternating least squares. Users are folded in: their vector is solved from their history
  bm25     implicit: item-item neighbours, weighted by BM25
  sasrec   RecTools: SASRec as it comes (softmax over all items), of --factors dimensions
  esasrec  RecTools: SASRec of LiGR layers with sampled softmax, 256 negatives
All learn from the training users' sequences and recommend to the users of a split from their history alone. Settings
are the libraries' own, but for the factors. --choose also tries those in CHOICES on the valid users, and adds a row if
another one has the better recall@50. The epochs of sasrec and esasrec are always chosen there: the valid users are
scored every --every epochs, and training ends after --patience scores without a gain.

As in remi_tf the whole history is left out of the lists, unless 2% or more of the targets repeat an item of it.
"""

import argparse
import json
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

CUT_OFFS = (20, 50)
CHOSEN_BY = "recall@50"
MOST_REPEATS = 0.02  # remi_tf.settings.exclusion.MOST_REPEATS
SYSTEMS = ("als", "bm25", "sasrec", "esasrec")
CHOICES: dict[str, list[dict[str, Any]]] = {
    "als": [{}, *({"alpha": alpha} for alpha in (10.0, 40.0, 100.0)), {"regularization": 10.0}],
    "bm25": [{}, {"K": 100}, {"K": 500}, {"K": 500, "B": 0.25}, {"K": 500, "B": 0.0}],
}
"""The first is the library's own."""


@dataclass(frozen=True)
class Users:
    """Histories and targets, each flat with the offsets of the users."""

    history: np.ndarray
    history_offsets: np.ndarray
    targets: np.ndarray
    target_offsets: np.ndarray

    @property
    def count(self) -> int:
        return len(self.target_offsets) - 1


@dataclass(frozen=True)
class Log:
    """A dataset folder: the training users (everything is history), the users to score and those to choose on."""

    name: str
    num_items: int
    repeats: float
    train: Users
    valid: Users
    scored: Users

    @property
    def exclude_history(self) -> bool:
        return self.repeats < MOST_REPEATS


Lists = Callable[[Users], np.ndarray]
"""Users → `[U, 50]` rows, best first; 0 = nothing."""


def owners(offsets: np.ndarray) -> np.ndarray:
    """`[n]` the user of each item."""
    return np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))


def split_of(items: np.ndarray, offsets: np.ndarray, cuts: np.ndarray, need_targets: bool = True) -> Users:
    """The users that have targets, or all of them."""
    lengths = np.diff(offsets)
    user, kept = owners(offsets), lengths > cuts if need_targets else np.ones(len(lengths), bool)
    kept_item, in_history = kept[user], np.arange(len(items)) < (offsets[:-1] + cuts)[user]

    def ends(counts: np.ndarray) -> np.ndarray:
        return np.concatenate([[0], np.cumsum(counts[kept])])

    history, targets = items[kept_item & in_history], items[kept_item & ~in_history]
    return Users(history, ends(cuts), targets, ends(lengths - cuts))


def share_of_repeats(items: np.ndarray, offsets: np.ndarray) -> float:
    """The share of training users' targets, cut as test users are, that their history has. 0 without targets."""
    lengths = np.diff(offsets)
    users = split_of(items, offsets, (lengths * 0.8).astype(np.int64))
    stride = np.int64(items.max(initial=0)) + 1
    wanted = owners(users.target_offsets) * stride + users.targets  # one number for each (user, item)
    repeated = np.isin(wanted, owners(users.history_offsets) * stride + users.history)
    return float(repeated.mean()) if len(repeated) else 0.0


def read_log(folder: Path, split: str) -> Log:
    """Read a folder that `remi-tf prepare` wrote."""
    if not (folder / "manifest.json").is_file():
        raise SystemExit(f"--dataset {folder}: no prepared dataset there; data/README.md says how to make one")
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))

    def arrays(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        items, offsets, cuts = (np.load(folder / f"{name}_{array}.npy") for array in ("items", "offsets", "cuts"))
        return items, offsets, cuts

    train, valid = arrays("train"), split_of(*arrays("valid"))
    repeats = manifest.get("repeats")  # older folders do not have it
    return Log(
        name=manifest["name"],
        num_items=manifest["num_items"],
        repeats=share_of_repeats(*train[:2]) if repeats is None else repeats,
        train=split_of(*train, need_targets=False),
        valid=valid,
        scored=valid if split == "valid" else split_of(*arrays(split)),
    )


def measure(lists: np.ndarray, users: Users) -> dict[str, float]:
    """Recall and NDCG as remi_tf/evaluation/metrics.py defines them, mean over the users.

    recall: listed targets / targets, where a repeated target counts as often as it occurs. ndcg: the gain of the listed
    targets, as a share of the gain of the user's different targets at the top.
    """
    found: dict[str, list[float]] = {f"{metric}@{n}": [] for n in CUT_OFFS for metric in ("recall", "ndcg")}
    discounts = 1 / np.log2(np.arange(max(CUT_OFFS)) + 2)
    for row, start, end in zip(lists, users.target_offsets, users.target_offsets[1:], strict=False):
        targets = users.targets[start:end]
        hits, distinct = np.isin(row, targets) & (row > 0), len(np.unique(targets))
        for n in CUT_OFFS:
            found[f"recall@{n}"].append(hits[:n].sum() / len(targets))
            found[f"ndcg@{n}"].append(hits[:n] @ discounts[:n] / discounts[: min(distinct, n)].sum())
    return {name: float(np.mean(values)) for name, values in found.items()}


def counts_of(users: Users, num_items: int) -> Any:
    """`[U, I]` sparse: how often each user has each item in the history; column 0 is row 1."""
    from scipy.sparse import csr_matrix

    ones, shape = np.ones(len(users.history), np.float32), (users.count, num_items)
    matrix = csr_matrix((ones, users.history - 1, users.history_offsets), shape=shape)
    matrix.sum_duplicates()
    return matrix


def fit_implicit(system: str, log: Log, settings: dict[str, Any], flags: argparse.Namespace) -> Lists:
    """als or bm25, fitted."""
    from implicit.als import AlternatingLeastSquares
    from implicit.nearest_neighbours import BM25Recommender

    if system == "als":
        own = {"factors": flags.factors, "random_state": flags.seed, "num_threads": flags.threads}
        model, fold_in = AlternatingLeastSquares(**own, **settings), {"recalculate_user": True}
    else:
        model, fold_in = BM25Recommender(num_threads=flags.threads, **settings), {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # BM25 warns of a sparse format that implicit made itself
        model.fit(counts_of(log.train, log.num_items), show_progress=False)

    def lists(users: Users) -> np.ndarray:
        ids, scores = model.recommend(
            np.arange(users.count), counts_of(users, log.num_items), N=max(CUT_OFFS),
            filter_already_liked_items=log.exclude_history, **fold_in,
        )  # fmt: skip
        return np.where(scores > -1e37, ids + 1, 0)  # the lowest number of 32 bits stands for no item

    return lists


def sequences(users: Users) -> Any:
    """The histories as RecTools' dataset: the place in the sequence is the time."""
    import pandas as pd
    from rectools.dataset import Dataset

    user = owners(users.history_offsets)
    times = pd.to_datetime(np.arange(len(users.history)) - users.history_offsets[user], unit="s")
    frame = pd.DataFrame({"user_id": user, "item_id": users.history, "weight": 1.0, "datetime": times})
    return Dataset.construct(frame)


def fit_rectools(system: str, log: Log, flags: argparse.Namespace) -> tuple[Lists, dict[str, Any]]:
    """sasrec or esasrec with the epochs that are best on valid users, and what was found there."""
    import torch
    from pytorch_lightning import seed_everything
    from rectools.models import SASRecModel
    from rectools.models.nn.transformers.ligr import LiGRLayers

    torch.set_num_threads(flags.threads)
    seed_everything(flags.seed, verbose=False)
    enhanced = {"transformer_layers_type": LiGRLayers, "loss": "sampled_softmax", "n_negatives": 256}
    own = {"n_factors": flags.factors, "session_max_len": flags.length}
    model = SASRecModel(**own, **(enhanced if system == "esasrec" else {}))
    train, tried, kept, best, since = sequences(log.train), [], None, -1.0, 0

    def lists(users: Users) -> np.ndarray:
        ids, top = np.zeros((users.count, max(CUT_OFFS)), np.int64), max(CUT_OFFS)
        found = model.recommend(
            np.arange(users.count), sequences(users), k=top, filter_viewed=log.exclude_history,
            on_unsupported_targets="ignore",
        )  # fmt: skip
        ids[found["user_id"].to_numpy(int), found["rank"].to_numpy(int) - 1] = found["item_id"].to_numpy(int)
        return ids

    for epochs in range(flags.every, flags.epochs + 1, flags.every):
        start = time.perf_counter()
        model.fit_partial(train, min_epochs=flags.every, max_epochs=flags.every)
        seconds = time.perf_counter() - start
        score = measure(lists(log.valid), log.valid)[CHOSEN_BY]
        tried.append({"epochs": epochs, CHOSEN_BY: score, "seconds": seconds})
        print(f"{log.name} {system} epochs {epochs}: valid {score:.4f}, {seconds:.0f} s", file=sys.stderr, flush=True)
        since += 1
        if score > best:
            since, best = 0, score
            kept = {name: value.clone() for name, value in model.torch_model.state_dict().items()}
        if since == flags.patience:
            break
    if kept is not None:
        model.torch_model.load_state_dict(kept)
    return lists, {"epochs": max(tried, key=lambda each: each[CHOSEN_BY])["epochs"], "tried": tried}


def rows_of(system: str, log: Log, flags: argparse.Namespace) -> list[dict[str, Any]]:
    """The result with the library's settings and, with --choose, that of better ones."""
    start = time.perf_counter()
    if system in ("sasrec", "esasrec"):
        lists, found = fit_rectools(system, log, flags)
        return [_row(system, log, {"epochs": found["epochs"]}, lists, start) | {"tried": found["tried"]}]
    default, *others = CHOICES[system]
    lists = fit_implicit(system, log, default, flags)
    rows = [_row(system, log, default, lists, start)]
    if flags.choose:
        tried = [(measure(lists(log.valid), log.valid)[CHOSEN_BY], default)]
        for settings in others:
            lists = fit_implicit(system, log, settings, flags)
            tried.append((measure(lists(log.valid), log.valid)[CHOSEN_BY], settings))
        settings = max(tried, key=lambda each: each[0])[1]  # the first of equal ones
        if settings != default:
            start = time.perf_counter()
            rows.append(_row(system, log, settings, fit_implicit(system, log, settings, flags), start))
        rows[-1]["tried"] = [{**settings, CHOSEN_BY: score} for score, settings in tried]
    return rows


def _row(system: str, log: Log, settings: dict[str, Any], lists: Lists, start: float) -> dict[str, Any]:
    fitted = time.perf_counter()
    metrics = measure(lists(log.scored), log.scored)
    seconds = {"fit_seconds": fitted - start, "score_seconds": time.perf_counter() - fitted}
    about = {"log": log.name, "system": system, "settings": settings, "exclude_history": log.exclude_history}
    return {**about, "users": log.scored.count, **metrics, **seconds}


def markdown(row: dict[str, Any]) -> str:
    """One line of the table."""
    settings = ", ".join(f"{name} {value:g}" for name, value in row["settings"].items())
    cells = [row["log"], f"{row['users']:,}", "out" if row["exclude_history"] else "in", row["system"], settings or "–"]
    cells += [f"{row[metric]:.4f}" for metric in (CHOSEN_BY, "ndcg@20")]
    return "| " + " | ".join([*cells, f"{row['fit_seconds']:.1f}", f"{row['score_seconds']:.1f}"]) + " |"


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", type=Path, nargs="+", required=True, help="dataset folders")
    parser.add_argument("--system", nargs="+", choices=SYSTEMS, default=["als", "bm25"], help="default: als bm25")
    parser.add_argument("--split", choices=("valid", "test"), default="test", help="users to score (default: test)")
    parser.add_argument("--choose", action="store_true", help="also the settings of als and bm25 best on valid users")
    parser.add_argument("--factors", type=int, default=64, help="dimensions of all but bm25 (default: 64)")
    parser.add_argument("--length", type=int, default=100, help="items that sasrec and esasrec read (default: 100)")
    parser.add_argument("--epochs", type=int, default=100, help="of sasrec and esasrec, at most (default: 100)")
    parser.add_argument("--every", type=int, default=5, help="epochs between scores of valid users (default: 5)")
    parser.add_argument("--patience", type=int, default=3, help="scores without a gain that end it (default: 3)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1, help="of every library (default: 1)")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    flags = parser.parse_args(argv)
    from threadpoolctl import threadpool_limits

    rows, about = [], {"split": flags.split, "factors": flags.factors, "seed": flags.seed, "threads": flags.threads}
    columns = ["log", "users", "history", "system", "settings", CHOSEN_BY, "ndcg@20", "fit seconds", "score seconds"]
    print("| " + " | ".join(columns) + " |\n" + "|---" * len(columns) + "|", flush=True)
    with threadpool_limits(flags.threads):
        for folder in flags.dataset:
            log = read_log(folder, flags.split)
            for system in flags.system:
                for row in rows_of(system, log, flags):
                    print(markdown(row), flush=True)
                    rows.append(row)
                if flags.json:
                    flags.json.write_text(json.dumps({**about, "rows": rows}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
