"""The items of a log, out of a dataset folder or a run folder."""

import numpy as np

from remi_tf.data.dataset.catalogue import Catalogue, item_files
from remi_tf.flat_files import write_lines
from tests.feature_toys import toy_features


def test_what_a_folder_does_not_hold_is_none(tmp_path):
    write_lines(tmp_path / "items.txt", ["a", "b"])
    catalogue = Catalogue(tmp_path, "x", "f", 2)
    assert catalogue.titles is None and catalogue.categories is None and catalogue.features is None
    assert catalogue.category_names == [] and catalogue.num_cold == 0 and not len(catalogue.removed)
    assert catalogue.vocabulary.raw_ids([1, 2]) == ["a", "b"]


def test_features_are_read_when_they_are_asked_for_and_their_files_are_known(tmp_path):
    write_lines(tmp_path / "items.txt", ["a", "b"])
    plain = item_files(tmp_path)
    toy_features(2).save(tmp_path)
    features = Catalogue(tmp_path, "x", "f", 2).features
    assert features.num_rows == 3 and isinstance(features.codes, np.memmap)
    added = set(item_files(tmp_path)) - set(plain)
    assert added == {file.name for file in tmp_path.iterdir()} - {"items.txt"}
    assert item_files(tmp_path, with_features=False) == plain
