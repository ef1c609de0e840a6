"""Cold items: some items are hidden from training, to see what becomes of items that are new."""

import numpy as np

from remi_tf.data.dataset.interactions import Interactions


def cold_last(item_order: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, int]:
    """The items with a random `share` of them last. The others keep their order; the cold ones get a random one.

    Lower rows win ties, so an order by popularity would tell how popular each item is that nobody may have seen.

    Returns:
      The same items in their new order, and how many are cold.
    """
    number = round(share * len(item_order))
    cold = np.random.default_rng(seed).permutation(len(item_order))[:number]
    return np.concatenate([np.delete(item_order, cold), item_order[cold]]), number


def without_cold(train: Interactions, users: np.ndarray, warm: int) -> tuple[Interactions, np.ndarray]:
    """Training users without the rows above `warm`, and without those users that have no other.

    Args:
      users: [users] any numbers of theirs.

    Returns:
      The interactions, every item of which is history, and the numbers of the users that are left.
    """
    kept = np.asarray(train.items) <= warm
    owners = np.repeat(np.arange(train.num_users), train.lengths)[kept]
    lengths = np.bincount(owners, minlength=train.num_users)
    there = lengths > 0
    offsets = np.concatenate([[0], np.cumsum(lengths[there])])
    items, times = np.asarray(train.items)[kept], np.asarray(train.timestamps)[kept]
    return Interactions(items, times, offsets, lengths[there]), users[there]
