"""Requests that several files here search for."""

import pytest

from remi_tf.data.dataset.folder import load_dataset
from remi_tf.tuning.request import Request
from remi_tf.tuning.space import parse_space


@pytest.fixture
def request_for(toy_dataset):
    """A function from a space and other parts of a request to the request."""

    def made(space, **parts) -> Request:
        return Request(load_dataset(toy_dataset), "toy", parse_space("here", space), **{"fixed": {}, **parts})

    return made
