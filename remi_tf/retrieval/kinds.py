"""The kinds of index there are: what each takes, which one a catalogue gets. Loads neither Faiss nor numpy."""

from remi_tf.errors import InputError

KINDS = ("flat", "hnsw", "ivf", "ivfpq")
FLAT_ITEMS = 50_000
"""Up to so many items exact search is quick enough (64 dimensions: about a millisecond an interest and core)."""
LINKS, CONSTRUCTION_EFFORT = 32, 200  # HNSW: links an item (twice as many on the lowest level), candidates at build
CODE_BYTES, CODES = 32, 256  # IVF-PQ: bytes an item, at most one for two dimensions; values of a byte
SAMPLE = 128  # IVF: items a cell that the cells' centres are learnt from
CELLS = (16, 32, 64, 128, 256, 512)
EFFORTS = {"flat": (1,), "hnsw": (64, 128, 256, 512, 1024), "ivf": CELLS, "ivfpq": CELLS}
"""What a search may look at, least first: candidates (HNSW), cells (IVF)."""
OVERFETCH = {"flat": 1, "hnsw": 1, "ivf": 1, "ivfpq": 8}
"""Items an interest fetches for each one asked for: many where coded vectors (PQ) give inexact scores."""
MEMORY_MB, RECALL_AT, MIN_RECALL = 4096, 50, 0.97
"""Defaults of building one: memory it may take, the n of recall@n, and the recall it must reach."""


def size_bytes(kind: str, num_items: int, dim: int) -> int:
    """About how much memory an index takes."""
    vector = 4 * dim
    item = {"flat": vector, "hnsw": vector + 4 * (2 * LINKS + 4), "ivf": vector + 12, "ivfpq": code_bytes(dim) + 8}
    centres = 4 * (dim + 1) * num_cells(num_items) if kind.startswith("ivf") else 0
    return num_items * item[kind] + centres


def choose_kind(num_items: int, dim: int, memory_bytes: int) -> str:
    """Exact where that is quick, else the quickest kind that fits into `memory_bytes`.

    Raises:
      InputError: none fits.
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
    """Bytes of an item's code in an IVF-PQ index; divides the dimensions."""
    return max(size for size in range(1, CODE_BYTES + 1) if dim % size == 0 and (2 * size <= dim or size == 1))
