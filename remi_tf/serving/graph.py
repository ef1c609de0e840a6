"""The graph that is served: raw ids in, raw ids out, with only TensorFlow. In process the same graph is used."""

from pathlib import Path
from typing import Any, NamedTuple

import tensorflow as tf

from remi_tf.data.dataset.catalogue import ITEMS, Catalogue
from remi_tf.retrieval.diversity import POOL, diversify
from remi_tf.retrieval.filters import Categories
from remi_tf.retrieval.top_k import SCORE_BYTES
from remi_tf.serving.profile_codes import ProfileCodes, names_table
from remi_tf.serving.readers import User, reader_of
from remi_tf.serving.request import checked, days, first_message, list_a_row, one_a_row, over_history
from remi_tf.serving.request_limits import LIMITS, Limits
from remi_tf.serving.signatures import signatures
from remi_tf.systems import System

NO_NUMBER = "note: the model gives no number for this history"
LISTS = ("exclude", "allow", "categories")

SPECS = {
    "history": tf.TensorSpec([None, None], tf.string, "history"),
    "timestamps": tf.TensorSpec([None, None], tf.int64, "timestamps"),
    "profile": tf.TensorSpec([None, None], tf.string, "profile"),
    "top_n": tf.TensorSpec(None, tf.int32, "top_n"),
    "exclude_history": tf.TensorSpec(None, tf.bool, "exclude_history"),
    "exclude": tf.TensorSpec([None, None], tf.string, "exclude"),
    "allow": tf.TensorSpec([None, None], tf.string, "allow"),
    "categories": tf.TensorSpec([None, None], tf.string, "categories"),
    "diversity": tf.TensorSpec(None, tf.float32, "diversity"),
    "items": tf.TensorSpec([None], tf.string, "items"),
}


class _Wanted(NamedTuple):
    """What a request asks for, row by row.

    top_n [B], 0 for a row with an error; exclude and allow: [B or 1, any] rows of the item table; categories or None;
    diversity [B]; error [B] string, "" where there is none.
    """

    top_n: tf.Tensor
    exclude: list[tf.Tensor]
    allow: tf.Tensor
    categories: Categories | None
    diversity: tf.Tensor
    error: tf.Tensor


