"""Features of the kept items: raw values → columns learnt from the training users' items, and codes."""

import numpy as np

from remi_tf.data.dataset.vocabulary import Vocabulary
from remi_tf.data.features.columns import MISSING, FeatureColumn
from remi_tf.data.features.fitting import fit_column
from remi_tf.data.features.store import Features, Values, code_rows
from remi_tf.data.tables.feature_tables import RawFeatures


def code_features(raw: RawFeatures, vocabulary: Vocabulary, trained: np.ndarray) -> tuple[Features, list[str]]:
    """The features of rows 0..I, and what is to be said about them.

    Args:
      trained: [I + 1] bool, rows that training users have.

    Raises:
      InputError: a column of which no item of the training users has a value.
    """
    raw_ids = ["", *vocabulary.raw_ids(range(1, len(vocabulary) + 1))]  # nothing is known of padding
    values: list[Values] = [raw.of_items(number, raw_ids) for number in range(len(raw.asked))]
    columns, notes = [], []
    for number, ((name, kind), of_items) in enumerate(zip(raw.asked, values, strict=True)):
        column, said = fit_column(name, kind, of_items, trained, raw.forms.get(number, "iso"), raw.choice)
        columns.append(column)
        notes += said
    return code_rows(columns, values, raw_ids), notes


def described(features: Features) -> list[dict[str, object]]:
    """Of each column its name, kind, size in words, and the share of items that have a value."""
    columns, items = len(features.columns), features.num_rows - 1
    offsets = np.asarray(features.offsets)
    found = []
    for number, column in enumerate(features.columns):
        first = np.asarray(features.codes)[offsets[number::columns][1 : items + 1]]
        share = float(np.mean(first != features.starts[number] + MISSING)) if items else 0.0
        found.append({"name": column.name, "kind": column.kind, "holds": _size(column), "share": share})
    return found


def _size(column: FeatureColumn) -> str:
    kind = column.kind
    if kind == "vector":
        return f"{column.width:,} numbers"
    if kind in ("number", "date"):
        return f"{len(column.edges) + 1} quantiles"
    listed = f"{len(column.values):,} {'words' if kind == 'text' else 'values'}"
    return f"{listed}, {column.buckets:,} buckets" if column.buckets else listed
