"""Golden cases of losses, penalties, readouts, negatives and metrics."""

from collections.abc import Callable
from functools import partial

import numpy as np

from tests.golden import reference_encoders as encoders
from tests.golden import reference_objective as objective
from tests.golden.drawing import Arrays, case, draw, gradient
from tests.golden.reference_metrics import metrics

BETAS = (0.0, 0.1, 1.0, 4.0, 10.0)
USERS, INTERESTS, DIM, NEGATIVES = 3, 2, 4, 5


def ihn(random: np.random.RandomState) -> Arrays:
    """Losses [betas, users] of all negatives and without the excluded ones; gradients with and without those of ω."""
    positive, negatives = draw(random, USERS), draw(random, USERS, NEGATIVES, scale=1.5)
    excluded = np.array([[0, 1, 0, 0, 0], [0, 0, 0, 0, 0], [1, 0, 0, 1, 0]])
    arrays: Arrays = {"in.positive": positive, "in.negatives": negatives, "in.excluded": excluded}
    arrays["in.betas"] = np.array(BETAS)
    names = ("losses", "losses_without_excluded", "gradient_positive", "gradient_attached", "gradient_detached")
    results: dict[str, list] = {f"out.{name}": [] for name in names}
    for beta in BETAS:
        weights = [objective.ihn_weights(row, beta) for row in negatives]
        counted = [row[out == 0] for row, out in zip(negatives, excluded, strict=True)]

        def attached(beta: float = beta) -> float:
            return sum(objective.ihn(s, row, beta) for s, row in zip(positive, negatives, strict=True))

        def detached(beta: float = beta, weights: list = weights) -> float:
            rows = zip(positive, negatives, weights, strict=True)
            return sum(objective.ihn(s, row, beta, frozen) for s, row, frozen in rows)

        results["out.losses"].append([objective.ihn(*row, beta) for row in zip(positive, negatives, strict=True)])
        results["out.losses_without_excluded"].append(
            [objective.ihn(*row, beta) for row in zip(positive, counted, strict=True)]
        )
        results["out.gradient_positive"].append(gradient(attached, positive))
        results["out.gradient_attached"].append(gradient(attached, negatives))
        results["out.gradient_detached"].append(gradient(detached, negatives))
    return arrays | {key: np.array(values) for key, values in results.items()}


def rr(random: np.random.RandomState, form: str) -> Arrays:
    """λ = 100 at dim 8. "sum" is a sum over the batch, as released; the others are means, λ times 128 / 64²."""
    lengths = np.array([5, 3, 1])
    valid = np.arange(5) < lengths[:, None, None]
    routing = np.where(valid, random.dirichlet(np.ones(5), (USERS, INTERESTS)), 0)
    routing = (routing / routing.sum(axis=2, keepdims=True)).astype(np.float32).astype(np.float64)

    def total() -> float:
        of_users = [objective.rr(rows, n, form, dim=8) for rows, n in zip(routing, lengths, strict=True)]
        return 100 * (sum(of_users) if form == "sum" else 128 / 64**2 * sum(of_users) / USERS)

    return case(total, {"routing": routing}, {}, {"lengths": lengths})


def likeness(random: np.random.RandomState, form: str) -> Arrays:
    """REMI's "Rep. Reg.", weight 2, a mean over the batch."""
    vectors = draw(random, USERS, INTERESTS, DIM)
    of_user = {"covariance": objective.decorrelation, "cosine": objective.mean_cosine}[form]
    return case(lambda: 2 * sum(of_user(rows) for rows in vectors) / USERS, {"vectors": vectors}, {}, {})


def candidates(random: np.random.RandomState) -> Arrays:
    return {
        "interests": draw(random, USERS, INTERESTS, DIM),
        "targets": draw(random, USERS, DIM),
        "negatives": draw(random, NEGATIVES, DIM),
    }


