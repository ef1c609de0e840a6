"""The inputs of benchmarks/readers.py: every kind that the tests of the readers hold, and three from the field."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Row = tuple[str, str, float]
UIT = "user,item,time"
JSON_UIT = '{"user": "u", "item": "i", "time": 5}'


@dataclass(frozen=True)
class Case:
    """An input. kept: the rows that must come; bad: physical line → what a message must show of it."""

    name: str
    data: bytes
    kept: list[Row]
    bad: dict[int, str] = field(default_factory=dict)
    file: str = "log.csv"
    columns: str = UIT  # all columns of the file, in order
    separator: str = ","
    header: bool = True
    times: str = "whole"  # or fraction, iso
    keep: tuple[str, str] | None = None


def make(name: str, text: str, kept: list[Row], bad: dict[int, str] | None = None, **more: Any) -> Case:
    """A case of text; a lone surrogate in it stands for a byte that is not UTF-8."""
    return Case(name, text.encode("utf-8", "surrogateescape"), kept, bad or {}, **more)


def inputs_of_tests() -> list[Case]:
    """What tests/data/ hold: forms of text, bad rows, JSON lines, packed files."""
    return [*_forms(), *_bad_rows(), *_json(), *_packed()]


def _forms() -> list[Case]:
    """Text that is right, in all its forms."""
    found = []
    two = [("a", "007", 5.0), ("b", "7", 6.0)]
    for separator in (",", "\t", ";", "|", "::"):
        text = "\ufeff" + "\r\n".join(["time?x?item?user", "5??007?a", "", "6?q?7?b"]).replace("?", separator)
        more = {"columns": "time,x,item,user", "separator": separator, "file": "log.txt"}
        found.append(make(f"BOM, CRLF, blank line, separator {separator!r}", text, two, **more))
    ids = ["007", "1e5", "NA", "null", "a b", " c ", "1.0", "é", "#x"]
    text = UIT + "\n" + "".join(f"{one},{one},5\n" for one in ids)
    kept = [(one.strip(), one.strip(), 5.0) for one in ids]  # white space around an id is none of it
    found.append(make("ids as written", text, kept))
    text = UIT + "\n" + "".join(f"a,b,{t}\n" for t in ("978300019.5", "978300020"))
    kept = [("a", "b", 978300019.5), ("a", "b", 978300020.0)]
    found.append(make("a fraction among whole times", text, kept))
    found.append(make("times known to have fractions", text, kept, times="fraction"))
    text = UIT + "\na,b,2000-12-31T22:00:19Z\na,c,2000-12-31 22:00:19.5\na,d,2001-01-01\na,e,31.12.2000\n"
    iso = [("a", "b", 978300019.0), ("a", "c", 978300019.5), ("a", "d", 978307200.0)]
    found.append(make("ISO times in three forms, one bad", text, iso, {5: "31.12.2000"}, times="iso"))
    found.append(
        make("no header, columns by index", "i,5,u\n", [("u", "i", 5.0)], header=False, columns="item,time,user")
    )
    text = "time,user,event,item\n5,9,buy,8\n6,2,view,3\n7,,buy,8\n8,9,view,8\n"
    kept = [("2", "3", 6.0), ("9", "8", 8.0)]
    found.append(make("rows of other events", text, kept, columns="time,user,event,item", keep=("event", "view")))
    text = UIT + ',note\n"a,b","i ""1""",5,"two\nlines"\n' + "".join(f'u{k},i,{k},"a\nb, c"\n' for k in range(99))
    kept = [("a,b", 'i "1"', 5.0), *((f"u{k}", "i", float(k)) for k in range(99))]
    found.append(make("quoted separators, quotes, line breaks", text, kept, columns=UIT + ",note"))
    return found


def _bad_rows() -> list[Case]:
    """One bad row at line 533, after a blank line, as in the tests; then files with several."""
    good = [(f"u{k}", "i", float(k)) for k in range(530)] + [("last", "i", 9.0)]
    before = UIT + "\n\n" + "".join(f"u{k},i,{k}\n" for k in range(530))
    found = [
        make(f"bad row {bad!a}", f"{before}{bad}\nlast,i,9\n", good, {533: shown})
        for bad, shown in (
            *(("u,i,abc", "abc"), ("u,i,", ""), ("u,i", "2"), ("u,i,5,6", "4"), (",i,5", ""), ("u, ,5", "")),
            *(("u,i,-5", "-5"), ("u,i,nan", "nan"), ("u,i,inf", "inf"), ("u,i,1506826828020", "1506826828020")),
            *(("u,i\udcff,5", "xff"), ("u\ri,i,5", "u"), ('"u,i,5', "")),
        )
    ]
    lines = [f"u{k % 7},i{k},{k}" if k % 50 else f"u,i,bad{k}" for k in range(1, 400)]
    kept = [(f"u{k % 7}", f"i{k}", float(k)) for k in range(1, 400) if k % 50]
    found.append(make("7 bad times", "\n".join([UIT, *lines]), kept, {k + 1: f"bad{k}" for k in range(50, 400, 50)}))
    text = UIT + ',note\na,b,5,"two\nlines"\nc,d,x,e\nf,,6,e\n'
    name, bad = "bad time and empty id after a quoted line break", {4: "x", 5: ""}
    found.append(make(name, text, [("a", "b", 5.0)], bad, columns=UIT + ",note"))
    return found


