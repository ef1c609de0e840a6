"""When training ends: count the boost, choose its settings on validation users, save it next to the best weights."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging

from remi_tf.counted.boost import CountedBoost, Lists, tables_of
from remi_tf.data.dataset.folder import Dataset
from remi_tf.data.dataset.interactions import Interactions
from remi_tf.data.dataset.views import features, histories, targets
from remi_tf.errors import InputError
from remi_tf.evaluation.evaluate import EVALUATION_BYTES, evaluate
from remi_tf.evaluation.metrics import CUT_OFFS
from remi_tf.evaluation.tally import Tally, batches, left_out, users_with_targets
from remi_tf.files import write_json
from remi_tf.model import MultiInterestModel
from remi_tf.progress import bar
from remi_tf.retrieval.boosts import summed
from remi_tf.retrieval.faiss_index import merge
from remi_tf.retrieval.top_k import answer
from remi_tf.settings.boost import BoostSettings
from remi_tf.settings.selection import DEFAULT, with_cut_off
from remi_tf.training.boost_folder import BOOST, CHOICE, boost_keeper, make_boost
from remi_tf.training.interrupts import Interrupts
from remi_tf.training.run_folder import SavedRun, load_saved_run

DECAYS = (0.6, 0.8, 0.9)
WEIGHTS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
METRIC, LENGTH = "ndcg@50", 50
"""What decides, and the length of the lists. NDCG sees both what is found and where in the list it stands."""
USERS = 2000
"""Validation users that choose, the first ones with targets."""
BATCH, GATHERED_BYTES = 64, 128 << 20
"""Users that are looked at together, at most, and bound on the vectors of their boosted items."""


@dataclass(frozen=True)
class Candidate:
    """Settings of a boost."""

    table: str
    decay: float
    weight: float

    def __str__(self) -> str:
        return f"table {self.table}, decay {self.decay:g}, weight {self.weight:g}"


def boost_run(
    path: Path,
    dataset: Dataset,
    validation: Interactions,
    verify: bool = True,
    interrupts: Interrupts | None = None,
) -> None:
    """Choose and save the boost of a run whose training has ended. It stays what it is if it is there.

    Args:
      path: the run folder.
      dataset, validation: the data that it was trained on, and the users that it was validated on.
      verify: compare checksums of what is read.
      interrupts: a signal that it notes ends the choice.

    Raises:
      KeyboardInterrupt: a signal came; nothing is saved.
    """
    run = load_saved_run(path, verify, boosted=False)
    model = run.model
    assert isinstance(model, MultiInterestModel)
    boost = make_boost(run.settings, run.catalogue.num_items, run.catalogue.num_cold)
    keeper = boost_keeper(path, boost, verify)
    try:
        if keeper.restore() == run.step:
            return
    except InputError as error:
        logging.warning("%s; it is counted again", error)
    selected_by = run.settings.training.select
    top_n, excluded = with_cut_off(CUT_OFFS, selected_by), run.excludes_history()
    plain = evaluate(model, validation, top_n, excluded).means
    pieces = _Pieces(run, validation)
    tables = tables_of(run.settings.boost.boost_table, dataset.features is not None)
    lists = boost.lists(dataset.train, tables, dataset.features)
    tried = list(_tried(boost, lists, run.settings.boost, pieces, interrupts))
    best, _ = max(tried, key=lambda each: each[1])  # the first of equal ones
    boost.take(lists[best.table])
    boost.weigh(best.weight, best.decay)
    model.boost = boost
    boosted = evaluate(model, validation, top_n, excluded).means
    (path / BOOST).mkdir(exist_ok=True)
    choice = {
        "step": run.step,
        "chosen": vars(best),
        "users": len(pieces.users),
        "metric": METRIC,
        "run_selected_by": selected_by,
        "tried": [{**vars(candidate), METRIC: score} for candidate, score in tried],
        "valid": {"without": plain, "with": boosted},
    }
    write_json(path / BOOST / CHOICE, choice)
    keeper.save(run.step)  # after choice.json, so that what is saved has one
    for other in keeper.steps():
        if other != run.step:
            keeper.remove(other)  # of weights that are no longer the best


def sentence(path: Path) -> str | None:
    """What the boost of the run in the folder `path` is and brings, for people; None if there is nothing to read."""
    try:
        found = json.loads((path / BOOST / CHOICE).read_text(encoding="utf-8"))
        found = {"run_selected_by": DEFAULT, **found}
        metric = found["run_selected_by"]
        before, after = (found["valid"][way][metric] for way in ("without", "with"))
        best = Candidate(**found["chosen"])
        which = str(best) if best.weight else "none helps"
        return (
            f"Boost chosen on {found['users']:,} validation users from {len(found['tried'])} settings: "
            f"{which}; validation {metric} {before:.4f} without, {after:.4f} with it"
        )
    except (OSError, ValueError, KeyError, TypeError):  # nothing there, or nothing that this program wrote
        return None


def _tried(
    boost: CountedBoost,
    lists: dict[str, Lists],
    settings: BoostSettings,
    pieces: "_Pieces",
    interrupts: Interrupts | None,
) -> Iterator[tuple[Candidate, float]]:
    """Every candidate and its score: decays and weights are all, or the one that was given."""
    decays = (settings.boost_decay,) if settings.boost_decay else DECAYS
    weights = (settings.boost_weight,) if settings.boost_weight else WEIGHTS
    for table, of_table in lists.items():
        boost.take(of_table)
        for decay in bar(f"choose boost from {table}", iterable=decays):
            if interrupts is not None and interrupts.came:
                raise KeyboardInterrupt
            boost.weigh(1.0, decay)
            scores = pieces.scores(boost, weights)
            yield from ((Candidate(table, decay, weight), score) for weight, score in scores.items())


class _Pieces:
    """The users in batches, with their best items without a boost. No boost then needs another search.

    An item that is not boosted and is among the best of a boosted list is also among the best without the boost. So
    these and the boosted items are all that can be in the list.
    """

    def __init__(self, run: SavedRun, validation: Interactions):
        self.validation, excluded = validation, run.excludes_history()
        model: Any = run.model
        table = tf.cast(model.item_vectors(), tf.float32)  # [I + 1, d]
        self.vectors = table.numpy()
        self.users = users_with_targets(validation)[:USERS]
        boosted_bytes = 4 * model.max_history * run.settings.boost.boost_neighbours * self.vectors.shape[1]
        together = max(1, min(BATCH, GATHERED_BYTES // boosted_bytes))
        self.pieces = []
        for batch in batches(validation, self.users, together, excluded):
            history = tf.constant(histories(validation, batch, model.max_history))
            whole = left_out(validation, batch, excluded)
            known = features(validation, batch, model.max_history, model.needs)
            found = tf.cast(model.encode(history, **known).vectors, tf.float32)
            exclude = whole if excluded else None
            ids, scores = answer(found, table, history, LENGTH, exclude, EVALUATION_BYTES)
            self.pieces.append((batch, history, whole, found.numpy(), ids.numpy(), scores.numpy()))

    def scores(self, boost: CountedBoost, weights: tuple[float, ...]) -> dict[float, float]:
        """Weight → mean METRIC. boost: of weight 1."""
        tallies = {weight: Tally((LENGTH,)) for weight in weights}
        for batch, history, whole, interests, ids, scores in self.pieces:
            found = boost.of(history)
            boosted, amounts = summed(found.ids.numpy(), found.amounts.numpy())
            products = np.matmul(self.vectors[boosted], interests.transpose(0, 2, 1)).max(axis=2)  # [B, X]
            own = np.arange(len(batch))[:, None] * len(self.vectors)  # tells one user's rows from another's
            allowed = (boosted > 0) & ~np.isin(own + boosted, own + whole)
            plain = np.where(np.isin(own + ids, own + boosted), 0, ids)
            for weight, tally in tallies.items():
                raised = np.where(allowed, products + np.float32(weight) * amounts, -np.inf)
                top = np.argpartition(-raised, min(LENGTH, raised.shape[1] - 1), axis=1)[:, :LENGTH]
                candidates = np.concatenate([plain, np.take_along_axis(boosted, top, 1)], axis=1)
                values = np.concatenate([scores, np.take_along_axis(raised, top, 1)], axis=1)
                listed, _ = merge(np.where(values > -np.inf, candidates, 0), values, LENGTH)
                tally.add(listed, *targets(self.validation, batch))
        results = {weight: tally.result(self.validation, self.users, 0) for weight, tally in tallies.items()}
        return {weight: result.means[METRIC] for weight, result in results.items()}
