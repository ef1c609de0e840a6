"""Writes the golden numbers of this folder: `python -m tests.golden.generate`, from the repository's root.

Small random weights and inputs go through the equations of the papers as the reference_*.py files write them out, in
plain NumPy with 64 bits: no TensorFlow, and nothing of remi_tf. Gradients are central finite differences. What the
papers hold constant in the gradient (routing shares, IHN weights) is computed once and kept.

Each file is one case. Its arrays: `in.NAME` inputs, `w.NAME` weights, `out.NAME` values, `grad.NAME` the gradient of
`out.total` with respect to the input or weight of that name. Read it with `load`: in the file all floats are one array
end to end, and so are all integers, because a small array takes more bytes for its name than for its numbers.
"""

import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.golden.cases_encoders import ENCODER_CASES
from tests.golden.cases_objective import METRIC_CASES, OBJECTIVE_CASES
from tests.golden.drawing import Arrays

FOLDER = Path(__file__).parent
CASES: dict[str, Callable[[np.random.RandomState], Arrays]] = {**ENCODER_CASES, **OBJECTIVE_CASES, **METRIC_CASES}
KINDS = {"f": np.float32, "i": np.int32}


def make(name: str) -> Arrays:
    """A case's arrays, in 32 bits. RandomState draws the same numbers in every version of NumPy."""
    arrays = CASES[name](np.random.RandomState(zlib.crc32(name.encode())))
    return {key: np.asarray(value).astype(KINDS[np.asarray(value).dtype.kind]) for key, value in arrays.items()}


def save(name: str) -> None:
    arrays = make(name)
    parts = {kind: [each.ravel() for each in arrays.values() if each.dtype == kind] for kind in KINDS.values()}
    layout = [" ".join([key, each.dtype.kind, *map(str, each.shape)]) for key, each in arrays.items()]
    packed = {kind: np.concatenate([*parts[dtype], np.zeros(0, dtype)]) for kind, dtype in KINDS.items()}
    np.savez_compressed(FOLDER / f"{name}.npz", layout=np.array("\n".join(layout).encode()), **packed)


def load(name: str) -> Arrays:
    """A case's arrays as they are committed."""
    with np.load(FOLDER / f"{name}.npz", allow_pickle=False) as file:
        layout, packed = file["layout"].item().decode(), {kind: file[kind] for kind in KINDS}
    arrays, read = {}, dict.fromkeys(KINDS, 0)
    for line in layout.splitlines():
        key, kind, *shape = line.split(" ")
        sizes = tuple(map(int, shape))
        end = read[kind] + int(np.prod(sizes, dtype=int))
        arrays[key], read[kind] = packed[kind][read[kind] : end].reshape(sizes), end
    return arrays


def main() -> None:
    for name in CASES:
        save(name)


if __name__ == "__main__":
    main()