def _json() -> list[Case]:
    """JSON lines: one bad line between good ones."""
    good = '{"time": 5, "user": "u", "item": "7", "more": [1, {"a": 2}]}\n'
    two = [("u", "7", 5.0)] * 2
    found = [
        make(f"JSON line {line}", f"{good}\n{line}\n{good}", two, {3: shown}, file="log.jsonl")
        for line, shown in (
            *(('{"user": "u", "item": "i"}', "time"), ('{"user": "u", "item": "", "time": 5}', "item")),
            *(('{"user": "u", "item": "i", "time": "x"}', "x"), ('{"user": ["u"], "item": "i", "time": 5}', "['u']")),
            *(('{"user": "u"', '{"user": "u"'), ("[1]", "[1]"), ('{"user": "\udcff", "item": "i", "time": 5}', "xff")),
        )
    ]
    text = '{"user": 12, "item": 7.0, "time": 5}\n{"user": 13, "item": 8.0, "time": 6}\n'
    kept = [("12", "7", 5.0), ("13", "8", 6.0)]
    found.append(make("JSON ids that are numbers, 7.0 for 7", text, kept, file="log.jsonl"))
    found.append(make("Python literals, one a line", JSON_UIT.replace('"', "'"), [("u", "i", 5.0)], file="log.jsonl"))
    return found


def _packed() -> list[Case]:
    """Compressed, archived and cut-off files."""
    text = UIT + "\n" + "".join(f"u{k},i{k},{k}\n" for k in range(50_000))
    rows = [(f"u{k}", f"i{k}", float(k)) for k in range(50_000)]
    pack: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}
    found = [Case(f".{end}", packer(text.encode()), rows, file=f"log.csv.{end}") for end, packer in pack.items()]
    parts = {"d/2.csv": UIT + "\nc,d,2\nc,d,x\n", "d/1.csv": UIT + "\na,b,1\n", "d/notes.md": "?"}
    tar, archive = io.BytesIO(), io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w:xz") as out:
        for name, part in parts.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(part)
            out.addfile(entry, io.BytesIO(part.encode()))
    with zipfile.ZipFile(archive, "w") as packed:
        for name, part in parts.items():
            packed.writestr(name, part)
    for file, data in (("log.tar.xz", tar), ("log.zip", archive)):
        two = [("a", "b", 1.0), ("c", "d", 2.0)]
        found.append(Case(f"{file}: two members, one bad row", data.getvalue(), two, {3: "x"}, file=file))
    cut = gzip.compress(text.encode())[:-20_000]
    whole = _unpacked(cut).rpartition(b"\n")[0].count(b"\n")
    found.append(Case("cut-off .gz", cut, rows[:whole], {whole + 1: ""}, file="log.csv.gz"))
    return found


def _unpacked(data: bytes) -> bytes:
    """What can be had of a gzip file that breaks off."""
    return zlib.decompressobj(31).decompress(data)


def field_inputs() -> list[Case]:
    """Inputs that came with reports: quotes in a tab-separated file, NaN in JSON, a review of 150 lines."""
    titles = ["plain", '"Odd Al" hits', '12" remix', '"Blue', 'Live at "X"', '"', "'Round ten"] * 20
    text = "user\titem\ttitle\ttime\n" + "".join(f"u\ti{k}\t{t}\t{k}\n" for k, t in enumerate(titles))
    rows = [("u", f"i{k}", float(k)) for k in range(len(titles))]
    more = {"columns": "user,item,title,time", "separator": "\t", "file": "log.tsv"}
    found = [make("tab-separated titles with a quote in them", text, rows, **more)]
    text = "\n".join([JSON_UIT, JSON_UIT.replace('"i"', "NaN"), JSON_UIT]) + "\n"
    found.append(make('JSON {"item": NaN}', text, [("u", "i", 5.0)] * 2, {2: "item"}, file="log.jsonl"))
    review = "\n".join(f"line, {k}" for k in range(150))
    text = f'user,item,review,time\nu,i,ok,1\nu,i,"{review}",2\nu,i,ok,3\nu,,ok,4\nu,i,ok,5\n'
    rows = [("u", "i", float(k)) for k in (1, 2, 3, 5)]
    name, bad = "a quoted field of 150 lines, an empty id below", {154: "item"}
    found.append(make(name, text, rows, bad, columns="user,item,review,time"))
    return found


def large(path: Path, rows: int, bad_every: int) -> None:
    """Write a log of about 24 bytes a row, with a bad time in each `bad_every`-th (0: none); .gz by the name."""
    with gzip.open(path, "wt", compresslevel=1) if path.suffix == ".gz" else open(path, "w") as out:
        out.write(UIT + "\n")
        for k in range(rows):
            when = "x" if bad_every and k % bad_every == 7 else 1_500_000_000 + k
            out.write(f"{k * 7919 % (rows // 10 + 1)},{k * k % 50_021},{when}\n")
