"""A system is trained (encoder and objective) or counted. Here is what both have in common for all who use one."""

from collections.abc import Callable, Sequence
from importlib import import_module

import numpy as np
import tensorflow as tf

from remi_tf.counted.base import CountedModel
from remi_tf.data.features.store import Features
from remi_tf.model import Encodes, MultiInterestModel
from remi_tf.retrieval.boosts import Boosts
from remi_tf.retrieval.top_k import SCORE_BYTES, answer
from remi_tf.retrieval.top_scores import top_scores
from remi_tf.settings.encoders import ENCODERS
from remi_tf.settings.settings import Settings

System = Encodes | CountedModel
"""Whatever answers a history: by interests, or by a score for every item."""


def make_system(
    settings: Settings,
    num_items: int,
    profile_sizes: Sequence[int] = (),
    target_shares: Callable[[], np.ndarray] | None = None,
    features: Features | None = None,
) -> MultiInterestModel | CountedModel:
    """The system of these settings, before it learns or counts anything. Arguments and errors as MultiInterestModel."""
    model_type = settings.encoder.model_type
    if ENCODERS[model_type].counted:
        return _counted_class(model_type)(settings.encoder, num_items)
    return MultiInterestModel(settings, num_items, profile_sizes, target_shares, features)


def make_counted(settings: Settings, num_items: int) -> CountedModel:
    """A counted model that can be counted here: its size is checked before any table is made.

    Raises:
      InputError: the memory is too small for the catalogue.
    """
    refuse_counted(settings, num_items)
    return _counted_class(settings.encoder.model_type)(settings.encoder, num_items)


def refuse_counted(settings: Settings, num_items: int) -> None:
    """Raise InputError if the memory is too small to count this model for the catalogue."""
    _counted_class(settings.encoder.model_type).refuse(settings.encoder, num_items)


def counted_bytes(settings: Settings, num_items: int) -> int:
    """About how many bytes the tables of a counted model take while they are counted."""
    return _counted_class(settings.encoder.model_type).bytes_needed(settings.encoder, num_items)


def _counted_class(model_type: str) -> type[CountedModel]:
    module, cls = ENCODERS[model_type].path.split(":")
    return getattr(import_module(module), cls)


def recommend(
    system: System,
    history: tf.Tensor,
    k: int,
    exclude_history: bool = False,
    score_bytes: int = SCORE_BYTES,
    **features: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    """ids and scores `[B, k]`: the best items for each history, by the system's interests or by its scores.

    Args:
      history: `[B, max_history]` int32 rows, right-padded with 0.
      exclude_history: leave out the items of `history`.
      score_bytes: bound on the scores held at a time.
      features: what `system.needs`.

    Returns:
      As `retrieval.top_k.top_k`. An empty history gets the most popular items, with score 0.
    """
    return best(system, history, k, history if exclude_history else None, score_bytes, **features)


def best(
    system: System,
    history: tf.Tensor,
    k: int | tf.Tensor,
    exclude: tf.Tensor | None,
    score_bytes: int,
    **features: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    """As `recommend`, without the items of `exclude` `[B, X]`: 0 = none."""
    if isinstance(system, CountedModel):
        return top_scores(
            system.scores, history, k, exclude=exclude, user_bytes=system.user_bytes, score_bytes=score_bytes
        )
    interests = system.encode(history, **features).vectors
    return answer(interests, system.item_vectors(), history, k, exclude, score_bytes, boosts_of(system, history))


def boosts_of(system: Encodes, history: tf.Tensor) -> Boosts | None:
    """What the histories `[B, max_history]` add to scores next to the inner products; None if the system has none."""
    return None if system.boost is None else system.boost.of(history)


def finish(system: System) -> None:
    """Make what is read of a system agree with its weights, after they have changed."""
    if isinstance(system, MultiInterestModel):
        system.finish_items()


def items_of(system: System) -> int:
    """I, the number of items that a system knows."""
    return system.num_items if isinstance(system, CountedModel) else int(system.item_table.shape[0]) - 1
