"""Flags that hold several ids."""

import pytest

from remi_tf.commands import id_flags
from remi_tf.errors import InputError


@pytest.mark.parametrize(
    ("flags", "history"),
    [
        (["a, b,,c"], ["a", "b", "c"]),
        (["a,b", "c d "], ["a,b", "c d "]),
        (['["a,b", 12, "c"]'], ["a,b", "12", "c"]),
        (["[7.0, 8]"], ["7", "8"]),
        ([""], []),
    ],
)
def test_ids_with_commas_can_be_given(flags, history):
    assert id_flags.parse_history(flags) == history


@pytest.mark.parametrize("value", ["[a,b]", "[1.5]", "[true]", "[[1]]"])
def test_a_list_that_is_not_one_of_ids_is_refused(value):
    with pytest.raises(InputError, match="--history"):
        id_flags.parse_history([value])
