"""Findings of tiny models, made once."""

import pytest

from tests.counted_toys import counted, log
from tests.evaluation_toys import NUM_ITEMS, TinyModel
from tests.report_toys import findings, routed


@pytest.fixture(scope="session")
def one(tmp_path_factory):
    """A model with routing on data with titles and categories."""
    return findings(tmp_path_factory.mktemp("one"), routed())


@pytest.fixture(scope="session")
def two(tmp_path_factory):
    """A model with routing, and one without."""
    return findings(tmp_path_factory.mktemp("two"), routed(), TinyModel(seed=3))


@pytest.fixture(scope="session")
def bare(tmp_path_factory):
    """A counted model, on data with neither titles nor categories, that was not measured on the way."""
    model = counted("Pop", log([1, 2, 2, 3]), NUM_ITEMS)
    return findings(tmp_path_factory.mktemp("bare"), model, titles=None, categories=False, measured=False)
