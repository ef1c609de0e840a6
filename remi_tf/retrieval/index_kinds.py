"""The kinds of index: what each one takes, and which one a catalogue gets. Loads neither Faiss nor numpy."""

from remi_tf.errors import InputError

KINDS = ("flat", "hnsw", "ivf", "ivfpq")
FLAT_ITEMS = 50_000
"""Up to this many items, exact search is fast enough (64 dimensions: about a millisecond per interest and core)."""
LINKS, CONSTRUCTION_EFFORT = 32, 200  # HNSW: links per item (twice as many on the lowest level), candidates at build
CODE_BYTES, CODES = 32, 256  # IVF-PQ: bytes per item (at most one per two dimensions), values of a byte
SAMPLE = 128  # IVF: items per cell that the cells' centres are learnt from
CELLS = (16, 32, 64, 128, 256, 512)
EFFORTS = {"flat": (1,), "hnsw": (64, 128, 256, 512, 1024), "ivf": CELLS, "ivfpq": CELLS}
"""What a search may look at, smallest first: candidates (HNSW), cells (IVF)."""
OVERFETCH = {"flat": 1, "hnsw": 1, "ivf": 1, "ivfpq": 8}
"""Items that an interest fetches for each one wanted: more if coded vectors (PQ) make scores inexact."""
MEMORY_MB, RECALL_AT, MIN_RECALL = 4096, 50, 0.97
"""Defaults for building an index: memory it may take, the n of recall@n, and the recall it must reach."""


def size_bytes(kind: str, num_items: int, dim: int) -> int:
    """Approximate memory of an index, in bytes."""
    vector = 4 * dim
    item = {"flat": vector, "hnsw": vector + 4 * (2 * LINKS + 4), "ivf": vector + 12, "ivfpq": code_bytes(dim) + 8}
    centres = 4 * (dim + 1) * num_cells(num_items) if kind.startswith("ivf") else 0
    return num_items * item[kind] + centres


def choose_kind(num_items: int, dim: int, memory_bytes: int) -> str:
    """The exact kind for small catalogues, otherwise the fastest kind that fits into `memory_bytes`.

    Raises:
      InputError: no kind fits.
    """
    kinds = KINDS if num_items <= FLAT_ITEMS else KINDS[1:]
    for kind in kinds:
        if size_bytes(kind, num_items, dim) <= memory_bytes:
            return kind
    raise InputError(
        f"--memory_mb {memory_bytes >> 20}: {num_items:,} items of {dim} dimensions need at least "
        f"{-(-size_bytes(KINDS[-1], num_items, dim) >> 20)} MB (ivfpq)"
    )


def num_cells(num_items: int) -> int:
    """Cells of an IVF index."""
    return max(1, min(int(4 * num_items**0.5), num_items // 40))


def code_bytes(dim: int) -> int:
    """Bytes of an item's code in an IVF-PQ index. It divides `dim`."""
    return max(size for size in range(1, CODE_BYTES + 1) if dim % size == 0 and (2 * size <= dim or size == 1))
