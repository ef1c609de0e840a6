"""Every encoder against its equations in plain NumPy: interests, the readout by the target, and all gradients."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.encoders import make_encoder
from remi_tf.objective.re4_losses import BackwardFlow
from remi_tf.settings.encoders import encoder_settings
from tests.golden import generate
from tests.golden.cases_encoders import ENCODER_CASES

Arrays = dict[str, np.ndarray]


def close(ours: Any, expected: np.ndarray, what: str) -> None:
    ours = np.asarray(tf.convert_to_tensor(ours))
    np.testing.assert_allclose(ours, expected.reshape(ours.shape), rtol=1e-4, atol=1e-5, err_msg=what)


def side_by_side(matrices: np.ndarray) -> np.ndarray:
    """[n, rows, columns] → [rows, n columns]."""
    return np.concatenate(list(matrices), axis=-1)


# How a case's weights lie in the layers: {attribute: array}. Each is a rearrangement, so that it serves gradients too.


def self_attention(w: Arrays) -> Arrays:
    layers = {"positions": w["positions"], "hidden.kernel": w["hidden"], "logits.kernel": w["logits"]}
    return layers | {f"{layer}.bias": w[f"{layer}_bias"] for layer in ("hidden", "logits") if f"{layer}_bias" in w}


def dnn(w: Arrays) -> Arrays:
    return {"towers.kernel": w["towers"], **({"towers.bias": w["bias"]} if "bias" in w else {})}


def gru_with_projection(w: Arrays) -> Arrays:
    kernels = {"input_kernel": side_by_side(w["inputs"]), "recurrent_kernel": side_by_side(w["recurrent"])}
    return {**kernels, "projection": w["projection"], "projection_bias": w["projection_bias"]}


def gru_cell(w: Arrays) -> Arrays:
    kernels = {"input_kernel": side_by_side(w["inputs"]), "recurrent_kernel": side_by_side(w["recurrent"])}
    return {**kernels, "gate_bias": w["bias"][:2].ravel(), "candidate_bias": w["bias"][2]}


def mind(w: Arrays) -> Arrays:
    return {"map.kernel": w["map"], "output_layer.kernel": w["output"]}


def dynamic_routing(w: Arrays) -> Arrays:
    return {"maps": w["maps"].transpose(0, 3, 1, 2)}  # [L, to interest, to, from] → [L, from, K, to]


def que2search(w: Arrays) -> Arrays:
    interests, slots, _ = w["fusion"].shape
    return {"fusion": w["fusion"].reshape(interests, slots, slots, -1).transpose(2, 3, 0, 1)}


def pimi(w: Arrays) -> Arrays:
    layers = self_attention(w) | {"times": w["times"], "time_weight": w["time_weight"]}
    for number, (kernels, biases) in enumerate(zip(w["graph"], w["graph_bias"], strict=True)):
        layers |= {f"graph.{number}.kernel": side_by_side(kernels[:3]), f"graph.{number}.bias": biases[:3].ravel()}
        layers |= {f"graph.{number}.out.kernel": kernels[3], f"graph.{number}.out.bias": biases[3]}
    return layers


def sasrec(w: Arrays) -> Arrays:
    layers = {"positions": w["positions"], "norm.gamma": w["last_norm"][0], "norm.beta": w["last_norm"][1]}
    for number in range(2):
        block = f"blocks.{number}"
        query, key, value = w["attention"][number]
        layers |= {f"{block}.query.kernel": query, f"{block}.key_value.kernel": side_by_side(np.array([key, value]))}
        for place, name in enumerate(("inner", "outer")):
            layers |= {f"{block}.{name}.kernel": w["net"][number, place]}
            layers |= {f"{block}.{name}.bias": w["net_bias"][number, place]}
        for place, name in enumerate(("attention_norm", "feed_forward_norm")):
            layers |= {f"{block}.{name}.gamma": w["norms"][number, place, 0]}
            layers |= {f"{block}.{name}.beta": w["norms"][number, place, 1]}
    return layers


def sine(w: Arrays) -> Arrays:
    layers = {"concepts": w["concepts"], "importance_queries": w["importance_queries"]}
    layers |= {"importance_maps": side_by_side(w["importance_maps"])}
    for place, (matrix, query) in enumerate((("choice_map", "choice_query"), ("item_map", "intention_query"))):
        layers |= {matrix: w["maps"][place], query: w["queries"][place]}
    for place, norm in enumerate(("concept_norm", "intention_norm")):
        layers |= {f"{norm}.gamma": w["norms"][place, 0], f"{norm}.beta": w["norms"][place, 1]}
    return layers


def umi(w: Arrays) -> Arrays:
    """The encoder has the capsule in front of the profile, the equations behind it."""
    unread = np.zeros_like(w["profile_0"][:1])
    layers = {"profile_table": np.concatenate([unread, w["profile_0"], w["profile_1"]]), "maps": w["maps"]}
    names = {"item_gate": "item_gate", "profile_gate": "profile_gate", "output": "output_layer"}
    for theirs, ours in names.items():
        first = w[f"{theirs}_in"]
        if theirs != "item_gate":
            first = np.roll(first, w["maps"].shape[1], axis=0)
        layers |= {f"{theirs}_hidden.kernel": first, f"{theirs}_hidden.bias": w[f"{theirs}_in_bias"]}
        layers |= {f"{ours}.kernel": w[f"{theirs}_out"], f"{ours}.bias": w[f"{theirs}_out_bias"]}
    return layers


def re4(w: Arrays) -> Arrays:
    layers = {"hidden.kernel": w["hidden"], "logits.kernel": w["logits"], "map.kernel": w["map"]}
    return layers | {"output_layer.kernel": w["output"], "output_layer.bias": w["output_bias"]}


Layout = Callable[[Arrays], Arrays]
PORT = {"mask_padding": False}
CASES: dict[str, tuple[dict[str, Any], Layout]] = {
    "self_attention": ({"model_type": "SA"}, self_attention),
    "self_attention_biased": ({"model_type": "SA", "use_bias": True}, self_attention),
    "dnn": ({"model_type": "DNN", "use_bias": True}, dnn),
    "dnn_as_the_port": ({"model_type": "DNN", **PORT}, dnn),
    "gru_with_projection": ({"model_type": "GRU4REC"}, gru_with_projection),
    "gru_cell": ({"model_type": "GRU4REC", "gru_projection": False}, gru_cell),
    "mind_interests": ({"model_type": "MIND", "relu_layer": True}, mind),
    "mind_sequence": ({"model_type": "MIND", "relu_layer": True, "routing_softmax": "sequence", **PORT}, mind),
    "dr_interests": ({"model_type": "DR"}, dynamic_routing),
    "dr_sequence": ({"model_type": "DR", "routing_softmax": "sequence", **PORT}, dynamic_routing),
    "que2search": ({"model_type": "MTMI-Q2S"}, que2search),
    "pimi": ({"model_type": "PIMI", "num_heads": 2, "time_threshold": 5}, pimi),
    "pimi_as_released": ({"model_type": "PIMI", "num_heads": 2, "time_threshold": 5, **PORT}, pimi),
    "sasrec": ({"model_type": "SASRec", "num_heads": 2}, sasrec),
    "sine": (
        {"model_type": "SINE", "num_concepts": 5, "active_concepts": 2, "concept_temperature": 0.5},
        sine,
    ),
    "umi": ({"model_type": "UMI", "profile_dim": 3}, umi),
    "re4": ({"model_type": "Re4"}, re4),
}
FEATURES = ("days", "profile")


def attribute(root: Any, path: str) -> tf.Variable:
    for part in path.split("."):
        root = root[int(part)] if part.isdigit() else getattr(root, part)
    return root


def built(golden: Arrays, values: dict[str, Any]) -> tuple[Any, tf.Tensor, dict[str, tf.Tensor]]:
    """The case's encoder, the mask of its histories, and their features."""
    (_, num_interests, dim), length = golden["out.interests"].shape, golden["in.items"].shape[1]
    sizes = {"embedding_dim": dim, "max_history": length, "num_interests": num_interests}
    profile_sizes = [len(golden[f"w.profile_{column}"]) for column in range(2) if f"w.profile_{column}" in golden]
    encoder = make_encoder(encoder_settings(**sizes, **values), seed=0, profile_sizes=profile_sizes)
    features = {name: tf.constant(golden[f"in.{name}"]) for name in FEATURES if f"in.{name}" in golden}
    mask = tf.sequence_mask(golden["in.lengths"], length)
    encoder(tf.constant(golden["in.items"]), mask, **features)
    if "in.initial" in golden:
        encoder.served_logits.assign(golden["in.initial"])
    return encoder, mask, features


