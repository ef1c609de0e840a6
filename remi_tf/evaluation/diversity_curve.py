"""What accuracy costs diversity: ComiRec's controllable aggregation at evaluation, for several strengths."""

import time
from collections.abc import Sequence

import tensorflow as tf

from remi_tf.data.dataset.interactions import Interactions
from remi_tf.data.dataset.views import features, histories, targets
from remi_tf.errors import InputError
from remi_tf.evaluation.evaluate import EVALUATION_BYTES, input_signature, refuse_unranked
from remi_tf.evaluation.list_metrics import ItemFacts
from remi_tf.evaluation.metrics import CUT_OFFS
from remi_tf.evaluation.tally import Evaluation, Tally, batches, checked_cut_offs, left_out, users_with_targets
from remi_tf.progress import bar
from remi_tf.retrieval.diversity import POOL, diversify
from remi_tf.systems import System, best


def refuse_no_categories(items: ItemFacts) -> None:
    """Raise InputError if the items have no categories to choose by."""
    if items.categories is None:
        raise InputError("diversity: the data have no categories (prepare.py --category_col); leave it out")


class DiversityCurve:
    """Evaluates a model whose lists are chosen by `retrieval.diversity.diversify`, once for each strength λ.

    The list of a cut-off n is the one that serving gives for top_n = n: chosen among the best 10 · n items. λ = 0 is
    the plain list.

    Args:
      items: of the dataset; must have categories.
      strengths: λ >= 0, also infinite.
      top_n: cut-offs of the metrics.
      exclude_history: as in `Evaluator`.

    Raises:
      InputError: the items have no categories, or a strength or cut-off cannot be used.
    """

    def __init__(
        self,
        model: System,
        items: ItemFacts,
        strengths: Sequence[float],
        top_n: Sequence[int] = CUT_OFFS,
        exclude_history: bool = False,
    ):
        refuse_no_categories(items)
        if not strengths or not all(strength >= 0 for strength in strengths):
            shown = ",".join(map(str, strengths)) or "(empty)"
            raise InputError(f"diversity {shown}: give numbers of 0 or more such as 0,0.1,0.5")
        self.model, self.items, self.strengths, self.top_n = model, items, strengths, checked_cut_offs(top_n)
        self._exclude_history = exclude_history
        self._categories = tf.constant(items.categories, tf.int32)  # [I + 1]
        self._lists = tf.function(self._choose, input_signature=input_signature(model))

    def evaluate(
        self, interactions: Interactions, batch_size: int = 256, progress: bool = False
    ) -> dict[float, Evaluation]:
        """λ → all metrics of the users of `interactions`, in the order of `strengths`.

        Raises:
          InputError: no user has targets.
          TrainingDiverged: the model's interests or its item table are not finite.
        """
        start, model = time.perf_counter(), self.model
        users = users_with_targets(interactions)
        tallies = [[Tally([n], self.items) for n in self.top_n] for _ in self.strengths]
        pieces = batches(interactions, users, batch_size, self._exclude_history)
        for batch in bar("diversity", iterable=pieces, shown=progress):
            history = histories(interactions, batch, model.max_history)
            known = features(interactions, batch, model.max_history, model.needs)
            whole = left_out(interactions, batch, self._exclude_history)
            for row, lists in zip(tallies, self._lists(history, whole, known), strict=True):
                for tally, ids in zip(row, lists, strict=True):
                    refuse_unranked(ids.numpy(), batch, whole, len(self.items.counts) - 1)
                    tally.add(ids.numpy(), *targets(interactions, batch))
        curve = {}
        for strength, row in zip(self.strengths, tallies, strict=True):
            parts = [tally.result(interactions, users, time.perf_counter() - start) for tally in row]
            curve[strength] = _joined(parts)
        return curve

    def _choose(self, history: tf.Tensor, whole: tf.Tensor, features: dict[str, tf.Tensor]) -> list[list[tf.Tensor]]:
        """(history `[B, max_history]`, what to leave out `[B, any]`, features) → for each strength and
        each n of `top_n` ids `[B, n]`."""
        width = max(self.top_n)
        exclude = whole if self._exclude_history else None
        pool = tf.minimum(POOL * width, tf.maximum(width, len(self.items.counts) - 1))
        ids, scores = best(self.model, history, pool, exclude, EVALUATION_BYTES, **features)
        categories = tf.gather(self._categories, ids)  # [B, pool]
        return [[self._list(ids, scores, categories, strength, n) for n in self.top_n] for strength in self.strengths]

    @staticmethod
    def _list(ids: tf.Tensor, scores: tf.Tensor, categories: tf.Tensor, strength: float, n: int) -> tf.Tensor:
        own = slice(0, POOL * n)
        every = tf.fill([tf.shape(ids)[0]], tf.constant(strength, tf.float32))
        return diversify(ids[:, own], scores[:, own], categories[:, own], every, n)[0]


def _joined(parts: Sequence[Evaluation]) -> Evaluation:
    """The evaluations of one system at different cut-offs as one."""
    per_user = {name: values for part in parts for name, values in part.per_user.items()}
    whole_split = {name: value for part in parts for name, value in part.whole_split.items()}
    first = parts[0]
    return Evaluation(per_user, first.users, first.without_targets, first.seconds, whole_split=whole_split)
