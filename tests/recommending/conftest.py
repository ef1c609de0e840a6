"""Recommenders that several files here ask: making one, and an index for it, takes a while."""

import numpy as np
import pytest

import remi_tf
from remi_tf.recommending.index_folder import build_index
from tests.serving_toys import COLUMNS, TinyModel, make_dataset, make_run


@pytest.fixture(scope="package")
def dataset(tmp_path_factory):
    return make_dataset(tmp_path_factory.mktemp("data") / "tiny", profile_columns=COLUMNS, categories=True)


@pytest.fixture(scope="package")
def recommender(dataset, tmp_path_factory):
    return remi_tf.Recommender(make_run(tmp_path_factory.mktemp("run") / "run", TinyModel(), dataset))


@pytest.fixture(scope="package")
def whole_numbers(dataset, tmp_path_factory):
    """By the graph and by an index, for a model of small whole numbers: exact products, many ties."""
    model = TinyModel()
    model.item_table.assign(np.round(model.item_table))
    model.projection.assign(np.round(model.projection))
    run = make_run(tmp_path_factory.mktemp("run") / "run", model, dataset)
    run.dataset = dataset
    build_index(run, run.path / "index")
    return remi_tf.Recommender(run), remi_tf.Recommender(run, run.path / "index")
