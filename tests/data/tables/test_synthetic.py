"""The synthetic log: planted interests are there to be found, and nothing depends on anything but the settings."""

import numpy as np
import pytest

from remi_tf.data.tables.synthetic import SyntheticSettings, planted_interests, synthetic_frame, synthetic_profiles
from remi_tf.errors import InputError

SMALL = SyntheticSettings(num_users=200, num_items=100, num_clusters=10, noise=0.0)


def test_the_log_is_a_function_of_its_settings():
    assert synthetic_frame(SMALL).equals(synthetic_frame(SMALL))
    assert not synthetic_frame(SMALL).equals(synthetic_frame(SyntheticSettings(200, 100, 10, noise=0.0, seed=1)))


def test_without_noise_users_touch_only_their_planted_clusters():
    frame = synthetic_frame(SMALL)
    clusters, weights = planted_interests(SMALL)
    for user, own in frame.groupby("user_id"):
        liked = clusters[int(user[1:])][weights[int(user[1:])] > 0]
        assert set(own["category"]) <= {f"cluster {cluster}" for cluster in liked}


def test_interests_lengths_and_weights_keep_to_their_ranges():
    _, weights = planted_interests(SMALL)
    counts = (weights > 0).sum(axis=1)
    assert counts.min() == 2 and counts.max() == 4
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    lengths = synthetic_frame(SMALL).groupby("user_id").size()
    assert len(lengths) == 200 and lengths.min() >= 20 and lengths.max() <= 60


def test_an_item_has_one_cluster_and_its_title_says_which():
    frame = synthetic_frame(SMALL).drop_duplicates(["item_id", "category", "title"])
    assert frame["item_id"].is_unique
    assert (frame["title"].str.rsplit(" item ", n=1).str[0] == frame["category"]).all()


def test_popularity_inside_a_cluster_falls_by_rank():
    frame = synthetic_frame(SyntheticSettings(num_users=2000, num_items=100, num_clusters=10))
    counts = frame["title"].str.rsplit(" ", n=1).str[1].astype(int).value_counts().sort_index()
    assert counts[0] > 1.5 * counts[1] > 2 * counts[4]


def test_rows_come_in_the_order_of_time():
    assert synthetic_frame(SMALL)["timestamp"].is_monotonic_increasing


@pytest.mark.parametrize("settings", [{"interests": (3, 2)}, {"num_clusters": 3000}, {"lengths": (0, 5)}])
def test_sizes_that_make_no_sense_are_refused(settings):
    with pytest.raises(InputError, match="synthetic log"):
        SyntheticSettings(**settings)


def test_a_synthetic_club_tells_the_strongest_interest_where_it_is_known():
    settings = SyntheticSettings(num_users=200, num_items=100, num_clusters=10)
    clusters, weights = planted_interests(settings)
    profiles = synthetic_profiles(settings)
    clubs = [profiles[f"u{user}"][0] for user in range(200)]
    strongest = [f"club {clusters[user, weights[user].argmax()]}" for user in range(200)]
    assert all(club in ("", best) for club, best in zip(clubs, strongest, strict=True))
    assert 20 < clubs.count("") < 60
