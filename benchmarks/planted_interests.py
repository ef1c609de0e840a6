"""Do several interests find what users like? Models on a log whose interests are planted, K interests against one.

    python benchmarks/planted_interests.py [--steps 3000] [--seeds 1,2,3] [--json FILE]

Every user of the log (remi_tf/data/tables/synthetic.py) reads 4 of 200 clusters of 10 items. Vectors have 32
dimensions. A planted interest of a test user counts if it occurs in the history that the model reads. A list of N
recommendations *touches* an interest with one item. It *meets* the interest with at least half of its even share: N /
2m items for a user with m interests. Items that a user has read are not recommended, so a model has to know what
belongs together. If there is room for every cluster (--clusters 50 --embedding_dim 64), one well-trained vector finds
as much as four. All systems but the last two are trained as with --recipe paper, so --remi adds REMI's weighting and
regulariser and nothing else. The last two have the default recipe of --remi, without the average of the weights and
without the boost.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from remi_tf.commands.cli import number_list
from remi_tf.quiet_loading import load_tensorflow

load_tensorflow()

import tensorflow as tf

from remi_tf.data.dataset.interactions import Interactions
from remi_tf.data.dataset.views import histories, history_cuts
from remi_tf.data.tables.synthetic import SyntheticSettings, planted_interests, synthetic_frame
from remi_tf.model import Encodes, MultiInterestModel
from remi_tf.settings.presets import compose
from remi_tf.systems import recommend
from remi_tf.training.batches import TrainingBatches, targets_ahead
from remi_tf.training.optimizers import make_optimizer
from remi_tf.training.spectral_start import start_from_log

USERS, ITEMS, INTERESTS = 4000, 2000, 4
TOP_N = 12
REMI: dict[str, Any] = {"remi": True}
DEFAULT = {**REMI, "recipe": "default"}
PER_CANDIDATE = {"readout": "per_candidate"}
# 0.001 is the learning rate of --recipe paper, except for MIND and DR
FASTER, SLOWER = {"learning_rate": 0.005}, {"learning_rate": 0.001}
SYSTEMS: dict[str, tuple[str, dict[str, Any]]] = {  # what each row is called, its model and further flags
    "SA --remi": ("SA", REMI),
    "SA --remi --num_interests 1": ("SA", {**REMI, "num_interests": 1}),
    "SA": ("SA", {}),
    "SA --readout per_candidate": ("SA", PER_CANDIDATE),
    "SA --num_interests 1": ("SA", {"num_interests": 1}),
    "MIND --learning_rate 0.001": ("MIND", SLOWER),
    "MIND --learning_rate 0.001 --num_interests 1": ("MIND", {**SLOWER, "num_interests": 1}),
    "DR --learning_rate 0.001": ("DR", SLOWER),
    "DR --learning_rate 0.001 --num_interests 1": ("DR", {**SLOWER, "num_interests": 1}),
    "SA --remi --learning_rate 0.005": ("SA", {**REMI, **FASTER}),
    "SA --remi --learning_rate 0.005 --num_interests 1": ("SA", {**REMI, **FASTER, "num_interests": 1}),
    "MIND": ("MIND", {}),
    "MIND --num_interests 1": ("MIND", {"num_interests": 1}),
    "DR": ("DR", {}),
    "DR --num_interests 1": ("DR", {"num_interests": 1}),
    "DNN": ("DNN", {}),
    "GRU4REC": ("GRU4REC", {}),
    "SA --remi --recipe default": ("SA", DEFAULT),
    "SA --remi --recipe default --num_interests 1": ("SA", {**DEFAULT, "num_interests": 1}),
}
MARGINS = [  # K = 4, K = 1 of the same training
    ("SA --remi", "SA --remi --num_interests 1"),
    ("SA", "SA --num_interests 1"),
    ("SA --readout per_candidate", "SA --num_interests 1"),
    ("MIND --learning_rate 0.001", "MIND --learning_rate 0.001 --num_interests 1"),
    ("DR --learning_rate 0.001", "DR --learning_rate 0.001 --num_interests 1"),
    ("SA --remi --learning_rate 0.005", "SA --remi --learning_rate 0.005 --num_interests 1"),
    ("MIND", "MIND --num_interests 1"),
    ("DR", "DR --num_interests 1"),
    ("SA --remi --recipe default", "SA --remi --recipe default --num_interests 1"),
]


@dataclass(frozen=True)
class PlantedLog:
    """A log, and the interests that were planted in it.

    train, test: sequences of different users; every item is history.
    cluster: [num_items + 1] int, the cluster of each row of the item table, -1 for padding.
    liked: [test users, num_clusters] bool, what was planted.
    """

    train: Interactions
    test: Interactions
    cluster: np.ndarray
    liked: np.ndarray


def planted_log(settings: SyntheticSettings, train_share: float = 0.8) -> PlantedLog:
    """The synthetic log as arrays. Ids go down in popularity."""
    frame = synthetic_frame(settings)
    items = frame["item_id"].value_counts().index
    cluster = np.array([-1, *(int(item[1:].partition("i")[0]) for item in items)])
    frame["row"] = frame["item_id"].map({item: row for row, item in enumerate(items, 1)})
    frame["user"] = frame["user_id"].str[1:].astype(int)
    frame = frame.sort_values("user", kind="stable")
    train_users = int(train_share * settings.num_users)
    clusters, weights = planted_interests(settings)
    liked = np.zeros((settings.num_users, settings.num_clusters), bool)
    np.put_along_axis(liked, clusters, weights > 0, axis=1)

    def sequences(part: Any) -> Interactions:
        lengths = part.groupby("user").size().to_numpy()
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        return Interactions(part["row"].to_numpy(np.int32), part["timestamp"].to_numpy(), offsets, lengths)

    is_train = frame["user"] < train_users
    return PlantedLog(sequences(frame[is_train]), sequences(frame[~is_train]), cluster, liked[train_users:])


def train(log: PlantedLog, steps: int, remi: bool = False, recipe: str = "paper", **flags: Any) -> MultiInterestModel:
    """A model trained for `steps` with the settings that train.py would take from these flags.

    With the recipe paper, as far as it decides steps and targets: hits among the negatives do not count, weights of IHN
    are constants, LazyAdam.
    """
    if recipe == "paper":
        of_remi = {"stop_gradient_weights": True} if remi else {"sampler": "log_uniform"}
        flags = {"optimizer": "lazy_adam", "mask_accidental_hits": True, **of_remi, **flags}
    settings = compose("synthetic", recipe, remi, flags, len(log.cluster) - 1)
    model = MultiInterestModel(settings, len(log.cluster) - 1)
    if settings.training.init == "spectral":
        start_from_log(model.item_table, log.train, settings.training.seed)
    asked = replace(log.train, cuts=history_cuts(log.train.lengths))  # if these users were to validate
    model.compile(optimizer=make_optimizer(settings.training), steps_per_execution=50)
    batches = TrainingBatches(
        log.train,
        batch_size=settings.training.batch_size,
        max_history=settings.encoder.max_history,
        first_target=settings.training.first_target,
        seed=settings.training.seed,
        needs=model.needs,
        ahead=targets_ahead(log.train.lengths, asked) if settings.objective.targets == "future" else None,
    )
    model.fit(batches.from_step(0), steps_per_epoch=steps, verbose=0)
    return model


def coverage(model: Encodes, log: PlantedLog, top_n: int = TOP_N) -> dict[str, float]:
    """Share of a test user's planted interests that are touched and met. Share of the users with all met."""
    history = histories(log.test, np.arange(log.test.num_users), model.max_history)  # [U, L]
    ids = recommend(model, tf.constant(history), top_n, exclude_history=True)[0].numpy()  # [U, N]
    clusters = np.arange(log.liked.shape[1])
    read, found = ((log.cluster[rows][..., np.newaxis] == clusters).sum(axis=1) for rows in (history, ids))
    planted = log.liked & (read > 0)  # [U, clusters]
    interests = planted.sum(axis=1)  # [U]
    touched, met = planted & (found > 0), planted & (2 * found * interests[:, np.newaxis] >= top_n)
    return {
        "touched": float((touched.sum(axis=1) / interests).mean()),
        "met": float((met.sum(axis=1) / interests).mean()),
        "all met": float((met.sum(axis=1) == interests).mean()),
    }


