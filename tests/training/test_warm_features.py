"""A warm start finds the values of features by their names."""

import numpy as np

from remi_tf.data.features.columns import FIRST, FeatureColumn
from remi_tf.data.features.store import Features, code_rows, padding
from remi_tf.model import MultiInterestModel
from remi_tf.settings.settings import Settings
from remi_tf.training.warm_features import same_codes, take_over_features

OLD = (
    FeatureColumn("genre", "category", values=("Drama", "Comedy")),
    FeatureColumn("price", "number", edges=(10.0, 20.0)),
    FeatureColumn("image", "vector", width=2, scale=0.5),
)
NEW = (
    FeatureColumn("price", "number", edges=(5.0, 10.0, 25.0)),
    FeatureColumn("image", "vector", width=2, scale=0.25),
    FeatureColumn("genre", "category", values=("Comedy", "Western")),
    FeatureColumn("brand", "category", values=("Acme",)),
)


def test_values_are_found_by_name_and_buckets_by_their_lower_border():
    genre = same_codes(NEW[2], OLD[0])
    assert genre.tolist() == [0, 1, FIRST + 1, -1]
    # below 5 and from 5 lay below 10; from 10 lay in the second bucket; from 25 in the third
    assert same_codes(NEW[0], OLD[1]).tolist() == [0, 1, FIRST, FIRST, FIRST + 1, FIRST + 2]


def features(columns: tuple[FeatureColumn, ...], values: list[str]) -> Features:
    return padding(columns).followed_by(code_rows(columns, [[value] for value in values], ["i"]))


def test_an_item_that_both_describe_alike_says_the_same_after_a_warm_start():
    settings = Settings().replace(item_tower="mlp", embedding_dim=8, num_negatives=2, sampler="uniform")
    theirs = features(OLD, ["Comedy", "12", "[2, 4]"])
    ours = features(NEW, ["12", "[2, 4]", "Comedy", ""])
    before = MultiInterestModel(settings, 1, features=theirs)
    model = MultiInterestModel(settings.replace(seed=5), 1, features=ours)
    generator = np.random.default_rng(0)
    for weight in before.items.tower.trainable_weights:
        weight.assign(generator.normal(size=weight.shape))
    said = before.items.tower([1]).numpy()
    take_over_features(model, before, ours, theirs)
    missing = FIRST + 0  # the new column brand is missing, and its embedding is 0
    assert not model.items.tower.code_table.numpy()[ours.starts[3] : ours.starts[3] + missing].any()
    np.testing.assert_allclose(model.items.tower([1]), said, rtol=1e-4, atol=1e-5)
