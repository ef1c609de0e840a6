"""What a run needs in memory, by part and device, from shapes. Only what is surely there at one time is added up.

Not counted, as it does not follow from shapes: what an encoder computes on its way (activations), TensorFlow itself,
and what it keeps for later. Arrays that are read through memory maps give way, so they need nothing.
"""

from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from remi_tf.counted.boost import boost_bytes, tables_of
from remi_tf.data.dataset.folder import Dataset
from remi_tf.data.dataset.interactions import Interactions
from remi_tf.evaluation.evaluate import BATCH_SIZE, EVALUATION_BYTES
from remi_tf.evaluation.tally import batches, users_with_targets
from remi_tf.objective import every_position, full_softmax
from remi_tf.settings.encoders import needs
from remi_tf.settings.exclusion import excludes_history
from remi_tf.settings.objective import BY_SCORE
from remi_tf.settings.settings import Settings
from remi_tf.training.measurements import validation_users
from remi_tf.training.spectral_start import spectral_bytes
from remi_tf.training.weight_bytes import features_bytes, weight_bytes

HOST = "CPU:0"


class When(Enum):
    """When a part is there. What is there at other moments than another part does not add up with it."""

    ALWAYS = "all the time"
    START = "before the first step"
    RUNNING = "from the first step on"
    STEP = "in a step"
    CHECK = "when weights are checked"
    VALIDATION = "in a validation"
    END = "when training ends"


class Part(NamedTuple):
    """A part of what is needed. size: bytes."""

    name: str
    device: str
    size: int
    when: When = When.ALWAYS


def needed(parts: Iterable[Part]) -> dict[str, int]:
    """Device → bytes that are needed at the moment that needs most."""
    found: dict[str, dict[When, int]] = {}
    for part in parts:
        of_device = found.setdefault(part.device, dict.fromkeys(When, 0))
        of_device[part.when] += part.size
    return {device: _most(of_device) for device, of_device in found.items()}


def _most(sizes: dict[When, int]) -> int:
    after = max(sizes[when] for when in (When.STEP, When.CHECK, When.VALIDATION, When.END))
    return sizes[When.ALWAYS] + max(sizes[When.START], sizes[When.RUNNING] + after)


def weights_device() -> str:
    """Where TensorFlow puts weights: the first GPU, else the CPU."""
    return "GPU:0" if tf.config.list_logical_devices("GPU") else HOST


def run_parts(settings: Settings, dataset: Dataset, starts: str = "new") -> list[Part]:
    """What a run of a trained model needs.

    Args:
      starts: new, warm (from another run's weights) or resumed; these two are filled already. A resumed run may have
        its boost already.

    Raises:
      InputError: a model that cannot be built, or no validation user with a target.
    """
    device, encoder, training = weights_device(), settings.encoder, settings.training
    weights, dim, num_items = weight_bytes(settings, dataset), encoder.embedding_dim, dataset.num_items
    parts = [
        Part("item table", device, weights.items),
        Part("encoder and loss", device, weights.encoder + weights.loss + weights.others),
        Part(f"optimizer slots ({training.optimizer})", device, 2 * weights.trained),
        Part("log for the batches", HOST, log_bytes(settings, dataset.train)),
        Part("scores and rows of a step", device, step_bytes(settings, num_items), When.STEP),
        Part("check of the weights", device, weights.largest, When.CHECK),  # a read copies it, and NumPy again
        Part("check of the weights, copy", HOST, weights.largest, When.CHECK),
        Part("evaluation batch", device, evaluation_bytes(settings, dataset), When.VALIDATION),
    ]
    if settings.items.item_tower != "id" and dataset.features is not None:
        tower = weights.tower + weights.finished + features_bytes(dataset.features)
        parts.append(Part("item tower, features and items' vectors", device, tower))
    if whole := table_work(settings, weights.largest):
        parts.append(Part("changes of the whole item table", device, whole, When.STEP))
    if training.average_steps:
        parts.append(Part("weight average", device, weights.trained, When.RUNNING))  # until then both share memory
    if training.init == "spectral" and starts == "new":
        parts.append(Part("spectral start", HOST, spectral_bytes(dataset.train, num_items, dim), When.START))
    if settings.boost.boost == "counted" and starts != "resumed":
        tables = len(tables_of(settings.boost.boost_table, dataset.features is not None))
        lists, copies = boost_bytes(settings.boost.boost_neighbours, num_items, dim, tables)
        parts.append(Part("boost", HOST, lists, When.END))
        parts.append(Part("best weights, read for the boost", device, copies, When.END))
    if not training.max_steps:
        return [part for part in parts if part.when in (When.ALWAYS, When.START, When.END)]
    return parts