def markdown(results: dict[str, list[dict[str, float]]]) -> str:
    """Mean ± standard deviation over the seeds, and the margins of K = 4 over K = 1."""
    measures = list(next(iter(results.values()))[0])
    lines = ["| system | " + " | ".join(measures) + " |", "|---" * (len(measures) + 1) + "|"]
    for name, runs in results.items():
        lines.append(f"| `{name}` | " + " | ".join(_spread([run[m] for run in runs]) for m in measures) + " |")
    for several, single in MARGINS:
        if several in results and single in results:
            pairs = list(zip(results[several], results[single], strict=True))
            margins = [_spread([a[m] - b[m] for a, b in pairs], "+") for m in measures]
            lines.append(f"| margin of `{several}` over K = 1 | " + " | ".join(margins) + " |")
    return "\n".join(lines)


def _spread(values: Sequence[float], sign: str = "") -> str:
    return f"{statistics.mean(values):{sign}.3f}" + (f" ± {statistics.stdev(values):.3f}" if len(values) > 1 else "")


def main() -> None:
    parser = argparse.ArgumentParser(description="Coverage of planted interests, K interests against one.")
    parser.add_argument("--steps", type=int, default=3000, help="training steps of each model (default: 3000)")
    parser.add_argument("--seeds", type=number_list, default=(1, 2, 3), help="seeds of the models (default: 1,2,3)")
    parser.add_argument("--systems", help="rows to compute, separated by commas (default: all)")
    parser.add_argument("--clusters", type=int, default=200, help=f"clusters of the {ITEMS} items (default: 200)")
    parser.add_argument("--embedding_dim", type=int, default=32, help="dimensions of the models (default: 32)")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    arguments = parser.parse_args()
    log = planted_log(SyntheticSettings(USERS, ITEMS, arguments.clusters, interests=(INTERESTS, INTERESTS)))
    results: dict[str, list[dict[str, float]]] = {}
    for name in arguments.systems.split(",") if arguments.systems else SYSTEMS:
        model_type, flags = SYSTEMS[name]
        flags = {"model_type": model_type, "embedding_dim": arguments.embedding_dim, **flags}
        results[name] = [coverage(train(log, arguments.steps, seed=seed, **flags), log) for seed in arguments.seeds]
        print(f"{name}: {results[name]}", file=sys.stderr, flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(markdown(results))


if __name__ == "__main__":
    main()
