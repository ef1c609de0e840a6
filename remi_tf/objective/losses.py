"""The losses, by their --loss name. The REMI loss is `SoftmaxLoss` with beta > 0.

A loss takes an Example and returns one scalar for each of its `parts`: a weighted mean over the batch.
"""

from collections.abc import Callable
from typing import Protocol

import tensorflow as tf

from remi_tf.objective import full_softmax as catalogue
from remi_tf.objective.every_position import mean_over_positions
from remi_tf.objective.example import Example
from remi_tf.objective.mtmi_loss import InverseDistanceLoss
from remi_tf.objective.pointwise import PointwiseLoss
from remi_tf.objective.readout import READOUTS, Readout, all_interests
from remi_tf.objective.remi_loss import IHNSoftmax
from remi_tf.settings.settings import Settings


class Loss(Protocol):
    """What the model needs from a loss."""

    parts: tuple[str, ...]
    """Names of its terms."""
    by_cosine: bool
    """Whether it trains cosines, and serving then scores by them; otherwise inner products."""

    def __call__(self, example: Example) -> list[tf.Tensor]: ...


class SoftmaxLoss(tf.Module):
    """Readout × negatives × sampled softmax: ComiRec's loss, REMI's, UMI_HN's and BaM's, by their settings.

    The correction by log q and the choice by score are made here and nowhere else. The sampler decides about padding.
    The Example decides which negatives are hits.

    With `log_q` "subtract", log q is taken from every score, the target's too (TensorFlow's and ComiRec's way). With
    "corrected" it is taken from the negatives' only. The full softmax, with P(j) ∝ e^{s_j}, has the gradient

        ∇L = −∇s_y + Σ_j P(j) ∇s_j = (1 − P(y)) (Σ_{j ≠ y} P(j | j ≠ y) ∇s_j − ∇s_y)

    The sum over j ≠ y is what the negatives stand for: with q_j the expected count of j among them, e^{s_j − ln q_j}
    summed over a draw has the mean Σ_{j ≠ y} e^{s_j}. The target itself is not drawn; it is there with certainty. So

        L = ln(1 + Σ_j e^{s_j − ln q_j} / e^{s_y})

    has that gradient with both sums replaced by their estimates. Their ratio keeps a bias, which shrinks with the
    number of negatives and grows with the spread of the scores. (arXiv 2507.09331, of which only the abstract was read,
    says that the target is not drawn, and calls the factor 1 − P(y) the probability of a wrong answer.)
    """

    by_cosine = False

    def __init__(self, settings: Settings, seed: int):
        super().__init__()
        self.settings = settings.objective
        self.softmax = IHNSoftmax(self.settings.beta, self.settings.stop_gradient_weights)
        self.readout = READOUTS[self.settings.readout](settings, seed)
        self.parts: tuple[str, ...] = ("softmax",)
        if self.settings.multi_interest_weight:
            self.parts += ("multi_interest",)
            self.multi_interest: Readout = all_interests

    def __call__(self, example: Example) -> list[tf.Tensor]:
        loss, chosen = self._loss(self.readout, example)
        if not self.settings.multi_interest_weight:
            return [loss]
        return [loss, self.settings.multi_interest_weight * self._loss(self.multi_interest, example, chosen)[0]]

    def _loss(
        self, readout: Readout, example: Example, chosen: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, tf.Tensor | None]:
        """The loss (scalar) and the positions [B, N] of negatives chosen by score, if any: `chosen`, if given."""
        if self.settings.targets == "every":
            return mean_over_positions(lambda rows: self._rows(readout, rows)[0], example), None
        losses, chosen = self._rows(readout, example, chosen)
        return tf.reduce_mean(losses), chosen

    def _rows(
        self, readout: Readout, example: Example, chosen: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, tf.Tensor | None]:
        """As `_loss`, with the losses of the rows [B]."""
        if example.negatives.ids is None:
            return self._full_losses(readout, example), None
        negatives = example.negatives
        positive, negative = readout(example.interests, example.target_rows, example.negative_rows, example.seed)
        if negatives.log_q is not None:
            negative -= negatives.log_q(negatives.ids)  # [B, N]
            if self.settings.log_q == "subtract":
                positive -= negatives.log_q(example.target)  # [B]
        excluded = example.excluded(self.settings.mask_accidental_hits)  # [B, N] or None
        if negatives.choose is not None:
            if chosen is None:
                counting = negative if excluded is None else tf.where(excluded, negative.dtype.min, negative)
                chosen = negatives.choose(positive, counting)  # [B, N] of [B, pool]
            negative = tf.gather(negative, chosen, batch_dims=1)
            excluded = None if excluded is None else tf.gather(excluded, chosen, batch_dims=1)
        return self.softmax(positive, negative, excluded), chosen

    def _full_losses(self, readout: Readout, example: Example) -> tf.Tensor:
        """[B]: cross-entropy over the whole catalogue, in pieces. `negative_rows` is the item table."""

        def scores(vectors: tf.Tensor, target_rows: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
            return readout(example.interests._replace(vectors=vectors), target_rows, rows, example.seed)[1]

        positive, _ = readout(example.interests, example.target_rows, example.target_rows[:1], example.seed)  # [B]
        others = catalogue.log_sum_exp(
            scores, example.interests.vectors, example.target_rows, example.negative_rows, example.target
        )
        return tf.nn.softplus(others - positive)


LOSSES: dict[str, Callable[[Settings, int], Loss]] = {
    "softmax": SoftmaxLoss,
    "idw": lambda settings, seed: InverseDistanceLoss(settings),
    "bce": lambda settings, seed: PointwiseLoss(settings),
}
