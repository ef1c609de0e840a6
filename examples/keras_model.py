"""REMI's two ideas in a Keras model of your own: IHNSoftmax on its scores, RoutingRegularizer on its attention."""

import numpy as np
import tensorflow as tf

from remi_tf import IHNSoftmax, RoutingRegularizer  # before tf.keras is first used, so that it is Keras 2

GROUPS, GROUP_SIZE, LENGTH, DIM, INTERESTS, NEGATIVES = 100, 5, 8, 32, 2, 64


class SmallModel(tf.keras.Model):
    """Two attention rows over a history. The model adds its loss itself, so `compile` needs none."""

    def __init__(self, rr_lambda: float):
        super().__init__()
        self.items = tf.keras.layers.Embedding(GROUPS * GROUP_SIZE, DIM)
        self.hidden = tf.keras.layers.Dense(DIM, activation="tanh")
        self.attention = tf.keras.layers.Dense(INTERESTS, activation=lambda logits: tf.nn.softmax(logits, axis=1))
        self.ihn = IHNSoftmax(beta=1.0)
        self.rr = RoutingRegularizer(rr_lambda=rr_lambda, embedding_dim=DIM, reduction="mean")

    def routing(self, history: tf.Tensor) -> tf.Tensor:
        """[batch, LENGTH] item numbers → [batch, INTERESTS, LENGTH], rows that sum to 1."""
        return tf.transpose(self.attention(self.hidden(self.items(history))), [0, 2, 1])

    def call(self, inputs: dict[str, tf.Tensor]) -> tf.Tensor:
        """[batch, 1 + NEGATIVES] scores by the best interest, target first. A negative equal to it does not count."""
        routing = self.routing(inputs["history"])
        interests = routing @ self.items(inputs["history"])  # [batch, INTERESTS, DIM]
        candidates = tf.concat([inputs["target"][:, tf.newaxis], inputs["negatives"]], axis=1)
        scores = tf.reduce_max(interests @ tf.transpose(self.items(candidates), [0, 2, 1]), axis=1)
        self.add_loss(tf.reduce_mean(self.ihn(scores[:, 0], scores[:, 1:], candidates[:, 1:] == candidates[:, :1])))
        self.rr(routing, mask=tf.ones_like(inputs["history"], tf.bool))  # adds its penalty to the loss
        return scores


def made_up_users(users: int, random: np.random.Generator) -> dict[str, np.ndarray]:
    """Users who like two groups of items each; history and target are drawn from them, negatives from all items."""
    liked, shape = random.integers(0, GROUPS, [users, 2]), [users, LENGTH + 1]
    group = np.take_along_axis(liked, random.integers(0, 2, shape), axis=1)
    read = group * GROUP_SIZE + random.integers(0, GROUP_SIZE, shape)
    items = random.integers(0, GROUPS * GROUP_SIZE, [users, NEGATIVES])
    return {"history": read[:, :-1], "target": read[:, -1], "negatives": items}


def train(rr_lambda: float) -> tuple[list[float], np.ndarray]:
    """The loss of each epoch, and the users' routing [users, INTERESTS, LENGTH] after the last one."""
    tf.keras.utils.set_random_seed(1)
    data = made_up_users(4096, np.random.default_rng(1))
    model = SmallModel(rr_lambda)
    model.compile(tf.keras.optimizers.Adam(0.01))
    fitted = model.fit(data, batch_size=128, epochs=5, verbose=0)
    return fitted.history["loss"], model.routing(data["history"]).numpy()


if __name__ == "__main__":
    for rr_lambda in (0.0, 100.0):
        losses, routing = train(rr_lambda)
        print(f"λ {rr_lambda:3.0f}: loss {losses[0]:.2f} → {losses[-1]:.2f}; top item {routing.max(axis=2).mean():.0%}")
