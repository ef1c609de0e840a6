"""A golden case for each encoder: three users of five, two and three items, padded to five slots."""

from collections.abc import Callable
from functools import partial

import numpy as np

from tests.golden import reference_encoders as encoders
from tests.golden import reference_objective as objective
from tests.golden import reference_stages as stages
from tests.golden.drawing import Arrays, case, draw

LENGTHS, LENGTH, DIM, INTERESTS = (5, 2, 3), 5, 4, 2  # four different sizes: a mixed-up axis shows
INITIAL = (INTERESTS, LENGTH)


def of_users(
    random: np.random.RandomState,
    encode: Callable[[int, np.ndarray, np.ndarray], np.ndarray],
    weights: Arrays,
    **fixed: np.ndarray,
) -> Arrays:
    """The total is Σ_b u_b · e_b: u_b the interest that the target e_b chooses, as in the papers' hard readout.

    encode: (user, the user's items [n, d], what stands in the padded slots [L - n, d]) → interests [K, d].
    """
    items, targets = draw(random, len(LENGTHS), LENGTH, DIM), draw(random, len(LENGTHS), DIM)

    def interests() -> np.ndarray:
        return np.array([encode(user, items[user, :n], items[user, n:]) for user, n in enumerate(LENGTHS)])

    def chosen() -> np.ndarray:
        return np.array([objective.hard(of_user, target) for of_user, target in zip(interests(), targets, strict=True)])

    def total() -> float:
        return float((chosen() * targets).sum())

    fixed = {"lengths": np.array(LENGTHS), **fixed}
    arrays = case(total, {"items": items, "targets": targets}, weights, fixed, interests=interests(), readout=chosen())
    for user, n in enumerate(LENGTHS):
        arrays["grad.items"][user, n:] = 0  # the releases stop the gradient at padding's row
    return arrays


def self_attention(random: np.random.RandomState, biased: bool) -> Arrays:
    weights = {
        "positions": draw(random, LENGTH, DIM, scale=0.5),
        "hidden": draw(random, DIM, 4 * DIM, scale=0.7),
        "logits": draw(random, 4 * DIM, INTERESTS, scale=0.7),
    }
    if biased:
        weights |= {"hidden_bias": draw(random, 4 * DIM, scale=0.5), "logits_bias": draw(random, INTERESTS, scale=0.5)}
    return of_users(random, lambda user, items, padding: encoders.self_attention(items, weights), weights)


def dnn(random: np.random.RandomState, as_the_port: bool) -> Arrays:
    """ComiRec's release: a bias, padding left out. REMI's port: no bias, padding added up."""
    weights = {"towers": draw(random, DIM, DIM)}
    if as_the_port:
        return of_users(random, lambda user, items, padding: encoders.dnn(items, padding, weights), weights)
    weights["bias"] = draw(random, DIM)
    return of_users(random, lambda user, items, padding: encoders.dnn(items, padding[:0], weights), weights)


def gru_with_projection(random: np.random.RandomState) -> Arrays:
    size = 2 * DIM
    weights = {
        "inputs": draw(random, 3, DIM, size, scale=0.5),
        "recurrent": draw(random, 3, size, size, scale=0.5),
        "projection": draw(random, size, DIM, scale=0.5),
        "projection_bias": draw(random, DIM, scale=0.5),
    }
    return of_users(random, lambda user, items, padding: encoders.gru_with_projection(items, weights), weights)


def gru_cell(random: np.random.RandomState) -> Arrays:
    weights = {
        "inputs": draw(random, 3, DIM, DIM, scale=0.5),
        "recurrent": draw(random, 3, DIM, DIM, scale=0.5),
        "bias": draw(random, 3, DIM, scale=0.5),
    }
    return of_users(random, lambda user, items, padding: encoders.gru_cell(items, weights), weights)


