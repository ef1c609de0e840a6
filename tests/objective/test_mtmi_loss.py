"""MTMI's loss: the sum by hand, and what each term does to the towers."""

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.encoders.base import Interests
from remi_tf.objective.example import Example
from remi_tf.objective.mtmi_loss import InverseDistanceLoss
from remi_tf.objective.negatives import Negatives
from remi_tf.settings.settings import Settings
from tests.small_runs import measurements, train

SETTINGS = {"loss": "idw", "sampler": "uniform", "idw_alpha": 2.0, "idw_margin": 0.5, "idw_repel": 3.0}


def parts_of(vectors, target, negatives, ids=(7, 8, 9), active=None, **settings):
    """The loss of users whose target is item 1."""
    vectors, target, negatives = (tf.convert_to_tensor(x, tf.float32) for x in (vectors, target, negatives))
    targets, nothing = tf.ones(len(target), tf.int32), tf.zeros([len(target), 0, 2])
    example = Example(
        tf.zeros([len(target), 0], tf.int32), nothing, targets, target, Negatives(tf.constant(ids[: len(negatives)])),
        negatives, Interests(vectors, active=active), tf.constant([1, 2]),
    )  # fmt: skip
    return InverseDistanceLoss(Settings().replace(**{**SETTINGS, **settings}))(example)


def test_a_user_of_two_towers_by_hand():
    """Target (1, 0); towers at cosines 0.8 and 0.6 to it; negatives at (0, 1) and (−1, 0). Lengths do not matter."""
    towers, target, negatives = [[[8.0, 6.0], [0.6, 0.8]]], [[5.0, 0.0]], [[0.0, 2.0], [-1.0, 0.0]]
    idw, repel = parts_of(towers, target, negatives)
    # Cosines to the negatives: 0.6, −0.8; 0.8, −0.6. Hinges: 0.5 − 0.8 + 0.6 = 0.3, 0; 0.5 − 0.6 + 0.8 = 0.7, 0.
    # Distances 0.2 and 0.4, hence weights 25 : 6.25.
    assert float(idw) == pytest.approx(0.8 * 0.3 / 2 + 0.2 * 0.7 / 2, rel=1e-5)
    # The towers are at a cosine of 0.96.
    assert float(repel) == pytest.approx(3 * ((0.5 - 0.8 + 0.96) + (0.5 - 0.6 + 0.96)) / 2, rel=1e-5)


def in_numpy(vectors, target, negatives, counts, alpha, margin):
    vectors, target, negatives = (x / np.linalg.norm(x, axis=-1, keepdims=True) for x in (vectors, target, negatives))
    idw, repel = [], []
    for towers, positive, counted in zip(vectors, target, counts, strict=True):
        closeness = towers @ positive
        weights = np.maximum(1 - closeness, 1e-3) ** -alpha
        for j, tower in enumerate(towers):
            hinges = [max(0, margin - closeness[j] + tower @ n) for n in negatives[counted]]
            idw.append(weights[j] / weights.mean() * np.mean(hinges))
            repel += [max(0, margin - closeness[j] + tower @ u) for i, u in enumerate(towers) if i != j]
    return np.mean(idw), np.mean(repel)


@pytest.mark.parametrize(("alpha", "margin"), [(0.0, 0.2), (2.0, 0.5), (5.5, 1.0)])
def test_many_users_towers_and_negatives_term_by_term(alpha, margin):
    """The paper's sums over towers, as means over negatives and pairs; the weights sum to 1 over the towers."""
    generator = np.random.default_rng(0)
    vectors, target, negatives = (generator.normal(size=shape) for shape in ((5, 4, 6), (5, 6), (3, 6)))
    idw, repel = parts_of(vectors, target, negatives, (7, 1, 9), idw_alpha=alpha, idw_margin=margin)
    counts = np.array([[True, False, True]] * 5)  # the second negative is everyone's target
    expected = in_numpy(vectors, target, negatives, counts, alpha, margin)
    assert float(idw) == pytest.approx(expected[0], rel=1e-5)
    assert float(repel) == pytest.approx(3 * expected[1], rel=1e-5)


def test_accidental_hits_count_only_when_asked():
    towers, target, negatives = [[[1.0, 0.2], [0.3, 1.0]]], [[1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]]
    masked = parts_of(towers, target, negatives, (1, 8))
    alone = parts_of(towers, target, negatives[1:], (8,))
    counted = parts_of(towers, target, negatives, (1, 8), mask_accidental_hits=False)
    assert float(masked[0]) == pytest.approx(float(alone[0])) and float(counted[0]) > float(masked[0])
    assert float(parts_of(towers, target, negatives[:1], (1,))[0]) == 0  # nothing is left to compare with


def gradient(part: int, towers, target, negatives, **settings):
    towers = tf.Variable(towers, dtype=tf.float32)
    with tf.GradientTape() as tape:
        loss = parts_of(towers, target, negatives, **settings)[part]
    return tape.gradient(loss, towers).numpy()[0]


TOWERS, TARGET = [[[0.8, 0.6], [0.6, 0.8]]], [[1.0, 0.0]]


