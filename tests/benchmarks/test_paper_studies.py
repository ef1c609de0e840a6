"""What studies find in trained models: shares of interests, weights of negatives, routing."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
import studies  # noqa: F401  # sets the import path
from paper_studies import routing, shares, trained, weights

import remi_tf
from remi_tf.data.dataset.folder import load_dataset


@pytest.fixture(scope="module")
def run(toy_dataset, tmp_path_factory):
    """A small REMI on the toy log."""
    path = tmp_path_factory.mktemp("runs") / "toy"
    budget = {"max_steps": 4, "eval_every": 4, "embedding_dim": 8, "num_negatives": 50, "batch_size": 16}
    remi_tf.train(toy_dataset, "SA", remi=True, recipe="paper", run_dir=path, **budget)
    return remi_tf.load_run(path)


def test_weights_are_the_exponentials_of_the_chosen_interests_scores_with_mean_one():
    interests = np.array([[1.0, 0.0], [0.0, 1.0]], np.float32)
    negatives = np.array([[5.0, 0.0], [0.0, 1.0], [9.0, -1.0]], np.float32)
    found = weights.ihn_weights(interests, np.array([0.1, 0.2]), negatives, beta=2.0)  # the second interest answers
    expected = np.exp([0.0, 2.0, -2.0])
    np.testing.assert_allclose(found, expected / expected.mean(), rtol=1e-6)


@pytest.mark.trains
def test_a_users_negatives_go_from_the_hardest_to_the_easiest_each_item_once(run):
    (user,) = weights._weighted(run, np.array([2]))
    assert (user["user"], user["negatives"], user["beta"]) == ("test-2", 50, 1.0)  # hits count, as in the paper
    shown = [*user["highest"], *user["lowest"]]
    assert [row["weight"] for row in shown] == sorted((row["weight"] for row in shown), reverse=True)
    assert len({row["title"] for row in shown}) == len(shown) == 2 * weights.SHOWN
    assert shown[0]["weight"] > 1 > shown[-1]["weight"]


@pytest.mark.trains
def test_the_share_of_an_interest_is_the_items_of_the_top_10_that_it_scores_highest(run):
    users = np.arange(4)
    found = shares._shares(run, users, exclude_history=False)
    _, interests = trained.encoded(run, users)
    scores = interests.vectors.numpy() @ run.model.item_vectors().numpy()[1:].T  # [U, K, I]
    for shown, by_interest in zip(found, scores, strict=True):
        best = np.argsort(-by_interest.max(axis=0))[:10]
        counts = np.bincount(by_interest[:, best].argmax(axis=0), minlength=len(by_interest))
        np.testing.assert_allclose(shown, counts / 10, atol=1e-6)


@pytest.mark.trains
def test_the_variance_of_the_routing_is_a_mean_over_users_and_interests(run):
    users = np.concatenate(trained.in_batches(run))
    assert users.tolist() == list(range(10))
    matrices = trained.encoded(run, users)[1].routing.numpy()
    expected = np.square(matrices - matrices.mean(axis=2, keepdims=True)).sum(axis=2).mean()
    assert routing._variance(run) == pytest.approx(expected, rel=1e-5)


def test_users_of_pictures_have_the_longest_histories_the_first_of_equal_ones(toy_dataset):
    asked = SimpleNamespace(dataset=load_dataset(toy_dataset))
    cuts = np.asarray(asked.dataset.test.cuts)
    users = trained.fullest_histories(asked, 3)
    assert cuts[users].sum() == np.sort(cuts)[-3:].sum() and (np.diff(users) > 0).all()
    assert trained.fullest_histories(asked, 3, most=1).tolist() == [0, 1, 2]


def test_items_without_a_title_have_their_raw_id(toy_dataset):
    assert trained.title(load_dataset(toy_dataset), 3) == "item-3"
