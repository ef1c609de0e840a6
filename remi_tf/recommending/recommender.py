"""Recommendations in Python: a run's model, its served graph in this process, raw ids in and DataFrames out."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tensorflow as tf
from absl import logging
from pandas.api.types import is_list_like

from remi_tf.errors import InputError, command
from remi_tf.recommending.answer import Answer, no_columns
from remi_tf.recommending.choices import Choices, check_top_n, checked
from remi_tf.recommending.forms import in_python, name_column
from remi_tf.recommending.histories import Histories, from_frame, from_lists, raw_id
from remi_tf.recommending.index_folder import open_index
from remi_tf.recommending.index_search import IndexSearch, diverged
from remi_tf.recommending.known import Known, known_of
from remi_tf.recommending.profiles import Profiles
from remi_tf.recommending.similar import SimilarItems
from remi_tf.serving.graph import NO_NUMBER, ServingGraph
from remi_tf.serving.new_item_tables import read_new_items
from remi_tf.serving.new_items import add_items, remove_items
from remi_tf.serving.request_limits import NO_LIMITS
from remi_tf.settings.items import NEW_ITEM_LENGTH
from remi_tf.training.run_folder import SavedRun, load_saved_run


class Recommender:
    """Recommends with a run's best weights.

    Example:
      >>> from remi_tf import Recommender
      >>> recommender = Recommender.from_run("runs/shop")
      >>> list(recommender.recommend([["sku-17", "sku-4"]], top_n=3).columns)
      ['user', 'rank', 'item', 'score', 'interest']
      >>> len(recommender.similar_items("sku-17", top_n=5))
      5

    Args:
      run: an open run (`remi_tf.load_run`).
      index: an index folder of the run (index.py), to be searched instead of every item; None = exact.
      verify: compare the checksums of the index.

    Raises:
      InputError: the index is damaged or belongs to another run, or the run has diverged.
    """

    def __init__(self, run: SavedRun, index: str | Path | None = None, verify: bool = True):
        self._open(run)
        self.index = None if index is None else open_index(Path(index), run, verify)
        self._warned: set[str] = set()

    def _open(self, run: SavedRun) -> None:
        self.run, self.catalogue, self._similar = run, run.catalogue, SimilarItems(run)
        self.graph = ServingGraph(run.model, run.catalogue, max_top_n=run.catalogue.num_items, limits=NO_LIMITS)

    @classmethod
    def from_run(cls, path: str | Path, index: str | Path | None = None, verify: bool = True) -> "Recommender":
        """Open the run folder that train.py wrote; the dataset is not needed.

        Args:
          verify: compare checksums, of the run and the index.

        Raises:
          InputError: no run there, no weights saved yet, or an error of the class.
        """
        return cls(load_saved_run(path, verify=verify), index, verify)

    def add_items(
        self, table: str | Path | pd.DataFrame, id_col: str | None = None, length: float = NEW_ITEM_LENGTH
    ) -> None:
        """Also recommend items that the log has never seen, by their features (`remi_tf.serving.new_items.add_items`).

        Args:
          table, id_col: as of `read_new_items`. length: how high they come; above 1 higher.

        Raises:
          InputError: the table or an item cannot be used, or an index is open.
        """
        self._refuse_index("add")
        self._open(add_items(self.run, read_new_items(table, self.catalogue, id_col), length))

    def remove_items(self, items: Iterable[Any]) -> None:
        """Recommend these items no more. They still count in histories.

        Raises:
          InputError: an item that the catalogue does not hold, or an index is open.
        """
        self._refuse_index("remove")
        self._open(remove_items(self.run, [raw_id(item, "items") for item in items]))

    def _refuse_index(self, what: str) -> None:
        if self.index is not None:
            raise InputError(
                f"{what}_items: an index holds the items that it was built with; build it with "
                f"{command('index', f'--{what}_items', 'FILE')}, or leave out the index"
            )

    def recommend(
        self,
        histories: Iterable[Any] | Mapping[Any, Iterable[Any]] | pd.Series | pd.DataFrame,
        top_n: int = 10,
        *,
        exclude_history: bool | str | None = None,
        exclude: Iterable[Any] = (),
        allow: Iterable[Any] | None = None,
        categories: Iterable[str] | None = None,
        diversity: float = 0.0,
        timestamps: Any = None,
        profiles: Any = None,
        user_col: str = "user",
        item_col: str = "item",
        time_col: str | None = None,
    ) -> pd.DataFrame:
        """The best items for each history.

        Args:
          histories: lists of raw ids, oldest first (users are named by their positions, by a mapping's keys or by a
            Series' index), or a DataFrame of interactions. Unknown ids are ignored; a history without a known one gets
            popular items. A warning says how much was known: once where some ids are unknown, each time where most are.
          top_n, exclude_history, exclude, allow, categories, diversity: see `Choices`. What the catalogue does not
            hold of a list is ignored with a warning; of `allow` and `categories` it must hold something.
          timestamps: seconds since 1970 in the shape of the lists, for a model that reads days (None: all on one day).
            Those of a mapping or a Series go to the users by name.
          profiles: user → a value for each of the profile columns, "" = unknown, for a model that reads profiles.
            Users are named as in the histories; a warning says how many have none.
          user_col, item_col, time_col: columns of a DataFrame; without time_col the column `time` if there is one,
            else the order of rows is the order of time.

        Returns:
          A DataFrame of user, rank (from 1), item (raw id), score (float32; 0 for popular items) and interest (which of
          the user's interests fetched the item, from 0; -1 for popular items), users in the order given. Where fewer
          than top_n items may be returned, there are fewer rows.

        Raises:
          InputError: an argument that cannot be used, with the remedy.
        """
        histories = in_python(histories)
        if isinstance(histories, pd.DataFrame):
            if timestamps is not None:
                raise InputError("timestamps: a DataFrame has a column of times; name it by time_col")
            time_col = time_col or ("time" if "time" in histories else None)
            users = from_frame(histories, user_col, item_col, time_col)
        else:
            users = from_lists(histories, timestamps)
            if timestamps is not None and "days" not in self.run.model.needs:
                raise InputError("timestamps: the model does not read them; leave them out")
        has_names = isinstance(histories, pd.DataFrame | pd.Series | Mapping)
        self._warn_of_unknown(known_of(users, self.catalogue, has_names))
        choices = Choices(top_n, exclude_history, exclude, allow, categories, diversity)
        of_users = self.profiles(profiles)
        table = self.table(users, choices, of_users)
        if message := of_users.verdict():
            self._warn(message)
        return table

    def table(self, histories: Histories, choices: Choices, profiles: Profiles | None = None) -> pd.DataFrame:
        """As `recommend`, for histories that are flat arrays already; nothing is said of unknown ids.

        Raises:
          InputError: as `recommend`.
        """
        parts = [answer.columns() for answer in self.answers(histories, choices, profiles)]
        columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else no_columns()
        order = np.lexsort((columns["rank"], columns["user"]))
        columns = {name: values[order] for name, values in columns.items()}
        names = name_column(histories.users)
        return pd.DataFrame({**columns, "user": names.iloc[columns["user"]].to_numpy()})

    def profiles(self, given: Any) -> Profiles:
        """What is known of users besides their histories (see `recommend`), checked.

        Raises:
          InputError: it cannot be used, or the model reads no profiles.
        """
        if given is not None and "profile" not in self.run.model.needs:
            raise InputError("profiles: the model does not read them; leave them out")
        return Profiles(given, self.catalogue.profile_columns)

    def similar_items(self, item: Any, top_n: int = 10) -> pd.DataFrame:
        """The items whose vectors have the highest cosine with this item's, or what a counted model knows of it.

        Returns:
          A DataFrame of rank (from 1), item (raw id) and score (cosine, or the counted model's own number, above 0),
          without the item itself. A counted model may know fewer than top_n.

        Raises:
          InputError: the catalogue does not hold the item, a list of items, or a `top_n` that is not positive.
        """
        item = in_python(item)
        if is_list_like(item):
            raise InputError(f"item {item!r}: give one id, not a list")
        row = int(self.catalogue.vocabulary.rows([raw_id(item, "item")])[0])
        if row == 0:
            raise InputError(f"item {item!r}: the catalogue {self.catalogue.name} does not hold it")
        check_top_n(top_n)
        near = self._similar.near(row)
        best = np.argsort(-near, kind="stable")[: min(top_n, self.catalogue.num_items - 1)]
        best = best[near[best] > -np.inf]
        items = self.catalogue.vocabulary.raw_ids(best.tolist())
        return pd.DataFrame({"rank": np.arange(1, len(best) + 1), "item": items, "score": near[best]})

    def answers(self, histories: Histories, choices: Choices, profiles: Profiles | None = None) -> Iterator[Answer]:
        """The answers for all users, batch by batch, users with histories of similar length together.

        Raises:
          InputError: as `recommend`.
        """
        choices = replace(choices, exclude_history=self.run.excludes_history(choices.exclude_history))
        answer = self._searcher(choices) if self.index else self._asker(choices)
        if not choices.exclude_history:
            histories = self.as_read(histories)
        top_n = min(choices.top_n, self.catalogue.num_items)
        for positions, items, inputs in self.requests(histories, profiles, top_n):
            yield Answer(positions, *answer(items, inputs))

    def as_read(self, histories: Histories) -> Histories:
        """Only the items of the histories that the model reads."""
        known = self.catalogue.vocabulary.rows(histories.items) > 0
        return histories.newest(known, self.run.model.max_history)

    def requests(
        self, histories: Histories, profiles: Profiles | None = None, top_n: int = 1
    ) -> Iterator[tuple[np.ndarray, np.ndarray, dict[str, tf.Tensor]]]:
        """Batches of users as the served graph takes them: positions [B], items [B, W] and the inputs by their names.

        Raises:
          InputError: as `Profiles.rows`.
        """
        profiles = profiles or self.profiles(None)
        for positions in histories.batches(top_n):
            items, seconds = histories.padded(positions)
            inputs = {"history": tf.constant(items, tf.string, items.shape)}
            if "days" in self.run.model.needs:
                inputs["timestamps"] = tf.constant(seconds, tf.int64)
            if "profile" in self.run.model.needs:
                rows = profiles.rows([histories.users[position] for position in positions])
                inputs["profile"] = tf.constant(rows, tf.string, [len(rows), len(profiles.columns)])
            yield positions, items, inputs

    def _asker(self, choices: Choices) -> Any:
        """(history [B, W], inputs) → items, scores and interest [B, n], from the served graph: exact."""
        given = self._checked(choices)

        def ask(items: np.ndarray, inputs: dict[str, tf.Tensor]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            result = self.graph.recommend(**inputs, **given)
            for status in {text.decode() for text in result["status"].numpy()}:
                if status.startswith("error: "):
                    raise InputError(status.removeprefix("error: "))
                if status.startswith(NO_NUMBER):
                    raise diverged(self.run)
            found = result["items"].numpy()
            texts = np.array([raw_id.decode() for raw_id in found.ravel()], object).reshape(found.shape)
            return texts, result["scores"].numpy(), result["interest"].numpy()

        return ask

    def _searcher(self, choices: Choices) -> Any:
        """The same by searching the index."""
        given = self._checked(choices)
        for name in ("allow", "categories", "diversity"):
            if name in given:
                raise InputError(f"{name}: an index cannot be searched by it; leave out the index")
        assert self.index is not None
        return IndexSearch(self.index, self.run, self.graph, given, bool(choices.exclude_history))

    def _checked(self, choices: Choices) -> dict[str, Any]:
        """The choices as inputs of the served graph. Warns once about names that the catalogue does not hold."""
        given, warnings = checked(choices, self.catalogue, self.graph.has_categories)
        for message in warnings:
            self._warn(message)
        return given

    def _warn_of_unknown(self, known: Known) -> None:
        if known.known_interactions == known.interactions:
            return
        if known.little or "unknown" not in self._warned:
            self._warned.add("unknown")
            logging.warning("histories: %s; %s", known.counts(), known.why(self.catalogue))

    def _warn(self, message: str) -> None:
        """Once for each message."""
        if message not in self._warned:
            self._warned.add(message)
            logging.warning("%s", message)