def filled(root: Any, weights: Arrays) -> dict[str, tf.Variable]:
    """The variables by their paths, with the weights put in."""
    variables = {path: attribute(root, path) for path in weights}
    for path, variable in variables.items():
        variable.assign(weights[path].reshape(variable.shape))
    return variables


def of_kind(golden: Arrays, kind: str) -> Arrays:
    return {key.removeprefix(f"{kind}."): value for key, value in golden.items() if key.startswith(f"{kind}.")}


def read_by_target(interests: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
    closest = tf.argmax(tf.einsum("bkd,bd->bk", interests, targets), axis=1)
    return tf.gather(interests, closest, batch_dims=1)


@pytest.mark.parametrize("case", CASES)
def test_interests_and_gradients_are_those_of_the_equations(case):
    golden, (values, layout) = generate.load(case), CASES[case]
    encoder, mask, features = built(golden, values)
    variables = filled(encoder, layout(of_kind(golden, "w")))
    extra = []
    if case == "re4":
        extra = [BackwardFlow(*weights, *golden["in.items"].shape[:0:-1], seed=1) for weights in np.eye(3)]
        own = {"expand": "expand", "expand_bias": "expand_bias", "hidden": "inner", "slots": "slots", "map": "rebuild"}
        of_losses = filled(extra[2], {ours: golden[f"w.{theirs}"] for ours, theirs in own.items()})
    items, targets = tf.Variable(golden["in.items"]), tf.Variable(golden["in.targets"])
    with tf.GradientTape(persistent=True) as tape:
        encoded = encoder(items, mask, **features)
        chosen = read_by_target(encoded.vectors, targets)
        losses = [loss(items, mask, encoded) for loss in extra]
        total = tf.reduce_sum(chosen * targets) + 0.5 * sum(losses)

    close(encoded.vectors, golden["out.interests"], "interests")
    close(total, golden["out.total"], "total")
    if extra:
        close(encoded.capsules, golden["out.capsules"], "capsules")
        close(tf.stack(losses), golden["out.losses"], "attend, contrast, construct")
        for ours, theirs in own.items():
            close(tape.gradient(total, of_losses[ours]), golden[f"grad.{theirs}"], theirs)
    else:
        close(chosen, golden["out.readout"], "readout")
    close(tape.gradient(total, items), golden["grad.items"], "items")
    close(tape.gradient(total, targets), golden["grad.targets"], "targets")
    expected = layout(of_kind(golden, "grad"))
    assert len(expected) == len(encoder.trainable_variables), "a weight without a gradient to compare with"
    for path, variable in variables.items():
        close(tape.gradient(total, variable), expected[path], path)


def test_every_case_of_an_encoder_is_compared():
    assert list(CASES) == list(ENCODER_CASES)
