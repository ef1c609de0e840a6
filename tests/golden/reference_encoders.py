"""The encoders of one step, written out in plain NumPy for one user at a time.

Each function follows its paper's equation with loops over slots and interests. It takes the user's n items [n, d] and a
dict of weights and returns interests [K, d]. Padding is not there at all, unless a release counts it in.
"""

import numpy as np

Weights = dict[str, np.ndarray]


def softmax(logits) -> np.ndarray:
    powers = np.exp(np.asarray(logits) - np.max(logits))
    return powers / powers.sum()


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def self_attention_routing(items: np.ndarray, w: Weights) -> np.ndarray:
    """a_k = softmax_l( w2_k · tanh(W1 (x_l + p_l) + b1) + b2_k ): [K, n]."""
    hidden_bias, logits_bias = w.get("hidden_bias", 0.0), w.get("logits_bias", np.zeros(w["logits"].shape[1]))
    rows = []
    for k in range(w["logits"].shape[1]):
        logits = []
        for slot, item in enumerate(items):
            hidden = np.tanh((item + w["positions"][slot]) @ w["hidden"] + hidden_bias)
            logits.append(hidden @ w["logits"][:, k] + logits_bias[k])
        rows.append(softmax(logits))
    return np.array(rows)


def self_attention(items: np.ndarray, w: Weights) -> np.ndarray:
    """SA: v_k = Σ_l a_kl x_l. The items that are mixed are without their positions."""
    routing = self_attention_routing(items, w)
    return np.array([sum(a * x for a, x in zip(row, items, strict=True)) for row in routing])


def dnn(items: np.ndarray, padding: np.ndarray, w: Weights) -> np.ndarray:
    """DNN: u = W (Σ x / n) + b. The release of REMI also adds up the padded slots [L - n, d], still over n."""
    total = sum(items) + sum(padding)
    return np.array([total / len(items) @ w["towers"] + w.get("bias", 0.0)])


def gru_with_projection(items: np.ndarray, w: Weights) -> np.ndarray:
    """PyTorch's GRU without biases and a dense layer on its last state. The reset gate acts after U_c.

    r, z = σ(W x + U h); c = tanh(W_c x + r ⊙ U_c h); h ← (1 − z) ⊙ c + z ⊙ h.
    `inputs` [3, d, h] and `recurrent` [3, h, h] hold the reset gate, the update gate, the candidate.
    """
    (to_reset, to_update, to_new), (reset_u, update_u, new_u) = w["inputs"], w["recurrent"]
    state = np.zeros(new_u.shape[0])
    for item in items:
        reset = sigmoid(item @ to_reset + state @ reset_u)
        update = sigmoid(item @ to_update + state @ update_u)
        new = np.tanh(item @ to_new + reset * (state @ new_u))
        state = (1 - update) * new + update * state
    return np.array([state @ w["projection"] + w["projection_bias"]])


def gru_cell(items: np.ndarray, w: Weights) -> np.ndarray:
    """TensorFlow 1's GRUCell: the reset gate acts on the state before U_c; its last state is the user.

    r, z = σ(W x + U h + b); c = tanh(W_c x + U_c (r ⊙ h) + b_c); h ← z ⊙ h + (1 − z) ⊙ c.
    """
    state = np.zeros(w["recurrent"].shape[1])
    for item in items:
        reset = sigmoid(item @ w["inputs"][0] + state @ w["recurrent"][0] + w["bias"][0])
        update = sigmoid(item @ w["inputs"][1] + state @ w["recurrent"][1] + w["bias"][1])
        new = np.tanh(item @ w["inputs"][2] + (reset * state) @ w["recurrent"][2] + w["bias"][2])
        state = update * state + (1 - update) * new
    return np.array([state])


def squash(vector: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(vector)
    return length**2 / (1 + length**2) * vector / length


def couplings(mapped: np.ndarray, initial: np.ndarray, axis: str, overwrite: bool = False, gates=None) -> np.ndarray:
    """What each interest takes of each item after three rounds of dynamic routing, [K, n] (MIND, ComiRec-DR, UMI).

    mapped: [K, n, d], each item as each interest sees it. initial: [K, L] logits. Where L > n and the softmax is over
    the sequence, padded slots take their part of it: they are zero vectors and keep their first logit.
    overwrite, gates [n]: of UMI, whose logits are replaced in each round and whose items are scaled.
    """
    num_interests, number, _ = mapped.shape
    logits = initial.copy()
    gates = np.ones(number) if gates is None else gates
    for last in (False, False, True):
        shares = np.zeros_like(logits)
        if axis == "interests":
            for slot in range(number):
                shares[:, slot] = softmax(logits[:, slot])
        else:
            for k in range(num_interests):
                shares[k] = softmax(logits[k])
        if last:
            return shares[:, :number]
        for k in range(num_interests):
            capsule = squash(sum(shares[k, slot] * gates[slot] * mapped[k, slot] for slot in range(number)))
            for slot in range(number):
                logits[k, slot] = mapped[k, slot] @ capsule + (0 if overwrite else logits[k, slot])
    raise AssertionError


def capsules(mapped: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """v_k = squash(Σ_l c_kl ê_kl) of the last round, where the shares c are constants."""
    return np.array(
        [squash(sum(c * e for c, e in zip(*both, strict=True))) for both in zip(shares, mapped, strict=True)]
    )


def mind_maps(items: np.ndarray, w: Weights, num_interests: int) -> np.ndarray:
    """ê_l = S x_l, the same for every interest: [K, n, d]."""
    return np.array([[item @ w["map"] for item in items] for _ in range(num_interests)])


def dr_maps(items: np.ndarray, w: Weights) -> np.ndarray:
    """ê_kl = W_lk x_l, with W [L, K, d, d]: [K, n, d]."""
    return np.array([[w["maps"][slot, k] @ x for slot, x in enumerate(items)] for k in range(w["maps"].shape[1])])


def que2search(items: np.ndarray, w: Weights) -> np.ndarray:
    """f_k = Σ_l w_kl x_l, w_k = softmax( W_k [x_1 ‖ … ‖ x_L] ) over the slots that hold an item; W [K, L, L d]."""
    joined = np.zeros(w["fusion"].shape[2])
    joined[: items.size] = items.ravel()
    interests = []
    for fusion in w["fusion"]:
        shares = softmax([fusion[slot] @ joined for slot in range(len(items))])
        interests.append(sum(share * item for share, item in zip(shares, items, strict=True)))
    return np.array(interests)


def re4(items: np.ndarray, w: Weights) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Re4's forward half: interests U = tanh(F V + b), capsules V = A X W2, routing A = softmax_l(W12 tanh(W11 x))."""
    routing = []
    for k in range(w["logits"].shape[1]):
        routing.append(softmax([np.tanh(item @ w["hidden"]) @ w["logits"][:, k] for item in items]))
    inside = [sum(a * (x @ w["map"]) for a, x in zip(row, items, strict=True)) for row in routing]
    return np.array([np.tanh(v @ w["output"] + w["output_bias"]) for v in inside]), np.array(inside), np.array(routing)