def mtmi(random: np.random.RandomState) -> Arrays:
    """α 2, margin 0.4, repel 0.5. Negatives 1 and 3 are the targets of users 0 and 2, for whom they do not count."""
    inputs = candidates(random)
    target_ids, negative_ids = np.array([4, 6, 2]), np.array([1, 4, 3, 2, 5])
    for place, user in ((1, 0), (3, 2)):
        inputs["negatives"][place] = inputs["targets"][user]
    users = list(zip(inputs["interests"], inputs["targets"], strict=True))
    weights = [objective.distance_weights(towers, target, 2) for towers, target in users]  # constants of the gradient

    def parts() -> np.ndarray:
        total = np.zeros(2)
        for user, (towers, target) in enumerate(users):
            negatives = inputs["negatives"][negative_ids != target_ids[user]]
            total += objective.mtmi(towers, target, negatives, 0.4, weights[user])
        return total * [1, 0.5] / USERS

    fixed = {"target_ids": target_ids, "negative_ids": negative_ids}
    return case(lambda: float(parts().sum()), inputs, {}, fixed, parts=parts())


def readout(random: np.random.RandomState, kind: str) -> Arrays:
    """Scores of the target and the negatives, and the gradient of the plain softmax loss over them."""
    inputs = candidates(random)

    def scores() -> tuple[np.ndarray, np.ndarray]:
        rows = []
        for interests, target in zip(inputs["interests"], inputs["targets"], strict=True):
            everyone = [target, *inputs["negatives"]]
            if kind == "per_candidate":
                rows.append([objective.per_candidate(interests, candidate) for candidate in everyone])
            elif kind == "logsumexp":
                rows.append([objective.log_sum_exp(interests, candidate) for candidate in everyone])
            else:
                if kind == "hard":
                    user = objective.hard(interests, target)
                else:
                    power = {"scale": 2, "power": 3}[kind]
                    user = objective.label_aware(interests, target, power, kind)
                rows.append([user @ candidate for candidate in everyone])
        return np.array(rows)[:, 0], np.array(rows)[:, 1:]

    def total() -> float:
        return sum(objective.ihn(s, row, 0.0) for s, row in zip(*scores(), strict=True)) / USERS

    positive, negative = scores()
    return case(total, inputs, {}, {}, positive=positive, negative=negative)


def sampled_readout(random: np.random.RandomState) -> Arrays:
    """BaM: the chances of each interest to be drawn, softmax_k(1.5 v_k · e_y)."""
    inputs = candidates(random)
    chances = [encoders.softmax(1.5 * v @ e) for v, e in zip(inputs["interests"], inputs["targets"], strict=True)]
    return {f"in.{name}": value for name, value in inputs.items()} | {"out.chances": np.array(chances)}


def log_uniform(random: np.random.RandomState) -> Arrays:
    """Expected counts of ten ranks after 1 to 60 tries, and a loss that subtracts their logarithms after nine tries.

    Ids are ranks + 1. A negative that is the user's own target counts for the other users only.
    """
    tries = np.arange(1, 61)
    counts = np.array([[objective.log_uniform_expected_count(c, 10, t) for c in range(10)] for t in tries])
    inputs = candidates(random)
    target_ids, negative_ids = np.array([3, 9, 1]), np.array([1, 2, 3, 5, 8])
    log_counts = np.log(counts[8])

    def total() -> float:
        losses = []
        for user, target in enumerate(inputs["targets"]):
            chosen = objective.hard(inputs["interests"][user], target)
            negatives = [
                chosen @ row - log_counts[i - 1]
                for i, row in zip(negative_ids, inputs["negatives"], strict=True)
                if i != target_ids[user]
            ]
            positive = chosen @ target - log_counts[target_ids[user] - 1]
            losses.append(objective.ihn(positive, np.array(negatives), 0.0))
        return sum(losses) / USERS

    fixed = {"tries": tries, "target_ids": target_ids, "negative_ids": negative_ids}
    return case(total, inputs, {}, fixed, expected_counts=counts)


def full_softmax(random: np.random.RandomState) -> Arrays:
    """Cross-entropy over all seven items with the hard readout; row 0 is padding and no item."""
    interests, table, target_ids = draw(random, USERS, INTERESTS, DIM), draw(random, 8, DIM), np.array([4, 7, 1])

    def total() -> float:
        losses = []
        for of_user, target in zip(interests, target_ids, strict=True):
            shares = encoders.softmax(table[1:] @ objective.hard(of_user, table[target]))
            losses.append(-np.log(shares[target - 1]))
        return float(sum(losses) / USERS)

    return case(total, {"interests": interests, "table": table}, {}, {"target_ids": target_ids})


