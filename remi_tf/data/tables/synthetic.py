"""A synthetic log with planted interests, so that it can be checked whether a model finds them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from remi_tf.errors import InputError

START = 1_577_836_800  # 2020-01-01, in seconds
PROFILE_NAMES = ("club", "age")
AGES = ("under 25", "25 to 49", "50 and over")
STEP = 3600  # mean seconds between two interactions of a user


@dataclass(frozen=True)
class SyntheticSettings:
    """Size and shape of the synthetic log.

    num_users, num_items, num_clusters: items are spread evenly over the clusters; an item's cluster is its category.
    interests: fewest and most clusters a user is interested in; lengths: fewest and most rows of a user.
    zipf: within a cluster the item of popularity rank r is drawn in proportion to 1 / r**zipf.
    noise: share of rows drawn from the whole catalogue, not from the user's interests.
    """

    num_users: int = 3000
    num_items: int = 2000
    num_clusters: int = 20
    interests: tuple[int, int] = (2, 4)
    lengths: tuple[int, int] = (20, 60)
    zipf: float = 1.0
    noise: float = 0.05
    seed: int = 1230

    def __post_init__(self) -> None:
        low, high = self.interests
        if not 1 <= low <= high <= self.num_clusters <= self.num_items:
            raise InputError("synthetic log: 1 <= interests <= num_clusters <= num_items does not hold")
        if not 1 <= self.lengths[0] <= self.lengths[1]:
            raise InputError(f"synthetic log: lengths {self.lengths} must be (fewest, most), from 1")


def synthetic_frame(settings: SyntheticSettings | None = None) -> pd.DataFrame:
    """The log as columns user_id, item_id, timestamp (seconds), category, title; it depends only on the settings.

    Every user has a few clusters with unequal weights; each row picks a cluster by weight, then an item in it by Zipf.
    Rows are ordered by time over all users, as a server's log would be.
    """
    settings = settings or SyntheticSettings()
    generator = np.random.default_rng(settings.seed)
    lengths = generator.integers(settings.lengths[0], settings.lengths[1], settings.num_users, endpoint=True)
    users = np.repeat(np.arange(settings.num_users), lengths)
    interests, weights = planted_interests(settings)
    cumulative = np.cumsum(weights, axis=1)
    chosen = (generator.random(len(users))[:, None] > cumulative[users]).sum(
        axis=1
    )  # [n] which of the user's interests
    clusters = interests[users, np.minimum(chosen, interests.shape[1] - 1)]
    noisy = generator.random(len(users)) < settings.noise
    clusters[noisy] = generator.integers(0, settings.num_clusters, int(noisy.sum()))
    ranks = _zipf_ranks(generator, clusters, settings)
    begin = generator.integers(0, 30 * 86_400, settings.num_users)
    gaps = generator.integers(1, 2 * STEP, len(users))
    first = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    elapsed = np.cumsum(gaps)
    times = START + begin[users] + elapsed - np.repeat(elapsed[first], lengths)
    frame = pd.DataFrame(
        {
            "user_id": [f"u{user}" for user in users],
            "item_id": [f"c{cluster}i{rank}" for cluster, rank in zip(clusters, ranks, strict=True)],
            "timestamp": times,
            "category": [f"cluster {cluster}" for cluster in clusters],
            "title": [f"cluster {cluster} item {rank}" for cluster, rank in zip(clusters, ranks, strict=True)],
        }
    )
    return frame.sort_values("timestamp", kind="stable", ignore_index=True)


def planted_interests(settings: SyntheticSettings) -> tuple[np.ndarray, np.ndarray]:
    """What the users like, in the order u0, u1, …: the answer that tests compare with.

    Returns:
      [num_users, most] int64 clusters (those beyond a user's number of interests have weight 0) and
      [num_users, most] float64 weights that sum to 1.
    """
    generator = np.random.default_rng([settings.seed, 1])
    low, high = settings.interests
    counts = generator.integers(low, high, settings.num_users, endpoint=True)
    clusters = np.argsort(generator.random((settings.num_users, settings.num_clusters)), axis=1)[:, :high]
    weights = generator.uniform(0.5, 1.5, (settings.num_users, high)) * (np.arange(high) < counts[:, None])
    return clusters, weights / weights.sum(axis=1, keepdims=True)


def synthetic_profiles(settings: SyntheticSettings) -> dict[str, tuple[str, ...]]:
    """User id → club, age: the club is the user's strongest interest, or missing (a fifth); age says nothing."""
    generator = np.random.default_rng([settings.seed, 2])
    clusters, weights = planted_interests(settings)
    clubs = clusters[np.arange(settings.num_users), weights.argmax(axis=1)]
    without = generator.random(settings.num_users) < 0.2
    ages = generator.choice(AGES, settings.num_users)
    return {
        f"u{user}": ("" if without[user] else f"club {clubs[user]}", str(ages[user]))
        for user in range(settings.num_users)
    }


def _zipf_ranks(generator: np.random.Generator, clusters: np.ndarray, settings: SyntheticSettings) -> np.ndarray:
    """[n] int64 popularity ranks, from 0, of items within their clusters."""
    sizes = np.bincount(np.arange(settings.num_items) % settings.num_clusters, minlength=settings.num_clusters)
    ranks = np.zeros(len(clusters), np.int64)
    draws = generator.random(len(clusters))
    for cluster, size in enumerate(sizes):
        mine = clusters == cluster
        cumulative = np.cumsum(1.0 / np.arange(1, size + 1) ** settings.zipf)
        ranks[mine] = np.searchsorted(cumulative / cumulative[-1], draws[mine], side="right").clip(max=size - 1)
    return ranks
