"""Columns learnt from the items of the training users: which values get a code, where numbers are cut."""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from remi_tf.data.features.columns import FeatureColumn, day_of, number_of, one_line, one_value, words
from remi_tf.data.features.store import Values
from remi_tf.data.tables.labels import SEPARATOR, CategoryChoice, choose_level, elements, every_element
from remi_tf.errors import InputError

LEAST_ITEMS = 2
"""A value that fewer items have is UNKNOWN: it would say no more than the item's id."""
LEAST_OF_WORD = 5
"""A word that fewer items have is spelt in pieces."""
MOST_VALUES, VALUE_BUCKETS = 1_000_000, 1 << 20
"""More values than this are hashed into so many buckets."""
MOST_WORDS, GRAM_BUCKETS = 200_000, 1 << 14
QUANTILES = 20
ANY_LEVEL = CategoryChoice()


def fit_column(
    name: str,
    kind: str,
    values: Values,
    trained: np.ndarray,
    form: str = "iso",
    choice: CategoryChoice = ANY_LEVEL,
) -> tuple[FeatureColumn, list[str]]:
    """A column, and what is to be said about it.

    Args:
      values: of all items.
      trained: [items] bool, those that training users have. Only they are looked at.
      form: of dates.
      choice: of categories and lists of such: what stands between elements, and which level of a path is the category.

    Raises:
      InputError: none of them has a value.
      ValueError: a number or a date that is none.
    """
    if kind == "vector":
        return _fit_vector(name, np.asarray(values)[trained])
    texts = [text for text, used in zip(values, trained, strict=True) if used and text.strip()]
    if not texts:
        raise InputError(f"{name}: no item of the training users has a value; leave it out of --item_features")
    if kind in ("number", "date"):
        numbers = [number_of(text) if kind == "number" else day_of(text, form) for text in texts]
        return FeatureColumn(name, kind, edges=borders(numbers), form=form), []
    if kind == "text":
        counts = _counted(words(text) for text in texts)
        known = [word for word, count in counts if count >= LEAST_OF_WORD][:MOST_WORDS]
        return FeatureColumn(name, kind, values=tuple(known), buckets=GRAM_BUCKETS), []
    return _fit_values(name, kind, texts, choice)


def borders(numbers: Sequence[float]) -> tuple[float, ...]:
    """Ascending borders between at most QUANTILES buckets of about as many numbers; a bucket holds its lower border."""
    if not len(numbers):
        return ()
    cuts = np.unique(np.quantile(numbers, np.arange(1, QUANTILES) / QUANTILES, method="inverted_cdf"))
    return tuple(float(cut) for cut in cuts[cuts > min(numbers)])  # the lowest value opens no bucket of its own


def _fit_values(name: str, kind: str, texts: list[str], choice: CategoryChoice) -> tuple[FeatureColumn, list[str]]:
    """Of category and multi."""
    separator = choice.separator or SEPARATOR
    level, notes = 0, list[str]()
    if kind == "multi":
        counts = _counted(every_element(text, separator) for text in texts)
    else:
        paths = [parts for text in texts if (parts := elements(text, separator))]
        if any(len(parts) > 1 for parts in paths):
            level, notes = choose_level(paths, choice)
            notes = [f"{name}: {note}" for note in notes]
        counts = _counted(one_value(text, level, separator) for text in texts)
    known = [value for value, count in counts if count >= LEAST_ITEMS]
    if len(known) > MOST_VALUES:
        notes.append(f"{name}: {len(known):,} different values, so they are hashed into {VALUE_BUCKETS:,} buckets")
        return FeatureColumn(name, kind, buckets=VALUE_BUCKETS, separator=separator, level=level), notes
    if not known:
        notes.append(f"{name}: every item has a value of its own, which says no more than its id; leave it out")
    return FeatureColumn(name, kind, values=tuple(known), separator=separator, level=level), notes


def _counted(lists: Iterable[Sequence[str]]) -> list[tuple[str, int]]:
    """Values and how many items have each, the most frequent first, then by their text."""
    counts = Counter(value for values in lists for value in set(map(one_line, values)))
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def _fit_vector(name: str, rows: np.ndarray) -> tuple[FeatureColumn, list[str]]:
    lengths = np.linalg.norm(rows[np.isfinite(rows).all(axis=1)], axis=1)
    if not len(lengths) or not lengths.max():
        raise InputError(f"{name}: no item of the training users has a vector; leave it out of --item_features")
    return FeatureColumn(name, "vector", width=rows.shape[1], scale=float(1 / lengths.mean())), []
