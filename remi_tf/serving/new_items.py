"""Items that the log has never seen, represented by their features and served next to the others; without training."""

import dataclasses
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from remi_tf.counted.base import CountedModel
from remi_tf.data.dataset.catalogue import CATEGORIES, CATEGORY_NAMES, ITEMS, TITLES, Catalogue
from remi_tf.data.features.store import Features, Values, code_rows
from remi_tf.data.tables.ids import matched
from remi_tf.encoders.base import Interests
from remi_tf.errors import InputError
from remi_tf.flat_files import save_array, write_lines
from remi_tf.settings.items import NEW_ITEM_LENGTH
from remi_tf.training.run_folder import SavedRun

SHOWN = 3


@dataclass(frozen=True)
class NewItems:
    """What is known of items: raw ids, the values of each feature column, titles and categories ("" = none)."""

    ids: Sequence[str]
    values: Sequence[Values]
    titles: Sequence[str]
    categories: Sequence[str]


class _Extended(tf.Module):
    """A model with more items than it was trained on. It is an `Encodes`.

    Args:
      item_table: [I + n + 1, d], that of the model and the vectors of n new items.
      boost: that of the model, with the new items.
    """

    def __init__(self, model: Any, item_table: tf.Tensor, boost: Any):
        super().__init__("extended")
        self.max_history, self.needs, self.by_cosine = model.max_history, model.needs, model.by_cosine
        self.item_table = tf.Variable(item_table, trainable=False, name="item_table")
        self.boost = boost
        self._model: Any = model._model if isinstance(model, _Extended) else model

    def item_vectors(self) -> tf.Tensor:
        """See Encodes."""
        return self._model.item_vectors(self.item_table)

    def encode(self, history: tf.Tensor, **features: tf.Tensor) -> Interests:
        """See Encodes."""
        return self._model.encode_by(self.item_table, history, **features)

    @property
    def items(self) -> Any:
        """The parts of the items' vectors, as of MultiInterestModel."""
        return self._model.items


def add_items(run: SavedRun, new: NewItems, length: float = NEW_ITEM_LENGTH) -> SavedRun:
    """The run with items that it has never seen, represented by their features only. The run itself stays as it is.

    Their vectors are what the item tower says, times `length`. If the run has a boost, what is alike by its features is
    a neighbour of the new items, and they of it. They come after the items of the log, so ties go to the latter.

    Args:
      length: factor on their vectors; the larger, the higher new items come. With cosines only histories that hold them
        change.

    Raises:
      InputError: the run reads no features; an id is known, empty or twice; or nothing is known of an item.
    """
    if not 0 < length < float("inf"):
        raise InputError(f"--new_item_length {length}: give a finite number above 0; {NEW_ITEM_LENGTH} is the default")
    features = _refuse(run, new)
    added = code_rows(features.columns, new.values, new.ids)
    if not added.known.all():
        unknown = [raw_id for raw_id, is_known in zip(new.ids, added.known, strict=True) if not is_known]
        columns = ", ".join(column.name for column in features.columns)
        raise InputError(
            f"{_examples(unknown)}: nothing is known of {'it' if len(unknown) == 1 else f'these {len(unknown):,}'} "
            f"({columns}: all values are missing or new), so {run.path} cannot represent such items; fill in a value, "
            "or leave them out"
        )
    whole = features.followed_by(added)
    model: Any = run.model
    first = features.num_rows
    vectors = length * model.items.tower.of(added)
    table = tf.concat([tf.convert_to_tensor(model.item_table), vectors], axis=0)
    boost = None if model.boost is None else model.boost.extended(whole, first)
    return dataclasses.replace(
        run, model=_Extended(model, table, boost), catalogue=_catalogue(run.catalogue, new, whole)
    )


def remove_items(run: SavedRun, ids: Sequence[str]) -> SavedRun:
    """The run whose lists never hold these items. Histories may hold them, and are read as before.

    Ids that the run does not know are in no list anyway.

    Raises:
      InputError: the run knows none of them, or no item would be left.
    """
    if isinstance(ids, str):
        raise InputError(f"{ids!r}: give a list of ids, not one text")
    known = run.catalogue.vocabulary
    rows = known.rows(matched(ids, known))
    if not rows.any():
        raise InputError(f"{run.path} knows none of {_examples(list(ids))}; give raw ids as the log has them")
    removed = np.union1d(run.catalogue.removed, rows[rows > 0]).astype(np.int32)
    if len(removed) >= run.catalogue.num_items:
        raise InputError("no item would be left; remove fewer")
    return dataclasses.replace(run, catalogue=dataclasses.replace(run.catalogue, removed=removed))


def _refuse(run: SavedRun, new: NewItems) -> Features:
    """The features of the run's items. Raises InputError as `add_items`."""
    features = run.catalogue.features
    if isinstance(run.model, CountedModel) or run.model.items is None or features is None:
        raise InputError(
            f"{run.path}: its items are ids only, so it cannot represent new ones; prepare the log with --items TABLE "
            "--item_features COL,COL, and train with --item_tower sum or mlp"
        )
    known = run.catalogue.vocabulary
    twice = [raw_id for raw_id, count in Counter(new.ids).items() if count > 1]
    for what, wrong in (
        ("no id", ["" for raw_id in new.ids if not raw_id]),
        ("in the run already", [raw_id for raw_id in matched(new.ids, known) if raw_id in known]),
        ("twice in the table", twice),
    ):
        if wrong:
            raise InputError(f"{_examples(wrong)}: {what}; leave it out")
    return features


def _catalogue(catalogue: Catalogue, new: NewItems, features: Features) -> Catalogue:
    """The catalogue with the new items after the old ones, in a folder of its own that is there as long as it is."""
    held = tempfile.TemporaryDirectory(prefix="remi_tf_items_")
    folder = Path(held.name)
    write_lines(folder / ITEMS, [*catalogue.vocabulary.raw_ids(range(1, catalogue.num_items + 1)), *new.ids])
    if catalogue.titles is not None:
        write_lines(folder / TITLES, [*catalogue.titles, *(" ".join(title.split()) for title in new.titles)])
    if catalogue.categories is not None:
        numbers = {name: number for number, name in enumerate(catalogue.category_names, start=1)}
        for name in new.categories:
            if name:
                numbers.setdefault(name, len(numbers) + 1)
        added = [numbers.get(name, 0) for name in new.categories]
        save_array(folder / CATEGORIES, np.concatenate([catalogue.categories, added]).astype(np.int32))
        write_lines(folder / CATEGORY_NAMES, list(numbers))
    features.save(folder)
    return dataclasses.replace(catalogue, path=folder, num_items=catalogue.num_items + len(new.ids), held=held)


def _examples(ids: Sequence[str]) -> str:
    return ", ".join(map(repr, ids[:SHOWN])) + (", …" if len(ids) > SHOWN else "")