def mind(random: np.random.RandomState, axis: str) -> Arrays:
    """Three rounds from random logits, then a dense ReLU layer on each capsule."""
    weights = {"map": draw(random, DIM, DIM, scale=0.7), "output": draw(random, DIM, DIM)}
    initial = draw(random, *INITIAL)
    shares: dict[int, np.ndarray] = {}

    def encode(user: int, items: np.ndarray, padding: np.ndarray) -> np.ndarray:
        mapped = encoders.mind_maps(items, weights, INTERESTS)
        if user not in shares:  # constants of the gradient
            shares[user] = encoders.couplings(mapped, initial, axis)
        return stages.relu(encoders.capsules(mapped, shares[user]) @ weights["output"])

    return of_users(random, encode, weights, initial=initial)


def dynamic_routing(random: np.random.RandomState, axis: str) -> Arrays:
    """Three rounds from logits of 0."""
    weights = {"maps": draw(random, LENGTH, INTERESTS, DIM, DIM, scale=0.7)}
    shares: dict[int, np.ndarray] = {}

    def encode(user: int, items: np.ndarray, padding: np.ndarray) -> np.ndarray:
        mapped = encoders.dr_maps(items, weights)
        if user not in shares:
            shares[user] = encoders.couplings(mapped, np.zeros(INITIAL), axis)
        return encoders.capsules(mapped, shares[user])

    return of_users(random, encode, weights)


def que2search(random: np.random.RandomState) -> Arrays:
    weights = {"fusion": draw(random, INTERESTS, LENGTH, LENGTH * DIM, scale=0.5)}
    return of_users(random, lambda user, items, padding: encoders.que2search(items, weights), weights)


def pimi(random: np.random.RandomState, hears_padding: bool) -> Arrays:
    """Two heads, gaps of five days at most; the release's centre also hears padded slots."""
    weights = {
        "positions": draw(random, LENGTH, DIM, scale=0.5),
        "times": draw(random, 6, DIM),
        "time_weight": draw(random, DIM),
        "graph": draw(random, 3, 4, DIM, DIM, scale=0.6),
        "graph_bias": draw(random, 3, 4, DIM, scale=0.5),
        "hidden": draw(random, DIM, 4 * DIM, scale=0.7),
        "hidden_bias": draw(random, 4 * DIM, scale=0.5),
        "logits": draw(random, 4 * DIM, INTERESTS, scale=0.7),
        "logits_bias": draw(random, INTERESTS, scale=0.5),
    }
    days = np.array([[100, 101, 103, 104, 110], [50, 54, 0, 0, 0], [70, 70, 72, 0, 0]])

    def encode(user: int, items: np.ndarray, padding: np.ndarray) -> np.ndarray:
        heard = len(padding) if hears_padding else 0
        return stages.pimi(items, days[user, : len(items)], weights, heads=2, padding=heard)

    return of_users(random, encode, weights, days=days)


def sasrec(random: np.random.RandomState) -> Arrays:
    """Two blocks of two heads."""
    weights = {
        "positions": draw(random, LENGTH, DIM),
        "attention": draw(random, 2, 3, DIM, DIM),
        "net": draw(random, 2, 2, DIM, DIM, scale=0.7),
        "net_bias": draw(random, 2, 2, DIM, scale=0.5),
        "norms": draw(random, 2, 2, 2, DIM, scale=0.5, around=1),
        "last_norm": draw(random, 2, DIM, scale=0.5, around=1),
    }
    return of_users(random, lambda user, items, padding: stages.sasrec(items, weights, heads=2)[-1:], weights)


def sine(random: np.random.RandomState) -> Arrays:
    """Two of five concepts, temperature 0.5."""
    weights = {
        "concepts": draw(random, 5, DIM),
        "maps": draw(random, 2, DIM, DIM),
        "queries": draw(random, 2, DIM),
        "importance_maps": draw(random, 2, DIM, DIM),
        "importance_queries": draw(random, 2, DIM),
        "norms": draw(random, 2, 2, DIM),
    }
    return of_users(random, lambda user, items, padding: stages.sine(items, weights, 2, temperature=0.5), weights)


