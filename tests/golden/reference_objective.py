"""The objective, written out in plain NumPy for one user at a time: readouts, losses, penalties, negatives."""

import math

import numpy as np

from tests.golden.reference_encoders import Weights, softmax


def ihn(positive: float, negatives: np.ndarray, beta: float, frozen: np.ndarray | None = None) -> float:
    """−ln[ e^{s_y} / (e^{s_y} + Σ_j ω_j e^{s_j}) ]; ω as `ihn_weights` gives them, or constants."""
    weights = ihn_weights(negatives, beta) if frozen is None else frozen
    against = sum(weight * math.exp(score) for weight, score in zip(weights, negatives, strict=True))
    return -math.log(math.exp(positive) / (math.exp(positive) + against))


def ihn_weights(negatives: np.ndarray, beta: float) -> np.ndarray:
    """ω_j = e^{β s_j} / mean_i e^{β s_i}."""
    powers = [math.exp(beta * score) for score in negatives]
    return np.array([power / (sum(powers) / len(powers)) for power in powers])


def hard(interests: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The interest with the largest product with the target."""
    best = max(range(len(interests)), key=lambda k: interests[k] @ target)
    return interests[best]


def label_aware(interests: np.ndarray, target: np.ndarray, power: float, form: str) -> np.ndarray:
    """Σ_k softmax(f(v_k · e_y)) v_k; f(a) = p a, or a^p as the paper of MIND prints it."""
    closeness = [interest @ target for interest in interests]
    weights = softmax([power * a if form == "scale" else a**power for a in closeness])
    return sum(weight * interest for weight, interest in zip(weights, interests, strict=True))


def per_candidate(interests: np.ndarray, candidate: np.ndarray) -> float:
    """UMI's HN: the candidate's own best interest answers for it."""
    return max(interest @ candidate for interest in interests)


def log_sum_exp(interests: np.ndarray, candidate: np.ndarray) -> float:
    """BaM's multi-interest score: ln Σ_k e^{v_k · e_i}."""
    return math.log(sum(math.exp(interest @ candidate) for interest in interests))


def log_uniform_expected_count(rank: int, ranks: int, tries: int) -> float:
    """1 − (1 − P)^T with P = ln((c + 2) / (c + 1)) / ln(V + 1), of tf.nn.sampled_softmax_loss's own draw."""
    probability = (math.log(rank + 2) - math.log(rank + 1)) / math.log(ranks + 1)
    return 1 - (1 - probability) ** tries


def rr(routing: np.ndarray, number: int, form: str, dim: int) -> float:
    """Σ_k of a user's routing rows [K, L]: "sum" (var / d)², "mean" var², "valid" var² over the n items as a share.

    var is Σ_l (a_l − mean a)², over all L slots, or over the n items and divided by 1 − 1/n, its value for a row on
    one item.
    """
    total = 0.0
    for row in routing:
        counted = row[:number] if form == "valid" else row
        variance = sum((a - sum(counted) / len(counted)) ** 2 for a in counted)
        if form == "sum":
            variance /= dim
        if form == "valid":
            variance = variance / (1 - 1 / number) if number > 1 else 0.0
        total += variance**2
    return total


def decorrelation(rows: np.ndarray) -> float:
    """½ (|M|² − |diag M|²) with M = (V − V̄)(V − V̄)ᵀ / d: the squared covariances of every two rows (SINE)."""
    total = 0.0
    for i, first in enumerate(rows):
        for j, second in enumerate(rows):
            if i != j:
                total += ((first - first.mean()) @ (second - second.mean()) / len(first)) ** 2
    return total / 2


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return a @ b / math.sqrt((a @ a) * (b @ b))


def mean_cosine(rows: np.ndarray) -> float:
    """½ + Σ_{i<j} cos / (k (k − 1)), of SINE's code."""
    number = len(rows)
    return 0.5 + sum(cosine(rows[i], rows[j]) for j in range(number) for i in range(j)) / (number * (number - 1))


def distance_weights(towers: np.ndarray, target: np.ndarray, alpha: float) -> np.ndarray:
    """MTMI's w_j = 1 / D_j^α, D_j = 1 − cos(v_j, y), scaled to sum 1."""
    weights = [1 / (1 - cosine(tower, target)) ** alpha for tower in towers]
    return np.array(weights) / sum(weights)


def triplet(anchor: np.ndarray, positive: np.ndarray, negative: np.ndarray, margin: float) -> float:
    return max(0.0, margin - cosine(anchor, positive) + cosine(anchor, negative))


def mtmi(towers, target, negatives, margin: float, weights: np.ndarray) -> tuple[float, float]:
    """Σ_j w_j mean_n t(v_j, y, n) with constant w, and the repel: the mean of t(v_j, y, v_i) over pairs i ≠ j."""
    near = 0.0
    for weight, tower in zip(weights, towers, strict=True):
        near += weight * sum(triplet(tower, target, negative, margin) for negative in negatives) / len(negatives)
    pairs = [(j, i) for j in range(len(towers)) for i in range(len(towers)) if i != j]
    return near, sum(triplet(towers[j], target, towers[i], margin) for j, i in pairs) / len(pairs)


def re_attend(items, capsules, routing) -> float:
    """Mean over all users and interests of −Σ_l R_l ln A_l, R = softmax_l(v · x_l)."""
    entropies = []
    for of_user, inside, rows in zip(items, capsules, routing, strict=True):
        for capsule, row in zip(inside, rows, strict=True):
            wanted = softmax([capsule @ item for item in of_user])
            entropies.append(-sum(r * math.log(a) for r, a in zip(wanted, row, strict=True)))
    return sum(entropies) / len(entropies)


def re_contrast(items, capsules, routing, length: int) -> float:
    """−ln of each positive item's share of e^{cos / 0.02}, as a mean over all B K L cells.

    The share is of the user's items, the user's other interests and the items of the next user of the batch.
    """
    total = 0.0
    for user, inside in enumerate(capsules):
        strangers = items[(user + 1) % len(items)]
        for k, capsule in enumerate(inside):
            rivals = [*items[user], *(other for i, other in enumerate(inside) if i != k), *strangers]
            everything = sum(math.exp(cosine(capsule, rival) / 0.02) for rival in rivals)
            for item, share in zip(items[user], routing[user][k], strict=True):
                if share > 1 / len(items[user]):
                    total -= math.log(math.exp(cosine(capsule, item) / 0.02) / everything)
    return total / (len(items) * len(capsules[0]) * length)


def re_construct(items, capsules, routing, length: int, w: Weights) -> float:
    """Squared errors of the items rebuilt from a capsule, at positives, as a mean over all B K L d cells."""
    dim = items[0].shape[1]
    total = 0.0
    for of_user, inside, rows in zip(items, capsules, routing, strict=True):
        for capsule, row in zip(inside, rows, strict=True):
            pseudo = (capsule @ w["expand"] + w["expand_bias"]).reshape(length, dim)[: len(of_user)]
            for slot, item in enumerate(of_user):
                if row[slot] > 1 / len(of_user):
                    weights = softmax([w["slots"][slot] @ np.tanh(r @ w["inner"]) for r in pseudo])
                    rebuilt = sum(weight * (r @ w["rebuild"]) for weight, r in zip(weights, pseudo, strict=True))
                    total += ((rebuilt - item) ** 2).sum()
    return total / (len(items) * len(capsules[0]) * length * dim)


def binary_cross_entropy(states, following, negatives) -> float:
    """SASRec: the mean over positions of −ln σ(s · e_next) − ln(1 − σ(s · e_negative)), one negative a position."""

    def probability(x: float) -> float:
        return 1 / (1 + math.exp(-x))

    terms = []
    for state, right, wrong in zip(states, following, negatives, strict=True):
        terms.append(-math.log(probability(state @ right)) - math.log(1 - probability(state @ wrong)))
    return sum(terms) / len(terms)
