"""How near items are: test_recommender.py has the cosines, tests/counted/test_contract.py the counted models."""

import types

import numpy as np

from remi_tf.recommending.similar import SimilarItems
from tests.counted_toys import counted, log


def test_what_a_counted_model_does_not_know_as_similar_is_not_near_at_all():
    catalogue = types.SimpleNamespace(removed=np.zeros(0, np.int32))
    run = types.SimpleNamespace(model=counted("ItemKNN", log([1, 2], [2, 3])), catalogue=catalogue)
    near = SimilarItems(run).near(2)
    assert np.flatnonzero(near > -np.inf).tolist() == [1, 3] and (near[[1, 3]] > 0).all()
