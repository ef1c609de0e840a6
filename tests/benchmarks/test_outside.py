"""The outside references are measured as the package measures: same users, histories, targets and metrics."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
import outside

from remi_tf.data.dataset.folder import load_dataset, write_dataset
from remi_tf.data.dataset.interactions import Interactions
from remi_tf.data.dataset.views import targets, whole_histories
from remi_tf.data.dataset.vocabulary import Vocabulary
from remi_tf.evaluation.metrics import per_user
from remi_tf.evaluation.tally import users_with_targets
from remi_tf.settings.exclusion import MOST_REPEATS

BENCHMARKS = Path(outside.__file__).parent
NUM_ITEMS = 80


def random_users(generator, count):
    """Sequences of 1 to 40 items with repeats, cut at 80%: a user of one item has no history."""
    lengths = generator.integers(1, 41, count)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    items = generator.integers(1, NUM_ITEMS + 1, offsets[-1]).astype(np.int32)
    return Interactions(items, np.arange(offsets[-1]), offsets, (lengths * 0.8).astype(np.int64))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    generator = np.random.default_rng(3)
    splits = {name: random_users(generator, 30) for name in ("train", "valid", "test")}
    train = splits["train"]
    splits["train"] = Interactions(train.items, train.timestamps, train.offsets, train.lengths)
    test = splits["test"]
    test.cuts[4] = test.lengths[4]  # a user without targets
    path = tmp_path_factory.mktemp("data") / "toy"
    write_dataset(
        path,
        name="toy",
        splits=splits,
        users={name: [f"{name}{user}" for user in range(30)] for name in splits},
        vocabulary=Vocabulary([f"i{row}" for row in range(1, NUM_ITEMS + 1)]),
        made_by={"source": "test"},
    )
    return path


def test_its_users_histories_and_targets_are_the_package_s(folder):
    log, dataset = outside.read_log(folder, "test"), load_dataset(folder)
    for name, found in (("test", log.scored), ("valid", log.valid)):
        split = dataset.split(name)
        users = users_with_targets(split)
        history, history_offsets = whole_histories(split, users)
        after, after_offsets = targets(split, users)
        assert found.count == len(users) > 0
        assert found.history.tolist() == history.tolist()
        assert found.history_offsets.tolist() == history_offsets.tolist()
        assert found.targets.tolist() == after.tolist()
        assert found.target_offsets.tolist() == after_offsets.tolist()
    assert log.scored.count == 29
    assert log.train.history.tolist() == dataset.train.items.tolist()
    assert log.train.history_offsets.tolist() == dataset.train.offsets.tolist()


def test_its_metrics_are_the_package_s(folder):
    users, generator = outside.read_log(folder, "test").scored, np.random.default_rng(4)
    lists = np.stack([generator.permutation(NUM_ITEMS)[:50] + 1 for _ in range(users.count)])
    lists[3, 7:] = 0  # a short list
    expected = per_user(lists, users.targets, users.target_offsets, outside.CUT_OFFS)
    found = outside.measure(lists, users)
    assert set(found) == {"recall@20", "recall@50", "ndcg@20", "ndcg@50"}
    for name, value in found.items():
        assert value == pytest.approx(expected[name].mean(), abs=1e-12)


@pytest.mark.parametrize("in_manifest", [True, False])
def test_it_leaves_the_history_out_when_the_package_does(folder, in_manifest, tmp_path):
    dataset, copy = load_dataset(folder), tmp_path / "copy"
    copy.mkdir()
    for file in folder.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    if not in_manifest:  # an older folder
        manifest = json.loads((copy / "manifest.json").read_text(encoding="utf-8"))
        del manifest["repeats"]
        (copy / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    log = outside.read_log(copy, "valid")
    assert log.repeats == dataset.repeats > 0
    assert log.exclude_history == (dataset.repeats < MOST_REPEATS)
    assert outside.MOST_REPEATS == MOST_REPEATS and log.scored is log.valid


def test_a_folder_that_is_none_is_refused(tmp_path):
    with pytest.raises(SystemExit, match="no prepared dataset"):
        outside.read_log(tmp_path, "test")


def test_it_loads_nothing_that_its_environment_lacks():
    loaded = f"import sys; sys.path.insert(0, {str(BENCHMARKS)!r}); import outside; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", loaded], check=True, capture_output=True, text=True).stdout.split()
    assert not {"remi_tf", "tensorflow", "implicit", "rectools", "torch"} & set(modules)
