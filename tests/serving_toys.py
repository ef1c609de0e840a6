"""A tiny model and dataset for the tests of what is exported and served."""

import json
import types

import numpy as np
import tensorflow as tf

from remi_tf.data.dataset.folder import load_dataset, write_dataset
from remi_tf.data.dataset.interactions import Interactions
from remi_tf.data.dataset.profiles import ProfileColumn
from remi_tf.data.dataset.vocabulary import Vocabulary
from remi_tf.encoders.base import Interests
from remi_tf.errors import InputError
from remi_tf.serving.export import CARD, exported_versions
from remi_tf.settings.settings import Settings
from remi_tf.systems import recommend
from remi_tf.training.run_folder import SavedRun

NUM_ITEMS = 200
RAW_IDS = [f"item,{row}" if row % 7 == 0 else f"ïtem {row}" for row in range(1, NUM_ITEMS + 1)]


class TinyModel:
    """Interests: the sum of the history (with a weight of its own) and its first item."""

    max_history = 4
    needs = ()
    by_cosine = False
    boost = None

    def __init__(self, num_items=NUM_ITEMS, seed=0):
        rng = np.random.default_rng(seed)
        self.item_table = tf.Variable(rng.standard_normal((num_items + 1, 8)).astype(np.float32))
        self.projection = tf.Variable(rng.standard_normal((8, 8)).astype(np.float32))

    def item_vectors(self):
        return tf.convert_to_tensor(self.item_table)

    def encode(self, history, **features):
        return Interests(self.interests(history, **features))

    def interests(self, history):
        rows = tf.gather(self.item_table, history) * tf.cast(history > 0, tf.float32)[:, :, None]
        return tf.stack([tf.matmul(tf.reduce_sum(rows, axis=1), self.projection), rows[:, 0]], axis=1)


class Dated(TinyModel):
    """Items count half after a week."""

    needs = ("days",)

    def interests(self, history, days):
        rows = tf.gather(self.item_table, history) * tf.cast(history > 0, tf.float32)[:, :, None]
        newest = tf.reduce_max(tf.where(history > 0, days, tf.int32.min), axis=1, keepdims=True)
        weights = 2.0 ** (tf.cast(tf.minimum(days - newest, 0), tf.float32) / 7)
        return tf.reduce_sum(rows * weights[:, :, None], axis=1, keepdims=True)


class Personal(TinyModel):
    """The first interest is moved by the user's profile."""

    needs = ("profile",)

    def interests(self, history, profile):
        liked = tf.reduce_sum(tf.gather(self.item_table, 10 * profile + tf.range(profile.shape[1])), axis=1)
        return super().interests(history) + liked[:, None]


class Cosine(TinyModel):
    by_cosine = True

    def item_vectors(self):
        return tf.math.l2_normalize(tf.convert_to_tensor(self.item_table), axis=-1)


COLUMNS = (ProfileColumn("gender", ("F", "M")), ProfileColumn("job, or none", ("é", "x,y", "1")))


CATEGORY_NAMES = ["crime", "cooking, and baking", "ünivers"]


class Routed(TinyModel):
    """Two interests: all items alike, and the newest one alone."""

    def encode(self, history, **features):
        known = tf.cast(history > 0, tf.float32)  # [B, L]
        count = tf.reduce_sum(known, axis=1, keepdims=True)
        newest = tf.one_hot(tf.cast(count[:, 0], tf.int32) - 1, self.max_history)
        routing = tf.stack([tf.math.divide_no_nan(known, count), newest], axis=1)  # [B, 2, L]
        return Interests(tf.matmul(routing, tf.gather(self.item_table, history)), routing)

    def interests(self, history):
        return self.encode(history).vectors


def categories_of(num_items):
    """[num_items + 1] int: half of the items are of category 1, the others of 2, 3 and none known."""
    numbers = np.array([0, 1, 1, 0, 2, 1, 1, 0, 3, 2])
    return numbers[np.arange(num_items + 1) % len(numbers)] * (np.arange(num_items + 1) > 0)


def make_dataset(path, raw_ids=RAW_IDS, profile_columns=(), categories=False):
    profiles = np.zeros([1, len(profile_columns)], np.int32) if profile_columns else None
    one_user = Interactions(np.array([1, 2], np.int32), np.arange(2), np.array([0, 2]), np.array([1]), profiles)
    write_dataset(
        path,
        name="tiny",
        splits=dict.fromkeys(("train", "valid", "test"), one_user),
        users={split: ["someone"] for split in ("train", "valid", "test")},
        vocabulary=Vocabulary(raw_ids),
        titles=[f"Title of {raw_id}" for raw_id in raw_ids],
        made_by={},
        categories=categories_of(len(raw_ids)) if categories else None,
        category_names=CATEGORY_NAMES,
        profile_columns=profile_columns,
    )
    return load_dataset(path)


def make_run(path, model, catalogue):
    """What load_run gives, as far as exporting asks for it."""
    path.mkdir()
    parts = {"model": model, "catalogue": catalogue, "settings": Settings(), "step": 30, "path": path}
    return StandIn(**parts, repeats=0.5)


class StandIn(types.SimpleNamespace):
    """A run made of parts. What its lists leave out is decided as in a real one."""

    excludes_history, evaluation_path = SavedRun.excludes_history, SavedRun.evaluation_path


def ask(signature, *histories):
    """The signature's answer for histories of any length."""
    width = max(map(len, histories), default=0)
    padded = [[*history, *[""] * (width - len(history))] for history in histories]
    return signature(history=tf.constant(padded, tf.string, [len(histories), width]))


def expected(model, dataset, history, exclude_history):
    """Raw ids and scores by the model in process."""
    known = [row for row in dataset.vocabulary.rows(history) if row][-model.max_history :]
    rows = np.array([known + [0] * (model.max_history - len(known))], np.int32)
    ids, scores = recommend(model, tf.constant(rows), 20, exclude_history)
    return dataset.vocabulary.raw_ids(ids[0].numpy()), scores[0].numpy()


def decoded(row):
    return [item.decode() for item in row.numpy()]


class Exported:
    """The latest version of an export folder, loaded with TensorFlow alone."""

    def __init__(self, path):
        found = [version for version in exported_versions(path) if (path / str(version) / CARD).is_file()]
        if not found:
            raise InputError(f"{path}: no exported model here")
        folder = path / str(max(found))
        self.card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        self._module = tf.saved_model.load(str(folder))  # holds the weights of the signature

    def recommend(self, history, top_n, **features):
        """Raw ids and scores of the best items for one history, and how many of its ids were known.

        features: what else the signature takes, for this one user.
        """
        inputs = {name: tf.constant([values]) for name, values in {"history": history, **features}.items() if values}
        inputs.setdefault("history", tf.zeros([1, 0], tf.string))
        result = self._module.signatures["serving_default"](**inputs)
        items = [item for item in decoded(result["items"][0, :top_n]) if item]
        return items, result["scores"][0, : len(items)].numpy().tolist(), int(result["known_items"][0])
