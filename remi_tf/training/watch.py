"""Says so when training makes a model worse: a loss far above where it began, or validations that never improve."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from absl import logging

from remi_tf.training.measurements import read_metrics

FAR = 10.0


class Watch:
    """Looks at the mean loss of each interval between validations, and at the end of the patience.

    Args:
      path: the run folder; measurements that are there already count.
      parts: the loss parts that are looked at. Penalties may well grow.
      num_items: I; a model that knows nothing has a cross-entropy of about ln I at most.
      learning_rate: for the messages.
    """

    def __init__(self, path: Path, parts: Sequence[str], num_items: int, learning_rate: float):
        self.path, self.parts, self.learning_rate = path, parts, learning_rate
        self.guess = max(1.0, math.log(num_items + 1))
        self.first: float | None = None
        self.first_validation: int | None = None
        self._said = False
        for line in read_metrics(path):
            losses = {part: line[f"loss_{part}"] for part in parts if isinstance(line.get(f"loss_{part}"), float)}
            self.see(line["step"], losses, quiet=True)

    def see(self, step: int, losses: Mapping[str, float], quiet: bool = False) -> None:
        """Look at a validation: the mean loss parts of the steps before it, none before the first step."""
        if self.first_validation is None:
            self.first_validation = step
        if not all(part in losses for part in self.parts):
            return
        loss = sum(losses[part] for part in self.parts)
        before = [self.guess, *([] if self.first is None else [max(self.first, 1.0)])]
        if self.first is None:
            self.first = loss
        if loss > FAR * min(before) and not self._said:
            self._said = True
            if not quiet:
                logging.warning(
                    "step %s: the mean loss since the last validation is %.3g, where a model that knows nothing has "
                    "about %.3g and the first interval had %.3g: training makes it worse; start again with a smaller "
                    "--learning_rate (now %s)", step, loss, self.guess, self.first, self.learning_rate,
                )  # fmt: skip

    def end(self, best_step: int) -> None:
        """Called when the patience is used up: say if the first validation was never beaten."""
        if best_step == self.first_validation:
            logging.warning(
                "no validation was better than the first one, of step %s: what was learnt since has not helped; try a "
                "smaller --learning_rate (now %s)", best_step, self.learning_rate,
            )  # fmt: skip
