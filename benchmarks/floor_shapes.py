"""What a training step cannot do without: the matrix products and the activations of each encoder, as plain shapes.

A floor is a list of `Product` and `Activation`. It has the shapes of the step as this package computes it, but nothing
around them: no lookups, no masks, no transposes, no normalisation, no drawing of numbers, no optimizer. Products of
each row with its own vector (such as interest times target) are left out too, and so is a profile that is read by
--read_profile. So a floor is a little lower than what could be reached. benchmarks/floor.py measures it.

Letters: B users in a batch, L items of a history, K interests, d their size, N negatives.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import systems  # noqa: F401  # sets the import path

from remi_tf.settings.settings import Settings


@dataclass(frozen=True)
class Product:
    """`count` products [rows, inner] x [inner, columns] side by side, in one call.

    rounds: so often, each round after the one before it. backward: products of the backward pass for each of the
    forward pass: 2 where both sides are trained, 1 where one is, 0 where a gradient does not pass.
    """

    rows: int
    inner: int
    columns: int
    count: int = 1
    rounds: int = 1
    backward: int = 2

    @property
    def flops(self) -> int:
        """Multiplications and additions, forward and backward."""
        return 2 * self.rows * self.inner * self.columns * self.count * self.rounds * (1 + self.backward)


@dataclass(frozen=True)
class Activation:
    """A function of [rows, columns], forward and backward. A softmax runs over the columns. rounds: as of Product."""

    function: str
    rows: int
    columns: int
    rounds: int = 1


Work = list[Product | Activation]


@dataclass(frozen=True)
class Sizes:
    """B, L, K, d and N of a step.

    states: vectors of a user that are trained: L of training on every position, else 1. positions: how many of them
    are real, in the whole batch. columns: of a profile.
    """

    B: int
    L: int
    K: int
    d: int
    N: int
    states: int
    positions: int
    columns: int

    @classmethod
    def of(cls, settings: Settings, negatives: int, items_read: int, columns: int) -> "Sizes":
        """negatives: that a row is scored against. items_read: real items of all histories of a batch."""
        encoder, batch = settings.encoder, settings.training.batch_size
        sizes = batch, encoder.max_history, encoder.num_interests, encoder.embedding_dim, negatives
        if settings.objective.targets == "every" or settings.objective.loss == "bce":
            return cls(*sizes, encoder.max_history, items_read, columns)
        return cls(*sizes, 1, batch, columns)


def floor_of(settings: Settings, sizes: Sizes) -> Work:
    """The floor of a step: the encoder's, the scores' and the penalties'."""
    encoder = FLOORS[settings.encoder.model_type](sizes, settings.encoder)
    return encoder + scores(sizes, settings) + penalties(sizes, settings)


def scores(n: Sizes, settings: Settings) -> Work:
    """Every row that is scored against every negative, and the loss' function of the scores."""
    objective = settings.objective
    if objective.loss == "bce":  # one negative a position, by products of rows
        return []
    if objective.loss == "idw":
        return [Product(n.B * n.K, n.d, n.N), Activation("relu", n.B * n.K, n.N), Product(n.K, n.d, n.K, count=n.B)]
    of_all = [Product(n.positions * n.K, n.d, n.N), Activation("exp", n.positions * n.K, n.N)]
    of_one = [Product(n.positions, n.d, n.N), Activation("exp", n.positions, n.N)]
    of_best = [of_all[0], of_one[1]]  # the maximum over the interests comes first
    work = {"per_candidate": of_best, "logsumexp": of_all}.get(objective.readout, of_one)
    return [*work, *of_all] if objective.multi_interest_weight else work


def penalties(n: Sizes, settings: Settings) -> Work:
    """REMI's penalty on interests that are alike, and Re4's three losses."""
    objective, work = settings.objective, []
    if objective.rep_lambda and objective.rep_form != "cosine":
        work += [Product(n.K, n.d, n.K, count=n.B)]
    if objective.re4_attend:
        work += [Product(n.K, n.d, n.L, count=n.B), Activation("softmax", n.B * n.K, n.L)]
    if objective.re4_contrast:  # own items, other interests, another user's items
        work += [Product(n.K, n.d, columns, count=n.B) for columns in (n.L, n.K, n.L)]
        work += [Activation("exp", n.B * n.K, 2 * n.L + n.K)]
    if objective.re4_construct:
        cells = n.B * n.K * n.L
        work += [Product(n.B * n.K, n.d, n.L * n.d), Product(cells, n.d, n.d), Activation("tanh", cells, n.d)]
        work += [Product(cells, n.d, n.L), Activation("softmax", cells, n.L)]
        work += [Product(n.L, n.L, n.d, count=n.B * n.K)]
        work += [Product(n.B * n.K, n.d, n.d)]  # of the positive cells; each interest has at least one
    return work


