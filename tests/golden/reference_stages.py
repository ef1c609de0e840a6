"""The encoders of several stages, written out in plain NumPy for one user at a time: PIMI, SASRec, SINE, UMI."""

import numpy as np

from tests.golden.reference_encoders import Weights, couplings, sigmoid, softmax, squash


def layer_norm(x: np.ndarray, gain: np.ndarray, shift: np.ndarray, epsilon: float) -> np.ndarray:
    return (x - x.mean()) / np.sqrt(x.var() + epsilon) * gain + shift


def relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


def multi_head(query: np.ndarray, others: list[np.ndarray], kernels: np.ndarray, biases: np.ndarray, heads: int):
    """Scaled dot-product attention of one query; kernels [4, d, d], biases [4, d]: query, key, value, output."""
    asked = query @ kernels[0] + biases[0]
    keys = [other @ kernels[1] + biases[1] for other in others]
    values = [other @ kernels[2] + biases[2] for other in others]
    width = len(query) // heads
    heard = np.zeros(len(query))
    for head in range(heads):
        part = slice(head * width, (head + 1) * width)
        weights = softmax([asked[part] @ key[part] / np.sqrt(width) for key in keys])
        heard[part] = sum(weight * value[part] for weight, value in zip(weights, values, strict=True))
    return heard @ kernels[3] + biases[3]


def periodicity(days: np.ndarray, w: Weights) -> np.ndarray:
    """τ_i = Σ_j α_ij G_ij, α_i = softmax_j(w · G_ij), G_ij the embedding of the days between i and j, capped."""
    cap, result = len(w["times"]) - 1, []
    for day in days:
        gaps = [w["times"][min(abs(int(day) - int(other)), cap)] for other in days]
        weights = softmax([w["time_weight"] @ gap for gap in gaps])
        result.append(sum(weight * gap for weight, gap in zip(weights, gaps, strict=True)))
    return np.array(result)


def pimi(items: np.ndarray, days: np.ndarray, w: Weights, heads: int, padding: int) -> np.ndarray:
    """PIMI: periodicity, three rounds of the graph, routing of the raw items.

    padding: how many zero vectors the centre also hears; the release lets it hear every padded slot.
    """
    number, dim = items.shape
    own = items + w["positions"][:number]
    nodes = own + periodicity(days, w)
    centre = sum(nodes) / number
    for kernels, biases in zip(w["graph"], w["graph_bias"], strict=True):
        updated = []
        for i in range(number):
            before = nodes[i - 1] if i > 0 else np.zeros(dim)
            updated.append(relu(multi_head(nodes[i], [before, nodes[i], centre, own[i]], kernels, biases, heads)))
        nodes = np.array(updated)
        everyone = [centre, *nodes, *np.zeros((padding, dim))]
        centre = relu(multi_head(centre, everyone, kernels, biases, heads))
    interests = []
    for k in range(w["logits"].shape[1]):
        logits = [
            np.tanh(node @ w["hidden"] + w["hidden_bias"]) @ w["logits"][:, k] + w["logits_bias"][k] for node in nodes
        ]
        interests.append(sum(share * item for share, item in zip(softmax(logits), items, strict=True)))
    return np.array(interests)


def sasrec(items: np.ndarray, w: Weights, heads: int) -> np.ndarray:
    """SASRec's state after every item, [n, d]. Histories stand at the end of the window (padding on the left).

    Per block: q = LN(s); s ← q + attention(q over s up to here); f = LN(s); s ← f + W2 ReLU(W1 f). LN at the end.
    `norms` [blocks, 2, 2, d]: of the attention and the feed-forward net, gain and shift.
    """
    number, dim = items.shape
    first = len(w["positions"]) - number
    states = np.array([np.sqrt(dim) * item + w["positions"][first + slot] for slot, item in enumerate(items)])
    for block in range(len(w["attention"])):
        of_attention, of_net = w["norms"][block]
        kernels = np.array([*w["attention"][block], np.eye(dim)])  # no output kernel, no biases
        updated = []
        for slot in range(number):
            query = layer_norm(states[slot], *of_attention, 1e-8)
            heard = multi_head(query, list(states[: slot + 1]), kernels, np.zeros((4, dim)), heads)
            net = layer_norm(query + heard, *of_net, 1e-8)
            (inner, outer), (inner_bias, outer_bias) = w["net"][block], w["net_bias"][block]
            updated.append(net + relu(net @ inner + inner_bias) @ outer + outer_bias)
        states = np.array(updated)
    return np.array([layer_norm(state, *w["last_norm"], 1e-8) for state in states])