class ServingGraph(tf.Module):
    """The signatures of an export, as functions: `graph.recommend(history=[["a", "b"]], top_n=5)`.

    Args:
      model: its encoder and item vectors, or its tables, become part of the graph; the model itself does not.
      catalogue: raw ids, categories and profile columns.
      max_top_n: items that `serving_default` returns, and that `recommend` can be asked for; at most the catalogue.
      exclude_history: whether `serving_default` leaves out the history's items; the default of `recommend`.
      score_bytes: bound on the scores a request holds at a time.
      limits: a larger request is refused.
      vocabulary: the text file of raw ids that becomes the asset; None = the catalogue's. The lookup tables of a
        process are named by it.

    Attributes:
      functions: signature's name → tf.function, whose arguments are in the order of `inputs[name]`.
      inputs: signature's name → names of its inputs.
    """

    def __init__(
        self,
        model: System,
        catalogue: Catalogue,
        max_top_n: int,
        exclude_history: bool = False,
        score_bytes: int = SCORE_BYTES,
        vocabulary: Path | None = None,
        limits: Limits = LIMITS,
    ):
        super().__init__("serving_graph")
        self.max_top_n, self._exclude_history, self.score_bytes = max_top_n, exclude_history, score_bytes
        self.limits = limits
        self.max_history, self._needs = model.max_history, tuple(model.needs)
        whole, number = tf.lookup.TextFileIndex.WHOLE_LINE, tf.lookup.TextFileIndex.LINE_NUMBER
        path = str(vocabulary or catalogue.path / ITEMS)
        self.line_of = tf.lookup.StaticHashTable(
            tf.lookup.TextFileInitializer(path, tf.string, whole, tf.int64, number), default_value=-1
        )
        self.raw_id_at = tf.lookup.StaticHashTable(
            tf.lookup.TextFileInitializer(path, tf.int64, number, tf.string, whole), default_value=""
        )
        columns = catalogue.profile_columns if "profile" in self._needs else ()
        self.profile_codes = [ProfileCodes(column) for column in columns]
        self.has_categories = catalogue.categories is not None
        self.category_names = list(catalogue.category_names) if self.has_categories else []
        if self.has_categories:
            self.category_number = names_table(self.category_names)
            self.category_of = tf.Variable(catalogue.categories, trainable=False, dtype=tf.int32, name="category_of")
        # Items that no list holds, of one list for all rows.
        self.num_removed = len(catalogue.removed)
        self._removed = [tf.constant(catalogue.removed[None])] if self.num_removed else []
        self.reader = reader_of(model, len(columns))
        self.has_routing = self.reader.has_routing
        words = signatures(self._needs, self.has_categories, self.has_routing, vectors=self.reader.has_vectors)
        self.inputs = {name: tuple(parts["inputs"]) for name, parts in words.items()}
        self.functions = {
            name: tf.function(body, input_signature=[SPECS[given] for given in self.inputs[name]])
            for name, body in (
                ("serving_default", self._serve),
                ("recommend", self._recommend),
                ("interests", self._interests),
                ("items", self._items),
            )
            if name in self.inputs
        }

    def trace(self) -> None:
        """Build every function's graph, for saving; in process each is built when it is first called.

        Saving needs every variable of the graphs as a tracked attribute. Nothing else of the model is attached.
        """
        graphs = [function.get_concrete_function().graph for function in self.functions.values()]
        self.weights = list({variable.ref(): variable for graph in graphs for variable in graph.variables}.values())

    def recommend(self, history: Any, **others: Any) -> dict[str, tf.Tensor]:
        """The signature `recommend`; a choice that is left out chooses nothing (see serving/signatures.py).

        Raises:
          TypeError: an input that the signature does not have, or one that the model needs is missing.
        """
        defaults = {
            "top_n": self.max_top_n,
            "exclude_history": self._exclude_history,
            "exclude": [[""]],
            "allow": [[""]],
            "categories": [[""]],
            "diversity": 0.0,
        }
        given = {"history": history, **others}
        names = self.inputs["recommend"]
        if wrong := set(given) - set(names) or set(names) - set(given) - set(defaults):
            raise TypeError(f"recommend takes {', '.join(names)}; unknown or missing: {', '.join(sorted(wrong))}")
        values = [tf.convert_to_tensor(given.get(name, defaults.get(name)), SPECS[name].dtype) for name in names]
        return self.functions["recommend"](*values)

    def _serve(self, history: tf.Tensor, *features: tf.Tensor) -> dict[str, tf.Tensor]:
        user = self.user(self.limits.of_answer(history, tf.shape(history)[0], self.max_top_n), *features)
        exclude = [*self._removed, *([user.rows] if self._exclude_history else [])]
        ids, scores = self.reader.best(user, self.max_top_n, self.score_bytes, exclude=exclude)
        return self._named(ids, scores) | {"known_items": user.known}

    def _recommend(self, history: tf.Tensor, *others: tf.Tensor) -> dict[str, tf.Tensor]:
        user = self.user(history, *others[: len(self._needs)])
        given = dict(zip(self.inputs["recommend"][1 + len(self._needs) :], others[len(self._needs) :], strict=True))
        batch = tf.shape(history)[0]
        wanted = self._wanted(given, user, batch)
        ids, scores = self._retrieve(user, wanted)
        found = tf.reduce_sum(tf.cast(ids > 0, tf.int32), axis=1)
        few = tf.strings.join(["note: only ", tf.strings.as_string(found), " items are left"])
        status = first_message(
            batch,
            (wanted.error != "", wanted.error),
            (found < wanted.top_n, few),
            (user.known == 0, "note: no id of history is known; these are the most popular items"),
            (~user.finite, f"{NO_NUMBER}; these are the most popular items"),
        )
        answer = self._named(ids, scores) | {"known_items": user.known, "status": status}
        answer["interest"] = self.reader.fetched_by(user, ids)
        if self.has_routing:
            answer["attention"] = over_history(user.routing, user.rows)
        return answer

    def _wanted(self, given: dict[str, tf.Tensor], user: User, batch: tf.Tensor) -> _Wanted:
        """The choices of a request, row by row, and what is wrong with them."""
        top_n = one_a_row("top_n", given["top_n"], batch)
        exclude_history = one_a_row("exclude_history", given["exclude_history"], batch)
        lists = {
            name: list_a_row(name, self.limits.of_list(name, given[name]), batch) for name in LISTS if name in given
        }
        exclude, allow_names = self._rows(lists["exclude"]), lists["allow"]
        allow = self._rows(allow_names)
        wrong = [
            (
                (top_n < 1) | (top_n > self.max_top_n),
                tf.strings.join(["error: top_n ", tf.strings.as_string(top_n), f" is not in 1..{self.max_top_n}"]),
            ),
            (_all_unknown(allow_names, allow), "error: no id of allow is known"),
        ]
        categories, diversity = None, tf.zeros([batch])
        if self.has_categories:
            category_names = lists["categories"]
            numbers = tf.where(category_names == "", 0, self.category_number.lookup(category_names))
            categories = Categories(self.category_of, numbers, len(self.category_names))
            diversity = one_a_row("diversity", given["diversity"], batch)
            shown = tf.strings.as_string(diversity, shortest=True)
            wrong += [
                (_all_unknown(category_names, numbers), "error: no name of categories is known"),
                (
                    tf.math.is_nan(diversity) | (diversity < 0),  # ~(diversity >= 0) would be simplified to < 0
                    tf.strings.join(["error: diversity ", shown, " is not 0 or more"]),
                ),
            ]
        error = first_message(batch, *wrong)
        excluded = [*self._removed, tf.where(exclude_history[:, None], user.rows, 0), exclude]
        diversity = tf.where(diversity > 0, diversity, 0.0)
        return _Wanted(tf.where(error == "", top_n, 0), excluded, allow, categories, diversity, error)

    def _retrieve(self, user: User, wanted: _Wanted) -> tuple[tf.Tensor, tf.Tensor]:
        """Ids and scores [B, largest top_n], 0 in places that a row did not ask for."""
        width = tf.maximum(tf.reduce_max(wanted.top_n), 1)
        width = self.limits.of_answer(width, tf.shape(wanted.top_n)[0], width)

        def plain(count: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            limits = {"exclude": wanted.exclude, "allow": wanted.allow, "categories": wanted.categories}
            return self.reader.best(user, count, self.score_bytes, **limits)

        def diverse() -> tuple[tf.Tensor, tf.Tensor]:
            ids, scores = plain(tf.minimum(POOL * width, tf.maximum(width, self.reader.num_items)))
            # Each row has its own candidates, so its answer does not depend on what other rows of the batch ask for.
            own = tf.range(tf.shape(ids)[1]) < POOL * wanted.top_n[:, None]
            scores = tf.where(own, scores, -float("inf"))
            return diversify(ids, scores, tf.gather(self.category_of, ids), wanted.diversity, width)

        if self.has_categories:
            ids, scores = tf.cond(tf.reduce_any(wanted.diversity > 0), diverse, lambda: plain(width))
        else:
            ids, scores = plain(width)
        return tf.where(tf.range(width) < wanted.top_n[:, None], ids, 0), scores

    def _interests(self, history: tf.Tensor, *features: tf.Tensor) -> dict[str, tf.Tensor]:
        user = self.user(history, *features)
        answer = {"interests": user.vectors, "known_items": user.known}
        boosts = self.reader.boosts(user)
        if boosts is not None:
            ids = self.limits.of_boosts(boosts.ids)
            answer |= {"boosted_items": self._raw_ids(ids), "boosts": boosts.amounts}
        return answer

    def _items(self, items: tf.Tensor) -> dict[str, tf.Tensor]:
        rows = self._rows(self.limits.of_items(items))
        return {"vectors": tf.where(rows[:, None] > 0, self.reader.vectors_of(rows), 0.0), "known": rows > 0}

    def user(self, history: tf.Tensor, *inputs: tf.Tensor) -> User:
        """What is known of the users of a request: its history and, in the model's order, what it `needs` besides."""
        rows = self._rows(self.limits.of_history(history))  # [B, any]
        known = tf.reduce_sum(tf.cast(rows > 0, tf.int32), axis=1)  # [B]
        features = {}
        for name, values in zip(self._needs, inputs, strict=True):
            features[name] = self._profile(values) if name == "profile" else days(values, rows, self.max_history)
        return self.reader.read(rows, known, features)

    def _rows(self, raw_ids: tf.Tensor) -> tf.Tensor:
        """Raw ids → rows of the item table, int32; unknown ids and "" are 0."""
        return tf.cast(self.line_of.lookup(raw_ids), tf.int32) + 1

    def _profile(self, values: tf.Tensor) -> tf.Tensor:
        """Raw values → codes: [batch, columns] string → int32."""
        columns = len(self.profile_codes)
        message = f"profile must have {columns} values a user, one for each of profile_columns"
        values = checked(values, tf.shape(values)[1] == columns, message)
        return tf.stack([codes(values[:, column]) for column, codes in enumerate(self.profile_codes)], axis=1)

    def _named(self, ids: tf.Tensor, scores: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"items": self._raw_ids(ids), "scores": tf.where(ids > 0, scores, 0.0)}

    def _raw_ids(self, rows: tf.Tensor) -> tf.Tensor:
        """Rows of the item table → raw ids; 0 is ""."""
        return self.raw_id_at.lookup(tf.cast(rows, tf.int64) - 1)


def _all_unknown(names: tf.Tensor, numbers: tf.Tensor) -> tf.Tensor:
    """[B] whether a list holds names, but none that is known."""
    return tf.reduce_any(names != "", axis=1) & ~tf.reduce_any(numbers > 0, axis=1)
