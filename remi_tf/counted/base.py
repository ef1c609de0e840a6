"""What a counted model is: the training users' sequences in once, then a history in and a score for every item out."""

import dataclasses
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from remi_tf.counted.memory import available_memory, refuse_larger
from remi_tf.data.dataset.interactions import Interactions
from remi_tf.settings.encoders import EncoderSettings


class CountedModel(tf.Module):
    """Base of all counted models. Everything that they know is in `tables`, which checkpoints and exports hold.

    A subclass makes its tables in `__init__`, fills them in `count` and reads them in `scores`.

    Attributes:
      max_history: the largest number of history items that are read.
      num_items: I, padding not counted.
      needs: names of features that `scores` needs next to the history: none.
      score_meaning: what a score is, in words.
      smaller: what takes less memory, in words, of a model that says how much it needs.

    Args:
      settings: its options.
      num_items: I.
    """

    needs: tuple[str, ...] = ()
    score_meaning: ClassVar[str]
    smaller: ClassVar[str] = ""

    def __init__(self, settings: Any, num_items: int):
        super().__init__("counted")
        self.settings, self.num_items, self.max_history = settings, num_items, settings.max_history

    @classmethod
    def bytes_needed(cls, settings: Any, num_items: int) -> int:
        """About how many bytes the tables take while they are counted; 0 where that is next to nothing."""
        return 0

    @classmethod
    def refuse(cls, settings: Any, num_items: int) -> None:
        """Raise InputError if a catalogue of this size cannot be counted here, before any table is made."""
        what = f"--model_type {settings.model_type}: its table for {num_items:,} items"
        refuse_larger(what, cls.bytes_needed(settings, num_items), available_memory(), cls.smaller)

    @property
    def tables(self) -> dict[str, tf.Variable]:
        """Name → what was counted."""
        raise NotImplementedError

    @property
    def user_bytes(self) -> int:
        """About how many bytes the scores of one user take while they are computed."""
        return 4 * (self.num_items + 1)

    def count(self, train: Interactions, settings: EncoderSettings | None = None) -> None:
        """Fill the tables from the training users' sequences.

        Args:
          settings: other options than those given so far. What decides the sizes of tables cannot change.
        """
        raise NotImplementedError

    def scores(self, history: tf.Tensor) -> tf.Tensor:
        """`[B, I + 1]` float32 score of each item; all 0 for an empty history. The value for padding means nothing.

        history: `[B, max_history]` int32 rows, oldest first, right-padded with 0.
        """
        raise NotImplementedError

    def similar(self, row: int) -> np.ndarray | None:
        """`[I + 1]` float32: how near each item is to that of a row, 0 = not at all. None if the model cannot tell."""
        return None


class OverHistory(CountedModel):
    """score(i) = Σ_l decay^age(l) · table[x_l, i], with age 0 for the newest item of the history.

    A subclass counts the table in `count_table`.
    """

    def __init__(self, settings: Any, num_items: int):
        super().__init__(settings, num_items)
        self.age_weights = tf.Variable(tf.zeros([self.max_history]), trainable=False, name="age_weights")
        self._counted: Any = None
        self._train: Interactions | None = None

    def count(self, train: Interactions, settings: EncoderSettings | None = None) -> None:
        """See the base class. The table is not counted again where only `decay` is another one."""
        self.settings = settings or self.settings
        ages = np.arange(self.max_history)
        self.age_weights.assign((self.settings.decay**ages).astype(np.float32))
        of_table = dataclasses.replace(self.settings, decay=1.0)
        if self._train is not train or self._counted != of_table:
            self.count_table(train)
            self._train, self._counted = train, of_table

    def count_table(self, train: Interactions) -> None:
        """Fill the table, by `self.settings`."""
        raise NotImplementedError

    def weighted(self, history: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """The items of a batch of histories end to end: user `[m]` int64, row `[m]` int32 and weight `[m]` float32."""
        places = tf.where(history > 0)  # [m, 2] user, slot
        lengths = tf.reduce_sum(tf.cast(history > 0, tf.int64), axis=1)  # [B]
        ages = tf.gather(lengths, places[:, 0]) - 1 - places[:, 1]  # [m]
        return places[:, 0], tf.gather_nd(history, places), tf.gather(self.age_weights, ages)