def umi(random: np.random.RandomState) -> Arrays:
    """Two profile columns, one of whose values is unknown to two users; embeddings of three numbers."""
    sizes, profile_dim = (2, 3), 3
    width = DIM + len(sizes) * profile_dim
    layers = {
        "item_gate": (width, 8, 1),
        "profile_gate": (width, 8, len(sizes)),
        "output": (width, DIM // 2, DIM),
    }
    weights = {"maps": draw(random, INTERESTS, DIM, DIM, scale=0.7)}
    weights |= {f"profile_{column}": draw(random, size, profile_dim) for column, size in enumerate(sizes)}
    for name, (inputs, hidden, outputs) in layers.items():
        weights[f"{name}_in"], weights[f"{name}_in_bias"] = (
            draw(random, inputs, hidden, scale=0.5),
            draw(random, hidden, around=1),
        )
        weights[f"{name}_out"], weights[f"{name}_out_bias"] = (
            draw(random, hidden, outputs, scale=0.7),
            draw(random, outputs, scale=0.5),
        )
    codes, initial = np.array([[1, 3], [2, 0], [0, 1]]), draw(random, *INITIAL)
    shares: dict[int, np.ndarray] = {}

    def encode(user: int, items: np.ndarray, padding: np.ndarray) -> np.ndarray:
        if user not in shares:
            shares[user] = stages.umi_shares(items, codes[user], weights, initial)
        return stages.umi(items, codes[user], weights, shares[user])

    return of_users(random, encode, weights, profile=codes, initial=initial)


def re4(random: np.random.RandomState) -> Arrays:
    """Interests and the three backward losses; the total is half of each loss and the interests' products."""
    weights = {
        "hidden": draw(random, DIM, 4 * DIM, scale=0.7),
        "logits": draw(random, 4 * DIM, INTERESTS, scale=0.7),
        "map": draw(random, DIM, DIM),
        "output": draw(random, DIM, DIM),
        "output_bias": draw(random, DIM),
        "expand": draw(random, DIM, LENGTH * DIM),
        "expand_bias": draw(random, LENGTH * DIM),
        "inner": draw(random, DIM, DIM),
        "slots": draw(random, LENGTH, DIM),
        "rebuild": draw(random, DIM, DIM),
    }
    items, targets = draw(random, len(LENGTHS), LENGTH, DIM), draw(random, len(LENGTHS), DIM)

    def parts():
        own = [items[user, :n] for user, n in enumerate(LENGTHS)]
        interests, capsules, routing = zip(*(encoders.re4(rows, weights) for rows in own), strict=True)
        losses = [
            objective.re_attend(own, capsules, routing),
            objective.re_contrast(own, capsules, routing, LENGTH),
            objective.re_construct(own, capsules, routing, LENGTH, weights),
        ]
        return np.array(interests), np.array(capsules), np.array(losses)

    def total() -> float:
        interests, _, losses = parts()
        chosen = [objective.hard(of_user, target) for of_user, target in zip(interests, targets, strict=True)]
        return float((np.array(chosen) * targets).sum() + 0.5 * losses.sum())

    interests, capsules, losses = parts()
    values = {"interests": interests, "capsules": capsules, "losses": losses}
    return case(total, {"items": items, "targets": targets}, weights, {"lengths": np.array(LENGTHS)}, **values)


ENCODER_CASES: dict[str, Callable[[np.random.RandomState], Arrays]] = {
    "self_attention": partial(self_attention, biased=False),
    "self_attention_biased": partial(self_attention, biased=True),
    "dnn": partial(dnn, as_the_port=False),
    "dnn_as_the_port": partial(dnn, as_the_port=True),
    "gru_with_projection": gru_with_projection,
    "gru_cell": gru_cell,
    "mind_interests": partial(mind, axis="interests"),
    "mind_sequence": partial(mind, axis="sequence"),
    "dr_interests": partial(dynamic_routing, axis="interests"),
    "dr_sequence": partial(dynamic_routing, axis="sequence"),
    "que2search": que2search,
    "pimi": partial(pimi, hears_padding=False),
    "pimi_as_released": partial(pimi, hears_padding=True),
    "sasrec": sasrec,
    "sine": sine,
    "umi": umi,
    "re4": re4,
}