def attention(n: Sizes) -> Work:
    """K rows of attention by tanh(x W1) W2, of SA, PIMI and Re4: without the product with the items."""
    hidden = 4 * n.d
    return [
        Product(n.B * n.L, n.d, hidden),
        Activation("tanh", n.B * n.L, hidden),
        Product(n.B * n.L, hidden, n.K),
        Activation("softmax", n.B * n.K, n.L),
    ]


def mixed(n: Sizes, **options: int) -> Product:
    """A X: K mixes of the history's items for each user."""
    return Product(n.K, n.L, n.d, count=n.B, **options)


def self_attention(n: Sizes, of: Any) -> Work:
    if not of.value_width:
        return [*attention(n), mixed(n)]
    width = of.value_width  # each item with those before it, then the convolution of each interest
    return [*attention(n), Product(n.K * width, n.L, n.d, count=n.B), Product(n.B, width * n.d, n.d, count=n.K)]


def dnn(n: Sizes, of: Any) -> Work:
    return [Product(n.B, n.d, n.K * n.d)]


def que2search(n: Sizes, of: Any) -> Work:
    return [Product(n.B, n.L * n.d, n.K * n.L), Activation("softmax", n.B * n.K, n.L), mixed(n)]


def gru(n: Sizes, of: Any) -> Work:
    """L rounds for each tower, over a state of d numbers, or of 2d that are mapped to d at the end."""
    size = 2 * n.d if of.gru_projection else n.d
    tower: Work = [
        Product(n.B * n.L, n.d, 3 * size),
        Product(n.B, size, 3 * size, rounds=n.L),
        Activation("sigmoid", n.B, 2 * size, rounds=n.L),
        Activation("tanh", n.B, size, rounds=n.L),
    ]
    return n.K * (tower + ([Product(n.B * n.states, size, n.d)] if of.gru_projection else []))


