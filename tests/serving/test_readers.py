"""How the served graph asks a system. What it then answers is in test_graph.py and tests/counted/test_contract.py."""

import numpy as np
import tensorflow as tf

from remi_tf.serving.readers import ByInterests, ByScores, reader_of
from tests.counted_toys import NUM_ITEMS, counted, log
from tests.serving_toys import TinyModel


def test_a_trained_model_answers_by_interests_and_a_counted_one_by_scores():
    trained, by_count = TinyModel(), counted("ItemKNN", log([1, 2], [2, 3]))
    assert isinstance(reader_of(trained, 0), ByInterests) and isinstance(reader_of(by_count, 0), ByScores)
    assert reader_of(by_count, 0).num_items == NUM_ITEMS and not reader_of(by_count, 0).has_vectors


def test_a_counted_model_reads_the_last_known_items_and_no_interest_has_fetched_its_answer():
    reader = reader_of(counted("ItemKNN", log([1, 2], [2, 3]), max_history=2), 0)
    rows = tf.constant([[3, 0, 1, 2], [0, 0, 0, 0]])
    user = reader.read(rows, tf.constant([3, 0]), {})
    assert user.read.numpy().tolist() == [[1, 2], [0, 0]] and user.finite.numpy().all()
    ids, scores = reader.best(user, 3, 2**20)
    assert ids[1].numpy().tolist() == [1, 2, 3] and not scores[1].numpy().any()  # the popular items
    assert (reader.fetched_by(user, ids).numpy() == -1).all()
    assert np.isfinite(scores).all()
