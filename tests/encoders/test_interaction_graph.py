"""The graph of PIMI: who hears whom, and what dropout drops."""

import numpy as np
import pytest
import tensorflow as tf

from remi_tf.encoders.interaction_graph import InteractionLayer

DIM = 8


def one_layer_in_numpy(layer, nodes, centre, own, next_item_edges):
    """Of one user without padding: every attention over its listed vectors."""
    (query, key, value), biases = np.split(layer.kernel.numpy(), 3, axis=1), np.split(layer.bias.numpy(), 3)

    def attend(asking, to):
        asking, keys, values = asking @ query + biases[0], to @ key + biases[1], to @ value + biases[2]
        mixed = np.zeros(DIM)
        for head in np.split(np.arange(DIM), 4):
            weights = np.exp(keys[:, head] @ asking[head] / np.sqrt(len(head)))
            mixed[head] = weights / weights.sum() @ values[:, head]
        return np.maximum(mixed @ layer.out.kernel.numpy() + layer.out.bias.numpy(), 0)

    around = [np.zeros(DIM), *nodes]  # the vector before the first is zero
    neighbours = [[around[i], around[i + 1], centre, own[i]] for i in range(len(nodes))]
    if next_item_edges:
        neighbours = [[*near, *around[i + 2 : i + 3]] for i, near in enumerate(neighbours)]
    after = np.stack([attend(node, np.stack(near)) for node, near in zip(nodes, neighbours, strict=True)])
    return after, attend(centre, np.vstack([centre, after]))


@pytest.mark.parametrize("next_item_edges", [True, False])
def test_a_node_hears_its_neighbours_and_the_centre_and_the_centre_everyone(next_item_edges):
    layer = InteractionLayer(DIM, 4, 0.0, next_item_edges=next_item_edges, mask_padding=True, seed=4, places=0)
    layer(tf.zeros([1, 5, DIM]), tf.zeros([1, DIM]), tf.zeros([1, 5, DIM]), tf.ones([1, 5], tf.bool), None)
    generator = np.random.default_rng(5)  # zero biases would hide where they act
    for variable in layer.trainable_variables:
        variable.assign(variable + generator.normal(0, 0.2, variable.shape))
    nodes, own = np.random.default_rng(3).normal(size=(2, 5, DIM))
    expected, expected_centre = one_layer_in_numpy(layer, nodes, nodes.mean(axis=0), own, next_item_edges)
    inputs = [tf.constant(x[np.newaxis], tf.float32) for x in (nodes, nodes.mean(axis=0), own)]
    for padding in (0, 2):  # what follows the last item is not its next
        inputs[0], inputs[2] = (tf.pad(x, [[0, 0], [0, padding], [0, 0]]) for x in (inputs[0], inputs[2]))
        ours, centre = layer(*inputs, tf.range(5 + padding)[tf.newaxis] < 5, None)
        np.testing.assert_allclose(ours[0, :5], expected, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(centre[0], expected_centre, rtol=1e-4, atol=1e-5)
        assert not ours[0, 5:].numpy().any()


def test_dropped_attention_drops_its_share_of_the_value_bias():
    """With zero kernels attention is even and values are their bias: what the centre hears is the share kept."""
    layer = InteractionLayer(8, 2, 0.5, next_item_edges=False, mask_padding=True, seed=1, places=0)
    inputs = tf.zeros([200, 3, 8]), tf.zeros([200, 8]), tf.zeros([200, 3, 8]), tf.ones([200, 3], tf.bool)
    layer(*inputs, training_seed=None)
    layer.kernel.assign(tf.zeros_like(layer.kernel))
    layer.bias.assign(tf.ones_like(layer.bias))
    layer.out.kernel.assign(tf.eye(8))
    _, centre = layer(*inputs, training_seed=tf.constant([1, 2]))
    kept = centre.numpy() * 4 / 2  # of four keys, each doubled by the dropout
    np.testing.assert_allclose(kept, np.round(kept), atol=1e-5)
    assert set(np.round(kept).ravel()) == {0, 1, 2, 3, 4} and kept.mean() == pytest.approx(2, abs=0.2)
