"""The code of a user's value in the served graph, as data/dataset/profiles.py has it."""

import math

import tensorflow as tf

from remi_tf.data.dataset.profiles import ProfileColumn

NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
DAY = r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})([T\s].*)?"


class ProfileCodes(tf.Module):
    """[batch] texts of one column → [batch] int32 codes, 0 where a text is no value of it.

    Of a date its day counts, year first; what follows the day is not read.
    """

    def __init__(self, column: ProfileColumn):
        super().__init__("profile_codes")
        self.kind, self.edges = column.kind, column.edges
        self.numbers = names_table(column.values) if column.kind == "category" else None

    def __call__(self, texts: tf.Tensor) -> tf.Tensor:
        if self.numbers is not None:
            return self.numbers.lookup(texts)
        texts = tf.strings.strip(texts)
        is_one, values = _days(texts) if self.kind == "date" else _numbers(texts)
        above = values[:, None] >= tf.constant(self.edges, tf.float64, [len(self.edges)])
        codes = 1 + tf.reduce_sum(tf.cast(above, tf.int32), axis=1)
        return tf.where(is_one, codes, 0)


def names_table(names: tuple[str, ...] | list[str]) -> tf.lookup.StaticHashTable:
    """Name → its place from 1; 0 for unknown names."""
    values, numbers = tf.constant(names, tf.string), tf.range(1, len(names) + 1)
    return tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(values, numbers), default_value=0)


def _numbers(texts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """[batch] whether a text is a number, and [batch] float64 which."""
    is_one = tf.strings.regex_full_match(texts, NUMBER)
    values = tf.strings.to_number(tf.where(is_one, texts, "0"), tf.float64)
    return is_one & (tf.abs(values) < math.inf), values


def _days(texts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """[batch] whether a text is a date, and [batch] float64 days since 1970.

    The year begins in March, so that leap days are its last; an era has 400 years and 146,097 days.
    """
    is_one = tf.strings.regex_full_match(texts, DAY)
    dates = tf.where(is_one, texts, "1970-01-01")
    year, month, day = (
        tf.strings.to_number(tf.strings.regex_replace(dates, f"^{DAY}$", rf"\{group}"), tf.int64) for group in (1, 2, 3)
    )
    is_one &= (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    year -= tf.cast(month <= 2, tf.int64)
    of_era = year - year // 400 * 400
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    days = year // 400 * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468
    return is_one, tf.cast(days, tf.float64)
