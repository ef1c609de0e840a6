"""From the values of a table to the features of rows 0..I."""

import numpy as np

from remi_tf.data.dataset.vocabulary import Vocabulary
from remi_tf.data.features.columns import UNKNOWN
from remi_tf.data.protocol.features import code_features, described
from remi_tf.data.tables.feature_kinds import Asked
from remi_tf.data.tables.feature_tables import RawFeatures

RAW = RawFeatures(
    asked=[Asked("brand", "category"), Asked("price", "number"), Asked("image", "vector")],
    rows={"c": 0, "a": 1, "b": 2, "elsewhere": 3},
    values=[["x", "x", "new", "x"], ["5", "1", "", "9"], np.array([[4.0, 3], [0, 5], [np.nan, np.nan], [9, 9]])],
)


def test_rows_follow_the_vocabulary_and_only_trained_items_teach():
    trained = np.array([False, True, False, True])
    features, notes = code_features(RAW, Vocabulary(["a", "b", "c"]), trained)
    assert features.num_rows == 4 and not features.known[0] and features.known[[1, 3]].all() and not notes
    brand, price, _ = features.columns
    assert brand.values == ("x",) and features.codes[features.offsets[2 * 3]] == UNKNOWN
    assert price.codes("1") != price.codes("5") and max(price.edges) <= 5
    np.testing.assert_allclose(features.vectors[2] * 5, [[0, 0], [0, 5], [0, 0], [4, 3]])


def test_each_column_is_described_with_the_share_of_items_that_have_it():
    features, _ = code_features(RAW, Vocabulary(["a", "b", "c", "d"]), np.array([False, True, True, True, False]))
    assert [each["share"] for each in described(features)] == [0.75, 0.5, 0.5]
    assert [each["holds"] for each in described(features)] == ["1 values", "2 quantiles", "2 numbers"]