def log_bytes(settings: Settings, train: Interactions) -> int:
    """What TrainingBatches holds: items, and of users where they begin, how many items they have, and so on."""
    asked, users = needs(settings.encoder), int((train.lengths > settings.training.first_target).sum())
    profiles = 0 if train.profiles is None or "profile" not in asked else 4 * users * train.profiles.shape[1]
    ahead = 4 * users if settings.objective.targets == "future" else 0
    return len(train.items) * (8 if "days" in asked else 4) + users * (8 + 4) + ahead + profiles + 8 * train.num_users


def step_bytes(settings: Settings, num_items: int) -> int:
    """Scores and item vectors of a step, each with its gradient."""
    encoder, batch = settings.encoder, settings.training.batch_size
    number = _candidates(settings, num_items)
    rows = batch * (encoder.max_history + 1) + (0 if settings.objective.sampler == "full" else number)
    return 2 * (score_bytes(settings, number) + 4 * encoder.embedding_dim * rows)


def score_bytes(settings: Settings, number: int) -> int:
    """Scores of a step with so many candidates: [B, N], with K of each where every interest scores."""
    encoder, objective, batch = settings.encoder, settings.objective, settings.training.batch_size
    if objective.loss == "bce":
        return 4 * batch * encoder.max_history
    each = objective.readout in ("per_candidate", "logsumexp") or objective.multi_interest_weight > 0
    scores = 4 * batch * number * (encoder.num_interests if each or objective.loss == "idw" else 1)
    if objective.sampler == "full":
        return min(scores, full_softmax.PIECE_BYTES)
    return min(scores, every_position.PIECE_BYTES) if objective.targets == "every" else scores


def _candidates(settings: Settings, num_items: int) -> int:
    """Items that compete with the target, or that are chosen from."""
    objective = settings.objective
    if objective.sampler == "full":
        return num_items
    if objective.sampler == "in_batch":
        return settings.training.batch_size
    return objective.num_negatives * (objective.pool_factor if objective.sampler in BY_SCORE else 1)


def table_work(settings: Settings, largest: int) -> int:
    """What a step holds of the size of the item table: Adam's change of all rows, or the full softmax's gradient."""
    return 2 * largest if settings.training.optimizer == "adam" or settings.objective.sampler == "full" else 0


def evaluation_bytes(settings: Settings, dataset: Dataset) -> int:
    """Scores of a batch and their maxima over interests, and the items' vectors: read, and of length 1 for cosines."""
    users = validation_users(dataset, settings.training.eval_users)
    excluded = excludes_history(settings.training.exclude_history, lambda: dataset.repeats)
    batch = max(map(len, batches(users, users_with_targets(users), BATCH_SIZE, excluded)))
    interests, rows = settings.encoder.num_interests, dataset.num_items + 1
    scores = min(EVALUATION_BYTES, 4 * batch * interests * rows)
    table = 4 * settings.encoder.embedding_dim * rows
    return scores + scores // interests + table * (2 if settings.objective.loss == "idw" else 1)


def checkpoint_bytes(settings: Settings, dataset: Dataset) -> tuple[int, int]:
    """(a full state for --resume, the weights alone), in bytes on disk."""
    weights = weight_bytes(settings, dataset)
    copies = 3 + bool(settings.training.average_steps)  # two slots
    return copies * weights.trained + weights.others, weights.best


def mapped_bytes(train: Interactions) -> int:
    """Files of the training users that are read through memory maps."""
    arrays = (train.items, train.timestamps, train.offsets, train.cuts, train.profiles)
    return sum(array.nbytes for array in arrays if isinstance(array, np.memmap))