def sine(items: np.ndarray, w: Weights, active: int, temperature: float) -> np.ndarray:
    """SINE in its paper's form: one vector, mixed of the interests in the user's `active` concepts."""

    def pooled(rows: np.ndarray, kernel: np.ndarray, query: np.ndarray) -> np.ndarray:
        shares = softmax([query @ np.tanh(row @ kernel) for row in rows])
        return sum(share * row for share, row in zip(shares, rows, strict=True))

    def unit(x: np.ndarray) -> np.ndarray:
        return x / np.sqrt((x * x).sum())

    choice_map, item_map = w["maps"]
    choice_query, intention_query = w["queries"]
    of_concept, of_intention = w["norms"]
    scores = w["concepts"] @ pooled(items, choice_map, choice_query)
    chosen = sorted(range(len(scores)), key=lambda row: -scores[row])[:active]
    concepts = [w["concepts"][row] * sigmoid(scores[row]) for row in chosen]
    about = [
        softmax([unit(item @ item_map) @ layer_norm(concept, *of_concept, 1e-5) for concept in concepts])
        for item in items
    ]
    interests = []
    for k in range(active):
        matters = softmax([w["importance_queries"][k] @ np.tanh(item @ w["importance_maps"][k]) for item in items])
        interests.append(unit(sum(p[k] * m * item for p, m, item in zip(about, matters, items, strict=True))))
    expected = np.array([sum(p * concept for p, concept in zip(row, concepts, strict=True)) for row in about])
    intention = layer_norm(pooled(expected, item_map, intention_query), *of_intention, 1e-5)
    weights = softmax([interest @ intention / temperature for interest in interests])
    return np.array([sum(weight * interest for weight, interest in zip(weights, interests, strict=True))])


def mlp(x: np.ndarray, w: Weights, name: str) -> np.ndarray:
    hidden = relu(x @ w[f"{name}_in"] + w[f"{name}_in_bias"])
    return hidden @ w[f"{name}_out"] + w[f"{name}_out_bias"]


def umi_parts(items: np.ndarray, codes: np.ndarray, w: Weights) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The profile's embeddings [P, p] (zero where unknown), the items' gates [n], the mapped items [K, n, d].

    `profile_0`, `profile_1` …: the embeddings of each column's values, of which code 1 is the first.
    """
    columns = []
    for column, code in enumerate(codes):
        table = w[f"profile_{column}"]
        columns.append(table[code - 1] if code > 0 else np.zeros(table.shape[1]))
    profile = np.concatenate(columns)
    gates = np.array([sigmoid(mlp(np.concatenate([item, profile]), w, "item_gate"))[0] for item in items])
    mapped = np.array([[item @ kernel for item in items] for kernel in w["maps"]])
    return np.array(columns), gates, mapped


def umi_shares(items: np.ndarray, codes: np.ndarray, w: Weights, initial: np.ndarray) -> np.ndarray:
    _, gates, mapped = umi_parts(items, codes, w)
    return couplings(mapped, initial, "interests", overwrite=True, gates=gates)


def umi(items: np.ndarray, codes: np.ndarray, w: Weights, shares: np.ndarray) -> np.ndarray:
    """UMI with the routing's shares [K, n] as constants: gated capsules, refined by a gated profile."""
    columns, gates, mapped = umi_parts(items, codes, w)
    interests = []
    for k in range(len(mapped)):
        capsule = squash(sum(shares[k, slot] * gates[slot] * mapped[k, slot] for slot in range(len(items))))
        opened = sigmoid(mlp(np.concatenate([columns.ravel(), capsule]), w, "profile_gate"))
        refined = np.concatenate([gate * column for gate, column in zip(opened, columns, strict=True)])
        interests.append(mlp(np.concatenate([refined, capsule]), w, "output"))
    return np.array(interests)