def sasrec(n: Sizes, of: Any) -> Work:
    rows, heads = n.B * n.L, of.num_heads
    block: Work = [
        Product(rows, n.d, n.d),  # queries
        Product(rows, n.d, 2 * n.d),  # keys and values
        Product(n.L, n.d // heads, n.L, count=n.B * heads),
        Activation("softmax", n.B * heads * n.L, n.L),
        Product(n.L, n.L, n.d // heads, count=n.B * heads),
        Product(rows, n.d, n.d),
        Activation("relu", rows, n.d),
        Product(rows, n.d, n.d),
    ]
    return of.num_blocks * block


def routing(n: Sizes, of: Any, groups: int) -> Work:
    """Dynamic routing with constant shares: only the last sum has a gradient, to the maps."""
    shape = {"count": n.B * groups}
    again, rows = of.routing_iterations - 1, n.K // groups
    return [
        Activation("softmax", n.B * n.L, n.K, rounds=of.routing_iterations),
        Product(rows, n.L, n.d, rounds=again, backward=0, **shape),
        Product(rows, n.d, n.L, rounds=again, backward=0, **shape),
        Product(rows, n.L, n.d, backward=1, **shape),
    ]


def mind(n: Sizes, of: Any) -> Work:
    output = [Product(n.B * n.K, n.d, n.d), Activation("relu", n.B * n.K, n.d)] if of.relu_layer else []
    return [Product(n.B * n.L, n.d, n.d), *routing(n, of, groups=1), *output]


def dynamic_routing(n: Sizes, of: Any) -> Work:
    return [Product(n.B, n.d, n.K * n.d, count=n.L), *routing(n, of, groups=n.K)]


def umi(n: Sizes, of: Any) -> Work:
    rows, capsules, width, hidden = n.B * n.L, n.B * n.K, n.d + n.columns * of.profile_dim, 8
    again = of.routing_iterations - 1
    maps = Product(n.B, n.d, n.d, count=n.K)
    return [
        *(Product(rows, width, hidden), Activation("relu", rows, hidden)),  # how much each item counts
        *(Product(rows, hidden, 1), Activation("sigmoid", rows, 1)),
        Activation("softmax", rows, n.K, rounds=of.routing_iterations),
        mixed(n, rounds=again, backward=0),
        Product(n.B, n.d, n.d, count=n.K, rounds=2 * again, backward=0),  # to the interest, and back to the items
        Product(n.K, n.d, n.L, count=n.B, rounds=again, backward=0),
        *(mixed(n), maps),
        *(Product(capsules, width, hidden), Activation("relu", capsules, hidden)),  # what of the profile counts
        *(Product(capsules, hidden, n.columns), Activation("sigmoid", capsules, n.columns)),
        *(Product(capsules, width, n.d // 2), Activation("relu", capsules, n.d // 2)),
        Product(capsules, n.d // 2, n.d),
    ]


def pimi(n: Sizes, of: Any) -> Work:
    rows, heads, gaps = n.B * n.L, of.num_heads, of.time_threshold + 1
    neighbours = 5 if of.next_item_edges else 4
    nodes: Work = [
        *(Product(rows, n.d, 3 * n.d), Product(rows, n.d, 2 * n.d), Product(n.B, n.d, 3 * n.d)),
        Activation("softmax", rows * heads, neighbours),
        *(Product(rows, n.d, n.d), Activation("relu", rows, n.d)),
    ]
    centre: Work = [  # its query, its scores, its mix, its value
        Product(n.B, n.d // heads, n.d, count=heads),
        Product(heads, n.d, 1 + n.L, count=n.B),
        Activation("softmax", n.B * heads, 1 + n.L),
        Product(heads, 1 + n.L, n.d, count=n.B),
        Product(n.B, n.d, n.d // heads, count=heads),
        *(Product(n.B, n.d, n.d), Activation("relu", n.B, n.d)),
    ]
    days: Work = [Activation("softmax", rows, gaps), Product(rows, gaps, n.d)]
    return [*days, *3 * nodes, *2 * centre, *attention(n), mixed(n)]  # nobody reads the last centre


def re4(n: Sizes, of: Any) -> Work:
    capsules = n.B * n.K
    output = [Product(capsules, n.d, n.d), Product(capsules, n.d, n.d), Activation("tanh", capsules, n.d)]
    return [*attention(n), mixed(n), *output]


def sine(n: Sizes, of: Any) -> Work:
    rows, active = n.B * n.L, of.active_concepts
    pool: Work = [
        *(Product(rows, n.d, n.d), Activation("tanh", rows, n.d)),
        *(Product(rows, n.d, 1), Activation("softmax", n.B, n.L)),
        Product(1, n.L, n.d, count=n.B),
    ]
    return [
        *pool,
        Product(n.B, n.d, of.num_concepts),
        Product(rows, n.d, n.d),
        *(Product(n.L, n.d, active, count=n.B), Activation("softmax", rows, active)),
        *(Product(rows, n.d, active * n.d), Activation("tanh", rows, active * n.d)),
        *(Product(rows, active * n.d, active), Activation("softmax", n.B * active, n.L)),
        Product(active, n.L, n.d, count=n.B),
        Product(n.L, active, n.d, count=n.B),
        *pool,
        *(Product(1, n.d, active, count=n.B), Activation("softmax", n.B, active)),
        Product(1, active, n.d, count=n.B),
    ]


FLOORS: dict[str, Callable[[Sizes, Any], Work]] = {
    "SA": self_attention,
    "DNN": dnn,
    "MTMI-DNN": dnn,
    "Que2Search": que2search,
    "MTMI-Q2S": que2search,
    "GRU4REC": gru,
    "MTMI-GRU": gru,
    "SASRec": sasrec,
    "MIND": mind,
    "DR": dynamic_routing,
    "UMI": umi,
    "PIMI": pimi,
    "Re4": re4,
    "SINE": sine,
}
"""By --model_type: sizes and the encoder's settings → the floor of the encoder."""
