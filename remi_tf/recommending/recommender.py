"""Recommendations in Python: a run's model, its served graph in this process, raw ids in and DataFrames out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tensorflow as tf
from absl import logging
from pandas.api.types import is_list_like

from remi_tf.errors import InputError
from remi_tf.recommending.choices import Choices, check_top_n, checked
from remi_tf.recommending.histories import Histories, from_frame, from_lists, raw_id
from remi_tf.recommending.index_folder import finite_vectors, open_index
from remi_tf.serving.graph import ServingGraph
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
        self.run, self.catalogue = run, run.catalogue
        self.index = None if index is None else open_index(Path(index), run, verify)
        self.graph = ServingGraph(run.model, run.catalogue, max_top_n=run.catalogue.num_items)
        self._warned: set[str] = set()

    @classmethod
    def from_run(cls, path: str | Path, index: str | Path | None = None, verify: bool = True) -> "Recommender":
        """Open the run folder that train.py wrote; the dataset is not needed.

        Args:
          verify: compare checksums, of the run and the index.

        Raises:
          InputError: no run there, no weights saved yet, or an error of the class.
        """
        return cls(load_saved_run(path, verify=verify), index, verify)

    def recommend(
        self,
        histories: Sequence[Sequence[Any]] | Mapping[Any, Sequence[Any]] | pd.DataFrame,
        top_n: int = 10,
        *,
        exclude_history: bool = False,
        exclude: Iterable[Any] = (),
        allow: Iterable[Any] | None = None,
        categories: Iterable[str] | None = None,
        diversity: float = 0.0,
        timestamps: Any = None,
        profiles: Mapping[Any, Sequence[str]] | None = None,
        user_col: str = "user",
        item_col: str = "item",
        time_col: str | None = None,
    ) -> pd.DataFrame:
        """The best items for each history.

        Args:
          histories: lists of raw ids, oldest first (users are named by their positions, or by a mapping's keys), or a
            DataFrame of interactions. Unknown ids are ignored; a history without a known one gets popular items.
          top_n, exclude_history, exclude, allow, categories, diversity: see `Choices`. Names that the catalogue
            does not hold are ignored with a warning, but it must hold at least one of `allow`, and of `categories`.
          timestamps: seconds since 1970 in the shape of the lists, for a model that reads days (None: all on one day).
          profiles: user → a value for each of the profile columns, "" = unknown, for a model that reads profiles.
          user_col, item_col, time_col: columns of a DataFrame; without time_col the column `time` if there is one,
            else the order of rows is the order of time.

        Returns:
          A DataFrame of user, rank (from 1), item (raw id), score (float32; 0 for popular items) and interest (which of
          the user's interests fetched the item, from 0; -1 for popular items), users in the order given. Where fewer
          than top_n items may be returned, there are fewer rows.

        Raises:
          InputError: an argument that cannot be used, with the remedy.
        """
        if isinstance(histories, pd.DataFrame):
            if timestamps is not None:
                raise InputError("timestamps: a DataFrame has a column of times; name it by time_col")
            time_col = time_col or ("time" if "time" in histories else None)
            users = from_frame(histories, user_col, item_col, time_col)
        else:
            users = from_lists(histories, timestamps)
            if timestamps is not None and "days" not in self.run.model.needs:
                raise InputError("timestamps: the model does not read them; leave them out")
        choices = Choices(top_n, exclude_history, exclude, allow, categories, diversity)
        parts = [answer.columns() for answer in self.answers(users, choices, profiles)]
        columns = (
            {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else _no_columns()
        )
        order = np.lexsort((columns["rank"], columns["user"]))
        columns = {name: values[order] for name, values in columns.items()}
        return pd.DataFrame({**columns, "user": pd.Series(users.users).iloc[columns["user"]].to_numpy()})

    def similar_items(self, item: Any, top_n: int = 10) -> pd.DataFrame:
        """The items whose vectors have the highest cosine with this item's.

        Returns:
          A DataFrame of rank (from 1), item (raw id) and score (cosine), without the item itself.

        Raises:
          InputError: the catalogue does not hold the item, a list of items, or a `top_n` that is not positive.
        """
        if is_list_like(item):
            raise InputError(f"item {item!r}: give one id, not a list")
        row = int(self.catalogue.vocabulary.rows([raw_id(item, "item")])[0])
        if row == 0:
            raise InputError(f"item {item!r}: the catalogue {self.catalogue.name} does not hold it")
        check_top_n(top_n)
        cosines = self._directions @ self._directions[row]  # [I + 1]
        cosines[[0, row]] = -np.inf
        best = np.argsort(-cosines, kind="stable")[: min(top_n, self.catalogue.num_items - 1)]
        items = self.catalogue.vocabulary.raw_ids(best.tolist())
        return pd.DataFrame({"rank": np.arange(1, len(best) + 1), "item": items, "score": cosines[best]})

    def answers(
        self, histories: Histories, choices: Choices, profiles: Mapping[Any, Sequence[str]] | None = None
    ) -> Iterator["Answer"]:
        """The answers for all users, batch by batch, users with histories of similar length together.

        Raises:
          InputError: as `recommend`.
        """
        answer = self._searcher(choices) if self.index else self._asker(choices)
        if not choices.exclude_history:
            histories = self._read_of(histories)
        for positions in histories.batches():
            items, seconds = histories.padded(positions)
            inputs = {"history": tf.constant(items, tf.string, items.shape)}
            if "days" in self.run.model.needs:
                inputs["timestamps"] = tf.constant(seconds, tf.int64)
            if "profile" in self.run.model.needs:
                inputs["profile"] = self._profiles([histories.users[position] for position in positions], profiles)
            elif profiles is not None:
                raise InputError("profiles: the model does not read them; leave them out")
            yield Answer(positions, *answer(items, inputs))

    def _read_of(self, histories: Histories) -> Histories:
        """The last max_history known items. The model reads no others, and long histories then cost no more."""
        known = self.catalogue.vocabulary.rows(histories.items) > 0  # [n]
        after = np.concatenate([np.cumsum(known[::-1])[::-1], [0]])  # [n + 1] known items from here on
        ends = np.repeat(after[histories.offsets[1:]], np.diff(histories.offsets))  # [n] those of later users
        return histories.kept(known & (after[:-1] - ends <= self.run.model.max_history))

    def _asker(self, choices: Choices) -> Any:
        """(history [B, W], inputs) → items, scores and interest [B, n], from the served graph: exact."""
        given = self._checked(choices)

        def ask(items: np.ndarray, inputs: dict[str, tf.Tensor]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            result = self.graph.recommend(**inputs, **given)
            for status in {text.decode() for text in result["status"].numpy()}:
                if status.startswith("error: "):
                    raise InputError(status.removeprefix("error: "))
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
        index, vocabulary, top_n = self.index, self.catalogue.vocabulary, choices.top_n
        assert index is not None
        everybody = vocabulary.rows(given.get("exclude", [[]])[0])  # [X]

        def search(items: np.ndarray, inputs: dict[str, tf.Tensor]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            interests = self.graph.functions["interests"](*inputs.values())["interests"].numpy()  # [B, K, d]
            rows = vocabulary.rows(items.ravel()).reshape(items.shape)
            exclude = np.broadcast_to(everybody, (len(items), len(everybody)))
            if choices.exclude_history:
                exclude = np.concatenate([exclude, rows], axis=1)
            ids, scores = index.search(interests, top_n, exclude)
            interest = np.matmul(index.vectors[ids], interests.transpose(0, 2, 1)).argmax(axis=2).astype(np.int32)
            for user in np.flatnonzero(~rows.any(axis=1)):  # no known item: take the first rows, the popular items
                popular = np.setdiff1d(np.arange(1, top_n + exclude.shape[1] + 1), exclude[user])[:top_n]
                popular = popular[popular <= self.catalogue.num_items]
                ids[user], scores[user], interest[user] = 0, 0, -1
                ids[user, : len(popular)] = popular
            texts = np.array(vocabulary.raw_ids(ids.ravel().tolist()), object).reshape(ids.shape)
            return texts, scores, interest

        return search

    def _checked(self, choices: Choices) -> dict[str, Any]:
        """The choices as inputs of the served graph. Warns once about names that the catalogue does not hold."""
        given, warnings = checked(choices, self.catalogue, self.graph.has_categories)
        for message in warnings:
            if message not in self._warned:
                self._warned.add(message)
                logging.warning("%s", message)
        return given

    def _profiles(self, users: Sequence[Any], profiles: Mapping[Any, Sequence[str]] | None) -> tf.Tensor:
        """[B, columns] string."""
        columns = [column.name for column in self.catalogue.profile_columns]
        values = [list((profiles or {}).get(user, [""] * len(columns))) for user in users]
        for user, row in zip(users, values, strict=True):
            if len(row) != len(columns):
                raise InputError(
                    f"profiles: {len(row)} values for user {user!r}; give one for each of {', '.join(columns)}"
                )
        return tf.constant(values, tf.string, [len(users), len(columns)])

    @cached_property
    def _directions(self) -> np.ndarray:
        """[I + 1, d] item vectors at length 1."""
        vectors = finite_vectors(self.run)
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


@dataclass(frozen=True)
class Answer:
    """users: [B] positions; items [B, n] raw ids, best first, "" = none; scores [B, n]; interest [B, n]."""

    users: np.ndarray
    items: np.ndarray
    scores: np.ndarray
    interest: np.ndarray

    def columns(self) -> dict[str, np.ndarray]:
        """One row for each item, as the columns of `Recommender.recommend`; user is the position."""
        user, place = np.nonzero(self.items != "")
        return {
            "user": self.users[user],
            "rank": place.astype(np.int32) + 1,
            "item": self.items[user, place],
            "score": self.scores[user, place],
            "interest": self.interest[user, place],
        }


def _no_columns() -> dict[str, np.ndarray]:
    nobody = np.zeros([0, 1], np.int32)
    return Answer(nobody[:, 0], nobody.astype(object), nobody.astype(np.float32), nobody).columns()