def pointwise(random: np.random.RandomState) -> Arrays:
    """SASRec's loss. Each position of a history [users, 3] has its own negative; no id occurs twice."""
    states, table = draw(random, 2, 3, DIM), draw(random, 16, DIM)
    history, target_ids = np.array([[5, 9, 2], [7, 1, 0]]), np.array([4, 8])
    negative_ids = np.array([3, 6, 10, 11, 12, 13])

    def total() -> float:
        losses = []
        for user, n in enumerate((3, 2)):
            following = table[[*history[user, 1:n], target_ids[user]]]
            negatives = table[negative_ids[3 * user : 3 * user + n]]
            losses.append(objective.binary_cross_entropy(states[user, :n], following, negatives))
        return sum(losses) / 2

    fixed = {"history": history, "target_ids": target_ids, "negative_ids": negative_ids}
    return case(total, {"states": states, "table": table}, {}, fixed)


def remi(random: np.random.RandomState) -> Arrays:
    """REMI as released: SA, hard readout, IHN with attached weights (β = 1), RR as a sum (λ = 100).

    Padding (id 0), a user's own target and an item twice are among the negatives; all of them count.
    """
    history = np.array([[1, 2, 3, 4, 10], [5, 9, 0, 0, 0], [7, 6, 8, 0, 0]])
    targets, negatives = np.array([6, 2, 10]), np.array([2, 4, 0, 9, 7, 7, 10])
    weights = {
        "table": draw(random, 11, DIM),
        "positions": draw(random, 5, DIM, scale=0.5),
        "hidden": draw(random, DIM, 4 * DIM, scale=0.7),
        "logits": draw(random, 4 * DIM, INTERESTS, scale=0.7),
    }

    def total() -> float:
        table, losses, penalty = weights["table"], [], 0.0
        for row, target in zip(history, targets, strict=True):
            items = table[row[row > 0]]
            user = objective.hard(encoders.self_attention(items, weights), table[target])
            losses.append(objective.ihn(user @ table[target], table[negatives] @ user, beta=1.0))
            routing = np.zeros((INTERESTS, 5))
            routing[:, : len(items)] = encoders.self_attention_routing(items, weights)
            penalty += objective.rr(routing, len(items), "sum", DIM)
        return sum(losses) / USERS + 100 * penalty

    return case(total, {}, weights, {"history": history, "target_ids": targets, "negative_ids": negatives})


def ranking(random: np.random.RandomState) -> Arrays:
    """Six users, twelve of 400 ids retrieved; targets end to end, some twice, some not found; metric@5 and @12."""
    retrieved = np.array([random.permutation(400)[:12] + 1 for _ in range(6)])
    found = ([0], [11, 3, 3], [], [4, 5, 6], list(range(12)), [8, 8, 1])  # ranks
    missed = ([], [401], [402, 403], [404], [], [])  # ids
    targets = [[*row[list(ranks)], *ids] for row, ranks, ids in zip(retrieved, found, missed, strict=True)]
    arrays: Arrays = {
        "in.retrieved": retrieved,
        "in.targets": np.concatenate(targets).astype(int),
        "in.offsets": np.cumsum([0] + [len(each) for each in targets]),
    }
    for n in (5, 12):
        of_users = [metrics(row.tolist(), each, n) for row, each in zip(retrieved, targets, strict=True)]
        arrays |= {f"out.{name}@{n}": np.array([user[name] for user in of_users]) for name in of_users[0]}
    return arrays


OBJECTIVE_CASES: dict[str, Callable[[np.random.RandomState], Arrays]] = {
    "ihn": ihn,
    **{f"rr_{form}": partial(rr, form=form) for form in ("sum", "mean", "valid")},
    **{f"rep_{form}": partial(likeness, form=form) for form in ("covariance", "cosine")},
    "mtmi": mtmi,
    **{
        f"readout_{kind}": partial(readout, kind=kind)
        for kind in ("hard", "scale", "power", "per_candidate", "logsumexp")
    },
    "readout_sampled": sampled_readout,
    "log_uniform": log_uniform,
    "full_softmax": full_softmax,
    "pointwise": pointwise,
    "remi": remi,
}
METRIC_CASES: dict[str, Callable[[np.random.RandomState], Arrays]] = {"ranking": ranking}
