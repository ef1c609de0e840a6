"""Encoder, readout, IHN and RR against the release at every beta (tests/test_model.py has totals and gradients)."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.encoders import make_encoder
from remi_tf.objective.readout import hard
from remi_tf.objective.regularizers import RoutingRegularizer
from remi_tf.objective.remi_loss import sampled_softmax
from remi_tf.settings.encoders import encoder_settings

pytestmark = pytest.mark.shared


@pytest.fixture(params=["remi_small", "remi_wide"])
def golden(request, shared_dir: Path):
    return np.load(shared_dir / "golden" / f"{request.param}.npz", allow_pickle=False)


def build(golden):
    num_interests, length, dim = golden["attention"].shape[1], *golden["w.position_embedding"].shape[1:]
    encoder = make_encoder(encoder_settings(embedding_dim=dim, max_history=length, num_interests=num_interests), seed=0)
    encoder(tf.zeros([1, length, dim]), tf.ones([1, length], tf.bool))
    encoder.positions.assign(golden["w.position_embedding"][0])
    encoder.hidden.kernel.assign(golden["w.linear1.0.weight"].T)
    encoder.logits.kernel.assign(golden["w.linear2.weight"].T)
    return encoder, tf.Variable(golden["w.embeddings.weight"])


def forward(golden, encoder, table, beta: float, rr_lambda: float):
    history = golden["hist"]
    rows = tf.gather(table, history) * tf.cast(history > 0, tf.float32)[..., tf.newaxis]
    interests = encoder(rows, tf.constant(history > 0))
    target, negatives = tf.gather(table, golden["target"]), tf.gather(table, golden["negatives"])
    scores = hard(interests, target, negatives, tf.constant([0, 0]))
    loss = tf.reduce_mean(sampled_softmax(*scores, beta=beta, stop_gradient_weights=False))
    regularizer = RoutingRegularizer(rr_lambda, table.shape[1], "sum")
    return interests, loss, regularizer(interests.routing, tf.constant(history > 0))


def test_interests_routing_and_losses(golden):
    encoder, table = build(golden)
    for beta in (0, 0.1, 1, 4, 10):
        interests, loss, rr = forward(golden, encoder, table, beta, rr_lambda=1.0)
        np.testing.assert_allclose(loss, golden[f"loss_beta_{beta}"], rtol=1e-4, atol=1e-5, err_msg=f"beta {beta}")
    np.testing.assert_allclose(interests.vectors, golden["interests"], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(interests.routing, golden["attention"], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(rr, golden["rr"], rtol=1e-4, atol=1e-9)