def test_the_weights_scale_the_gradient_and_have_none_of_their_own():
    """Weights 0.8 and 0.2: the gradient is theirs times that of one tower alone, whichever way the distance goes."""
    negatives = [[0.0, 1.0]]
    ours = gradient(0, TOWERS, TARGET, negatives)
    for tower, weight in ((0, 0.8), (1, 0.2)):
        alone = gradient(0, [[TOWERS[0][tower]]], TARGET, negatives)
        np.testing.assert_allclose(ours[tower], weight * alone[0], rtol=1e-4)
        assert np.dot(ours[tower], TARGET[0]) < 0  # a step against it moves the tower to the target


def test_the_repel_moves_towers_apart():
    """A step against its gradient lowers the cosine between the towers more than turning to the target raises it."""
    towers = np.array([[[0.6, 0.8, 0.0], [0.6, 0.0, 0.8]]])
    slope = gradient(1, towers, [[1.0, 0.0, 0.0]], [[0.0, 0.0, 1.0]])

    def cosine(pair):
        return pair[0] @ pair[1] / np.linalg.norm(pair[0]) / np.linalg.norm(pair[1])

    assert slope.any() and cosine(towers[0] - 0.01 * slope) < cosine(towers[0]) - 1e-3


def test_a_large_alpha_and_a_tower_on_the_target_stay_finite():
    towers = [[[1.0, 0.0], [-1.0, 0.0]]]
    for part in (0, 1):
        assert np.isfinite(gradient(part, towers, TARGET, [[0.0, 1.0]], idw_alpha=50.0)).all()
    assert np.isfinite(gradient(0, [[[0.0, 0.0], [0.0, 0.0]]], TARGET, [[0.0, 1.0]])).all()  # an empty history


def test_interests_that_a_user_does_not_have_take_no_part():
    three = [[*TOWERS[0], TOWERS[0][0]]]
    ours = parts_of(three, TARGET, [[0.0, 1.0]], active=tf.constant([[True, True, False]]))
    np.testing.assert_allclose(ours, parts_of(TOWERS, TARGET, [[0.0, 1.0]]), rtol=1e-6)


def as_printed(vectors, target, negatives, alpha, margin):
    """Eq. 7 of the paper, one triplet after the other; a mean over the negatives, and over the other towers."""

    def cosine(a, b):
        return sum(x * y for x, y in zip(a, b, strict=True)) / np.sqrt(np.sum(a**2) * np.sum(b**2))

    idw, repel = [], []
    for towers, positive in zip(vectors, target, strict=True):
        first = second = 0.0
        for j, tower in enumerate(towers):
            near = cosine(tower, positive)
            first += (
                sum(max(0, margin - near + cosine(tower, n)) for n in negatives) / len(negatives) / (1 - near) ** alpha
            )
            others = [max(0, margin - near + cosine(tower, other)) for i, other in enumerate(towers) if i != j]
            second += sum(others) / len(others)
        idw.append(first)
        repel.append(second)
    return np.mean(idw), np.mean(repel)


@pytest.mark.parametrize(("alpha", "repel", "towers"), [(5.5, 6.0, 8), (2.0, 1000.0, 4), (1.0, 0.5, 2)])
def test_as_printed_the_weights_are_not_normalised_and_the_repel_is_a_sum_over_towers(alpha, repel, towers):
    generator = np.random.default_rng(1)
    vectors, target, negatives = (generator.normal(size=shape) for shape in ((3, towers, 6), (3, 6), (5, 6)))
    values = {"idw_alpha": alpha, "idw_repel": repel, "idw_form": "printed", "num_interests": towers}
    ours = parts_of(vectors, target, negatives, range(7, 12), **values)
    expected = as_printed(vectors, target, negatives, alpha, 0.5)
    np.testing.assert_allclose(ours, [expected[0], repel * expected[1]], rtol=1e-4)


def test_as_printed_a_tower_on_the_target_stays_finite_and_interests_that_are_not_there_take_no_part():
    printed = {"idw_form": "printed", "idw_alpha": 5.5}
    slope = gradient(0, [[[1.0, 0.0], [-1.0, 0.0]]], TARGET, [[0.6, 0.8]], **printed)
    assert np.isfinite(slope).all()
    three = parts_of(
        [[*TOWERS[0], TOWERS[0][0]]], TARGET, [[0.0, 1.0]], active=tf.constant([[True, True, False]]), **printed
    )
    np.testing.assert_allclose(three, parts_of(TOWERS, TARGET, [[0.0, 1.0]], **printed), rtol=1e-6)


def test_one_tower_is_the_plain_triplet_without_weight_and_repel():
    (loss,) = parts_of([[[0.8, 0.6]]], TARGET, [[0.0, 2.0], [-1.0, 0.0]], num_interests=1, idw_alpha=5.5)
    assert float(loss) == pytest.approx((0.5 - 0.8 + 0.6) / 2, rel=1e-5)  # the other negative is far enough


@pytest.mark.trains
@pytest.mark.parametrize("flags", [("--recipe", "mtmi"), ("--num_interests", "1")], ids=["as printed", "one tower"])
def test_it_trains_by_a_plain_command(toy_dataset, tmp_path, flags):
    assert train(toy_dataset, tmp_path, "--model_type", "MTMI-DNN", *flags, "--max_steps", "40", "--overwrite") == 0
    before, after = (line["valid_recall@50"] for line in measurements(tmp_path))
    assert 0 < before <= after
