"""The memory that is available here, asked before a table is made that may not fit."""

from pathlib import Path

from remi_tf.errors import InputError

GROUPS = (
    ("", "memory.max", "memory.current", "inactive_file"),
    ("memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)
"""Of version 2 and version 1 of Linux' control groups: folder, limit, use, and what of the use can be given back."""


def available_memory(root: Path = Path("/")) -> int | None:
    """Bytes that a process may still take, by the system and by the limit of its container; None if nobody tells.

    Args:
      root: where proc/meminfo and sys/fs/cgroup are.
    """
    found = [_rest_of_group(root / "sys/fs/cgroup" / folder, *names) for folder, *names in GROUPS]
    found.append(_lines(root / "proc/meminfo").get("MemAvailable:", -1) << 10)  # kB
    return min((rest for rest in found if rest >= 0), default=None)


def refuse_larger(what: str, needed: int, there: int | None, remedy: str) -> None:
    """Raise InputError if more bytes are needed than there are. None: nobody knows, so nothing is refused.

    Args:
      what: that needs them, with its flags.
      remedy: what to change.
    """
    if there is not None and needed > there:
        raise InputError(
            f"{what} needs about {in_words(needed)} of memory, and {in_words(there)} are available; {remedy}"
        )


def in_words(size: int) -> str:
    """Bytes → "1.5 GiB" or "20.0 MiB"."""
    return f"{size / 2**30:,.1f} GiB" if size >= 2**30 else f"{size / 2**20:.1f} MiB"


def _rest_of_group(group: Path, limit: str, used: str, cache: str) -> int:
    """Bytes until the limit of a group; -1 if it has none. Files that are cached give way."""
    try:
        most, now = ((group / name).read_text(encoding="ascii").strip() for name in (limit, used))
    except OSError:
        return -1
    return max(int(most) - int(now) + _lines(group / "memory.stat").get(cache, 0), 0) if most.isdecimal() else -1


def _lines(path: Path) -> dict[str, int]:
    """Name → number, of the lines of a file that are a name and a number; nothing if there is no such file."""
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except OSError:
        return {}
    return {words[0]: int(words[1]) for line in lines if len(words := line.split()) > 1 and words[1].isdecimal()}
