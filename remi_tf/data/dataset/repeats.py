"""How often users of a log come back to an item of their history."""

import numpy as np

from remi_tf.data.dataset.interactions import Interactions
from remi_tf.data.dataset.views import history_cuts

PIECE = 1 << 18
"""Interactions that are looked at together (or those of one user): bounds the memory to about 10 MB."""


def share_of_repeats(train: Interactions) -> float:
    """The share of the targets that already occur in their user's history: 0 to 1; 0 where there is no target.

    The training users are cut as the protocol cuts test users: the first 80% of a sequence are the history, the rest
    are the targets. A target that occurs twice counts twice, as in recall.

    Example:
      >>> import numpy as np
      >>> from remi_tf.data.dataset.interactions import Interactions
      >>> from remi_tf.data.dataset.repeats import share_of_repeats
      >>> items = np.array([1, 2, 3, 4, 2, 1, 2, 3, 4, 5], np.int32)  # two users of five items: one target each
      >>> share_of_repeats(Interactions(items, np.arange(10), np.array([0, 5, 10]), np.array([5, 5])))
      0.5
    """
    offsets = np.asarray(train.offsets)
    repeats = targets = first = 0
    while first < train.num_users:
        last = max(first + 1, int(np.searchsorted(offsets, offsets[first] + PIECE, side="right")) - 1)
        lengths = np.diff(offsets[first : last + 1])  # [U] of the users first .. last - 1
        items = np.asarray(train.items[offsets[first] : offsets[last]], np.int64)  # [n]
        user = np.repeat(np.arange(len(lengths)), lengths)
        place = np.arange(len(items)) - (offsets[first:last] - offsets[first])[user]
        is_target = place >= history_cuts(lengths)[user]
        keys = user * (items.max(initial=0) + 1) + items  # one number for each (user, item)
        history, wanted = np.sort(keys[~is_target]), keys[is_target]
        if len(history):
            found = np.minimum(np.searchsorted(history, wanted), len(history) - 1)
            repeats += int((history[found] == wanted).sum())
        targets += len(wanted)
        first = last
    return repeats / targets if targets else 0.0
