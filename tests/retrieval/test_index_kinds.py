"""Which kind of index a catalogue gets."""

import pytest

from remi_tf.errors import InputError
from remi_tf.retrieval.index_kinds import choose_kind, code_bytes, size_bytes


def test_the_kind_is_exact_where_that_is_quick_and_else_what_fits_into_memory():
    assert choose_kind(1000, 64, 2**30) == "flat"
    million = {kind: size_bytes(kind, 1_000_000, 64) for kind in ("hnsw", "ivf", "ivfpq")}
    assert [choose_kind(1_000_000, 64, size) for size in million.values()] == list(million)
    with pytest.raises(InputError, match=r"--memory_mb 10: 1,000,000 items of 64 dimensions need at least \d+ MB"):
        choose_kind(1_000_000, 64, 10 << 20)


@pytest.mark.parametrize("dim", [1, 2, 7, 30, 64, 128])
def test_codes_divide_the_dimensions(dim):
    assert dim % code_bytes(dim) == 0
