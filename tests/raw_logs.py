"""Raw logs to read: small files, archives, and what is read of them as rows."""

import io
import tarfile
import zipfile
from pathlib import Path

from remi_tf.data.tables.layouts import Columns, Layout
from remi_tf.data.tables.raw_log import RawLog
from remi_tf.data.tables.reading import read_log

LAYOUT = Layout(Columns("user", "item", "time"))
HEAD = "user,item,time\n"


def rows_of(log: RawLog) -> list[tuple]:
    """(user, item, time) as raw values, in file order."""
    times = [None] * len(log) if log.times is None else log.times.tolist()
    users, items = log.user_ids.to_pylist(), log.item_ids.to_pylist()
    return [(users[u], items[i], t) for u, i, t in zip(log.users, log.items, times, strict=True)]


def read_text(tmp_path: Path, text: str | bytes, name: str = "log.csv", layout=LAYOUT, **options) -> RawLog:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_log([path], layout, **options)


def make_archive(path: Path, files: dict[str, str]) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, text in files.items():
                archive.writestr(name, text)
        return path
    with tarfile.open(path, f"w:{path.suffix[1:]}") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
    return path
