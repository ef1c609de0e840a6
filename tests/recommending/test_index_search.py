"""Answers by an index equal those of the exact search; test_recommender.py has all choices."""

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.recommending.index_search import IndexSearch
from remi_tf.retrieval.faiss_index import ItemIndex
from remi_tf.serving.graph import ServingGraph
from tests.serving_toys import NUM_ITEMS, RAW_IDS, TinyModel, make_dataset, make_run

HISTORY = np.array([[RAW_IDS[0], RAW_IDS[5]], [RAW_IDS[3], ""], ["who", ""]], object)


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path / "run", TinyModel(), make_dataset(tmp_path / "data"))


def search(run, given, exclude_history=False):
    graph = ServingGraph(run.model, run.catalogue, NUM_ITEMS)
    index = ItemIndex.build(run.model.item_table.numpy())
    found = IndexSearch(index, run, graph, given, exclude_history)
    return found(HISTORY, {"history": tf.constant(HISTORY.tolist())})


def test_the_history_and_what_is_denied_are_left_out_and_strangers_get_popular_items(run):
    items, scores, interest = search(run, {"top_n": 4, "exclude": [[RAW_IDS[0], RAW_IDS[1]]]}, exclude_history=True)
    for found, history in zip(items, HISTORY, strict=True):
        assert not {RAW_IDS[0], RAW_IDS[1], *history} & set(found)
    assert items[2].tolist() == RAW_IDS[2:6] and not scores[2].any() and (interest[2] == -1).all()
    assert (np.diff(scores[:2], axis=1) <= 0).all() and (interest[:2] >= 0).all()
