"""Every way to damage one file of a folder that its loader should find."""

import itertools
from collections.abc import Iterator
from pathlib import Path


def damages(path: Path) -> Iterator[tuple[str, str]]:
    """Flip, cut, remove and swap the files below a folder; (what, which file) while it is so, mended afterwards."""
    files = sorted(file for file in path.rglob("*") if file.is_file() and file.stat().st_size)
    for file in files:
        whole = file.read_bytes()
        for place in sorted({0, len(whole) // 2, len(whole) - 1}):
            file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            yield f"a flip at byte {place}", file.name
        file.write_bytes(whole[: len(whole) // 2])
        yield "a cut", file.name
        file.unlink()
        yield "the loss", file.name
        file.write_bytes(whole)
    for one, other in itertools.pairwise(files):
        first, second = one.read_bytes(), other.read_bytes()
        if first != second:
            one.write_bytes(second)
            other.write_bytes(first)
            yield "a swap with the next", one.name
            one.write_bytes(first)
            other.write_bytes(second)
