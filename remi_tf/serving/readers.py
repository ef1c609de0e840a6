"""How a system answers inside the served graph: by interests and item vectors, or by scores of its own."""

from functools import partial
from typing import Any, NamedTuple

import tensorflow as tf

from remi_tf.counted.base import CountedModel
from remi_tf.model import Encodes
from remi_tf.retrieval.boosts import Boosts
from remi_tf.retrieval.top_k import top_k
from remi_tf.retrieval.top_scores import top_scores
from remi_tf.serving.request import last_known
from remi_tf.systems import System, boosts_of


class User(NamedTuple):
    """What is known of the users of a request.

    rows [B, any] int32 of the history as sent, 0 = unknown; known [B] int32 number of known ids; finite [B] no NaN or
    infinity; read [B, max_history] int32, the rows that are read. Of a model with interests: vectors [B, K, d]; routing
    [B, K, max_history] or None. For a user without interests all three are 0. active [B, K] bool: false for an interest
    that only repeats the first; None if none does.
    """

    rows: tf.Tensor
    known: tf.Tensor
    finite: tf.Tensor
    read: tf.Tensor
    vectors: tf.Tensor | None = None
    routing: tf.Tensor | None = None
    active: tf.Tensor | None = None


class Reader(tf.Module):
    """What the served graph asks.

    Attributes:
      has_vectors: whether there are interests and item vectors; has_routing: whether a user has a routing; has_boost:
        whether scores are more than products; num_items.
    """

    has_vectors = has_routing = has_boost = False
    num_items: int

    def read(self, rows: tf.Tensor, known: tf.Tensor, features: dict[str, tf.Tensor]) -> User:
        """Histories as sent `[B, any]` rows, the number of known ids `[B]`, and what the model needs besides."""
        raise NotImplementedError

    def best(self, user: User, k: int | tf.Tensor, score_bytes: int, **limits: Any) -> tuple[tf.Tensor, tf.Tensor]:
        """ids and scores [B, k] as of `top_k`. limits: its exclude, allow and categories."""
        raise NotImplementedError

    def boosts(self, user: User) -> Boosts | None:
        """What is added to the products of some items of each user; None without `has_boost`."""
        return None

    def fetched_by(self, user: User, ids: tf.Tensor) -> tf.Tensor:
        """[B, n] the first interest with the highest score of each item; -1 where no interest fetched one."""
        raise NotImplementedError

    def vectors_of(self, rows: tf.Tensor) -> tf.Tensor:
        """[..., d] item vectors of the rows [...], where there are any."""
        raise NotImplementedError


def reader_of(system: System, num_columns: int) -> Reader:
    """The reader of a system. num_columns: profile columns of the catalogue, for a model that reads profiles."""
    return ByScores(system) if isinstance(system, CountedModel) else ByInterests(system, num_columns)


class ByInterests(Reader):
    """An item's score is its best product with an interest, and what the model's boost adds."""

    has_vectors = True

    def __init__(self, model: Encodes, num_columns: int):
        super().__init__("reader")
        self._encode, self.max_history = model.encode, model.max_history
        self._boosts, self.has_boost = partial(boosts_of, model), model.boost is not None
        # For cosines the rows are stored at length 1; else every request would have to scale the whole table.
        self.item_vectors = tf.Variable(model.item_vectors(), trainable=False) if model.by_cosine else model.item_table
        self.num_items = int(self.item_vectors.shape[0]) - 1
        nobody = {"days": tf.zeros([1, self.max_history], tf.int32), "profile": tf.zeros([1, num_columns], tf.int32)}
        encoded = model.encode(nobody["days"], **{name: nobody[name] for name in model.needs})
        self.has_routing = encoded.routing is not None

    def read(self, rows: tf.Tensor, known: tf.Tensor, features: dict[str, tf.Tensor]) -> User:
        """See Reader."""
        read = last_known(rows, rows, self.max_history)
        encoded = self._encode(read, **features)
        finite = tf.reduce_all(tf.math.is_finite(encoded.vectors), axis=[1, 2])  # [B]
        # Where all scores are 0, ties go to the lower row: the more popular item.
        has_interests = (finite & (known > 0))[:, None, None]
        vectors = tf.where(has_interests, encoded.vectors, 0.0)
        routing = None if encoded.routing is None else tf.where(has_interests, encoded.routing, 0.0)
        return User(rows, known, finite, tf.where(has_interests[:, 0], read, 0), vectors, routing, encoded.active)

    def best(self, user: User, k: int | tf.Tensor, score_bytes: int, **limits: Any) -> tuple[tf.Tensor, tf.Tensor]:
        """See Reader."""
        limits |= {"score_bytes": score_bytes, "boosts": self.boosts(user)}
        return top_k(user.vectors, self.item_vectors, k, **limits)

    def boosts(self, user: User) -> Boosts | None:
        """See Reader."""
        return self._boosts(user.read)

    def fetched_by(self, user: User, ids: tf.Tensor) -> tf.Tensor:
        """See Reader."""
        products = tf.matmul(self.vectors_of(ids), user.vectors, transpose_b=True)  # [B, n, K]
        by_interest = (ids > 0) & (user.finite & (user.known > 0))[:, None]
        return tf.where(by_interest, tf.math.top_k(products, 1).indices[:, :, 0], -1)

    def vectors_of(self, rows: tf.Tensor) -> tf.Tensor:
        """See Reader."""
        return tf.gather(tf.convert_to_tensor(self.item_vectors), rows)


class ByScores(Reader):
    """The model gives the scores."""

    def __init__(self, model: CountedModel):
        super().__init__("reader")
        self._scores, self._user_bytes = model.scores, model.user_bytes
        self.max_history, self.num_items = model.max_history, model.num_items

    def read(self, rows: tf.Tensor, known: tf.Tensor, features: dict[str, tf.Tensor]) -> User:
        """See Reader."""
        return User(rows, known, tf.ones_like(known, tf.bool), last_known(rows, rows, self.max_history))

    def best(self, user: User, k: int | tf.Tensor, score_bytes: int, **limits: Any) -> tuple[tf.Tensor, tf.Tensor]:
        """See Reader."""
        return top_scores(self._scores, user.read, k, user_bytes=self._user_bytes, score_bytes=score_bytes, **limits)

    def fetched_by(self, user: User, ids: tf.Tensor) -> tf.Tensor:
        """See Reader."""
        return -tf.ones_like(ids)
