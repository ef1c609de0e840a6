"""Which items a user may get: exclude lists, allow lists and categories, applied to the scores chunk by chunk.

Boosts (boosts.py) are applied in the same way, before all of these.

A filter takes the scores `[B, n]` of the items `start .. start + n - 1`. It returns them with -inf for items that the
user may not get. Lists hold item ids as `[B, X]` int32, or `[1, X]` where all users share one; 0 stands for no item,
ids may repeat. The cost of a list depends on its length: no mask of the whole catalogue is made, and a list that all
share is not copied for each user.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import tensorflow as tf

from remi_tf.retrieval.boosts import Boosts

Filter = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
NOT_ALLOWED = -float("inf")


class Categories(NamedTuple):
    """Only items of some categories.

    of_items: `[I + 1]` int32 category of each item, 0 = unknown.
    wanted: `[B, C]` or `[1, C]` int32 categories a user may get items of, 0 = none; a row of zeros allows every item.
    total: number of categories, the largest number in `of_items`.
    """

    of_items: tf.Tensor
    wanted: tf.Tensor
    total: int


def make_filters(
    exclude: tf.Tensor | Sequence[tf.Tensor] | None = None,
    allow: tf.Tensor | None = None,
    categories: Categories | None = None,
    boosts: Boosts | None = None,
) -> list[Filter]:
    """The filters for those arguments of `top_k` that have these names."""
    lists = list(exclude) if isinstance(exclude, list | tuple) else [] if exclude is None else [exclude]
    filters = [] if boosts is None else [_raised(boosts)]
    filters += [_without(tf.cast(ids, tf.int32)) for ids in lists]
    if allow is not None:
        filters.append(_only(tf.cast(allow, tf.int32)))
    if categories is not None:
        filters.append(_of_categories(categories))
    return filters


def _raised(boosts: Boosts) -> Filter:
    def raised(scores: tf.Tensor, start: tf.Tensor) -> tf.Tensor:
        places, inside = _places_inside(boosts.ids, start, tf.shape(scores)[1])
        return tf.tensor_scatter_nd_add(scores, places, tf.gather_nd(boosts.amounts, inside))

    return raised


def _without(ids: tf.Tensor) -> Filter:
    def restrict(scores: tf.Tensor, start: tf.Tensor) -> tf.Tensor:
        places = _places(ids, start, tf.shape(scores)[1])  # [x, 2]
        return tf.cond(
            tf.shape(ids)[0] == tf.shape(scores)[0],
            lambda: tf.tensor_scatter_nd_update(scores, places, tf.fill(tf.shape(places)[:1], NOT_ALLOWED)),
            lambda: tf.where(_marked(places, tf.shape(scores)[1]), NOT_ALLOWED, scores),
        )

    return _if_any(tf.reduce_any(ids > 0, axis=1), restrict)


def _only(ids: tf.Tensor) -> Filter:
    limited = tf.reduce_any(ids > 0, axis=1)  # [B or 1]

    def of_each(scores: tf.Tensor, places: tf.Tensor) -> tf.Tensor:
        nothing = tf.fill(tf.shape(scores), NOT_ALLOWED)
        allowed = tf.tensor_scatter_nd_update(nothing, places, tf.gather_nd(scores, places))
        return tf.where(limited[:, None], allowed, scores)

    def restrict(scores: tf.Tensor, start: tf.Tensor) -> tf.Tensor:
        places = _places(ids, start, tf.shape(scores)[1])  # [x, 2]
        return tf.cond(
            tf.shape(ids)[0] == tf.shape(scores)[0],
            lambda: of_each(scores, places),
            lambda: tf.where(_marked(places, tf.shape(scores)[1]), scores, NOT_ALLOWED),
        )

    return _if_any(limited, restrict)


def _of_categories(categories: Categories) -> Filter:
    wanted = tf.cast(categories.wanted, tf.int32)  # [B or 1, C]
    limited = tf.reduce_any(wanted > 0, axis=1)  # [B or 1]
    # [B or 1, total + 1], by one step for each name that was sent; nobody can want the unknown category 0.
    named = tf.cast(tf.where(wanted > 0), tf.int32)  # [x, 2] user, place in the list
    numbers = tf.stack([named[:, 0], tf.gather_nd(wanted, named)], axis=1)
    nothing = tf.zeros([tf.shape(wanted)[0], categories.total + 1], tf.bool)
    is_wanted = tf.tensor_scatter_nd_update(nothing, numbers, tf.fill(tf.shape(numbers)[:1], True))
    is_wanted |= ~limited[:, None]

    def restrict(scores: tf.Tensor, start: tf.Tensor) -> tf.Tensor:
        of_items = categories.of_items[start : start + tf.shape(scores)[1]]  # [n]
        return tf.where(tf.gather(is_wanted, of_items, axis=1), scores, NOT_ALLOWED)

    return _if_any(limited, restrict)


def _marked(places: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    """`[1, count]` whether a column is in a list that all users share; places: `[x, 2]` as of `_places`."""
    marks = tf.fill(tf.shape(places)[:1], True)
    return tf.tensor_scatter_nd_update(tf.zeros([1, count], tf.bool), places, marks)


def _if_any(limited: tf.Tensor, restrict: Filter) -> Filter:
    """Filter only if some user of the batch is limited, so that most requests pay nothing."""
    any_limited = tf.reduce_any(limited)
    return lambda scores, start: tf.cond(any_limited, lambda: restrict(scores, start), lambda: scores)


def _places(ids: tf.Tensor, start: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    """`[x, 2]` (row of the list, column) of the ids in this chunk. 0 is in no chunk, because chunks start at 1."""
    return _places_inside(ids, start, count)[0]


def _places_inside(ids: tf.Tensor, start: tf.Tensor, count: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """As `_places`, and where these ids stand in the lists: `[x, 2]` (user, place in the list)."""
    inside = tf.cast(tf.where((ids >= start) & (ids < start + count)), tf.int32)
    return tf.stack([inside[:, 0], tf.gather_nd(ids, inside) - start], axis=1), inside
