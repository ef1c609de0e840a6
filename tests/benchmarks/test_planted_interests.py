"""What several interests are for: users whose interests are known, and models that have to find them."""

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.planted_interests import PlantedLog, coverage, planted_log, train
from remi_tf.data.dataset.interactions import Interactions
from remi_tf.data.tables.synthetic import SyntheticSettings
from remi_tf.encoders.base import Interests

NARROW = SyntheticSettings(num_users=1500, num_items=480, num_clusters=80, interests=(4, 4), zipf=0.5, noise=0.02)


@pytest.mark.trains
@pytest.mark.slow
def test_four_interests_find_more_of_what_users_like_than_one():
    """Seeds 1 to 4: .73 to .75 of a user's interests are met by four, .53 to .56 by one, trained in the same way."""
    log, small = planted_log(NARROW), {"embedding_dim": 24, "learning_rate": 0.005, "num_negatives": 128, "seed": 1}
    several, single = (
        coverage(train(log, steps=600, remi=True, model_type="SA", num_interests=number, **small), log, top_n=8)
        for number in (4, 1)
    )
    assert several["met"] > single["met"] + 0.1
    assert several["all met"] > 2 * single["all met"]


class ListOf:
    """A model that recommends the items of `best`, the best first, to everyone."""

    max_history, needs, by_cosine, boost = 4, (), False, None

    def __init__(self, best: list[int], num_items: int):
        scores = np.zeros([num_items + 1, 1], np.float32)
        scores[best, 0] = np.arange(len(best), 0, -1)
        self.item_table = tf.Variable(scores)

    def item_vectors(self):
        return tf.convert_to_tensor(self.item_table)

    def encode(self, history):
        return Interests(tf.ones([tf.shape(history)[0], 1, 1]))


@pytest.mark.parametrize(
    ("best", "touched", "met", "all_met"),
    [
        ([3, 6, 4, 7], 1.0, 1.0, 1.0),  # two items of either cluster
        ([3, 9, 6, 10], 1.0, 1.0, 1.0),  # one of either: half of the even share
        ([3, 4, 9, 10], 0.5, 0.5, 0.0),  # none of the second
        ([1, 5, 3, 9, 4, 10, 6], 0.5, 0.5, 0.0),  # 1 and 5 were read, so that 3, 9, 4, 10 are recommended
        ([9, 10, 11, 12], 0.0, 0.0, 0.0),
    ],
)
def test_coverage_counts_interests_by_their_share_of_the_list(best, touched, met, all_met):
    cluster = np.array([-1, *np.repeat([0, 1, 2], 4)])  # items 1-4, 5-8, 9-12; the user likes the first two
    one_user = Interactions(np.array([1, 5, 1], np.int32), np.arange(3), np.array([0, 3]), np.array([3]))
    log = PlantedLog(one_user, one_user, cluster, np.array([[True, True, False]]))
    assert coverage(ListOf(best, 12), log, top_n=4) == {"touched": touched, "met": met, "all met": all_met}


def test_the_log_holds_every_user_once_and_knows_what_was_planted():
    settings = SyntheticSettings(num_users=50, num_items=40, num_clusters=8, noise=0.0)
    log = planted_log(settings)
    assert (log.train.num_users, log.test.num_users) == (40, 10)
    popularity = np.bincount(np.concatenate([log.train.items, log.test.items]))[1:]
    assert (np.diff(popularity) <= 0).all()
    for user in range(10):
        read = log.cluster[log.test.items[log.test.offsets[user] : log.test.offsets[user + 1]]]
        assert log.liked[user, read].all()
