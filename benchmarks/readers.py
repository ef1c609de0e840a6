"""Question: can DuckDB or Polars take the place of our readers of raw logs?

    pip install -e ".[dev]"        # DuckDB and Polars are for tests and measurements; the package does not need them
    python benchmarks/readers.py [--rows 5000000] [--show WORD]

Every input of reader_inputs.py is read by `read_log`, by DuckDB and by Polars, with bad rows skipped and again with bad
rows stopping. The table says which rows came, whether each bad row was named by line and value, and what was lost
without a word. --rows 0 leaves out the large files; --show prints what was read and said of inputs with this word.

The other two get help. They are told the columns, the separator and whether there is a header. DuckDB reads whole
times as UBIGINT, so that negative ones are rejected. What they let through is then checked by value: empty ids, line
breaks in ids, times out of range. Polars numbers its rows; the line is taken to be this number plus 1, plus the header.
"""

import argparse
import importlib.util
import json
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from benchmarks.reader_inputs import UIT, Case, Row, field_inputs, inputs_of_tests, large
from remi_tf.data.tables import rows as row_rules
from remi_tf.data.tables.layouts import Columns, Layout, TextForm
from remi_tf.data.tables.reading import read_log
from remi_tf.errors import InputError


@dataclass
class Outcome:
    """rows: what came; named: line → message; found: bad values without a line; error: why nothing came."""

    rows: list[Row] = field(default_factory=list)
    named: dict[int, str] = field(default_factory=dict)
    found: int = 0
    error: str = ""


def ours(case: Case, path: Path, skip: bool) -> Outcome:
    """remi_tf.data.tables."""
    of = [name if case.header else str(case.columns.split(",").index(name)) for name in UIT.split(",")]
    unit = "iso" if case.times == "iso" else "s"
    keep = (case.keep[0], (case.keep[1],)) if case.keep else None
    layout, form = Layout(Columns(*of), header=case.header, keep=keep), TextForm(case.separator)
    try:
        log = read_log([path], layout, time_unit=unit, form=form, on_bad_row="skip" if skip else "stop")
    except InputError as error:
        return Outcome(error=str(error))
    users, items = log.user_ids.to_pylist(), log.item_ids.to_pylist()
    times = [] if log.times is None else (log.times / (1e6 if unit == "iso" else 1)).tolist()
    rows = [(users[u], items[i], t) for u, i, t in zip(log.users, log.items, times, strict=True)]
    lines = [(re.search(r"line (\d+)", note), note) for note in log.notes]
    return Outcome(rows, {int(line[1]): note for line, note in lines if line})


def duckdb(case: Case, path: Path, skip: bool) -> Outcome:
    """DuckDB's read_csv with its table of rejected rows, or its read_json."""
    import duckdb as db

    con, kinds = db.connect(), {"whole": "UBIGINT", "fraction": "DOUBLE", "iso": "TIMESTAMPTZ"}
    types = {name: kinds[case.times] if name == "time" else "VARCHAR" for name in case.columns.split(",")}
    if case.file.endswith(".jsonl"):
        call = f"read_json('{path}', format='newline_delimited', columns={types}, ignore_errors={skip})"
    else:
        call = (
            f"read_csv('{path}', auto_detect=false, header={case.header}, delim='{case.separator}', quote='\"', "
            f"escape='\"', nullstr='\\N', columns={types}, store_rejects={skip})"
        )
    moment = "epoch(time)" if case.times == "iso" else "time"
    where = f" where {case.keep[0]} = '{case.keep[1]}'" if case.keep else ""
    try:
        rows = con.execute(f'select "user", item, {moment} from {call}{where}').fetchall()
        rejected = "select line, csv_line || ' ' || error_message from reject_errors"
        named = con.execute(rejected).fetchall() if "store_rejects=True" in call else []
    except db.Error as error:
        return Outcome(error=str(error))
    good, bad = sift(list(enumerate(rows)))
    said = "" if skip or not bad else f"a bad value: {bad[0][1]}"
    return Outcome(good, dict(named), len(bad), said)


def polars(case: Case, path: Path, skip: bool) -> Outcome:
    """Polars: everything as text, rows numbered; under `skip` what is missing or too much is let through."""
    import polars as pl

    names = case.columns.split(",")
    form: dict[str, Any] = {"has_header": case.header, "separator": case.separator, "ignore_errors": skip}
    form |= {"truncate_ragged_lines": skip, "infer_schema": False, "empty_string_is_null": False}
    try:
        if case.file.endswith(".jsonl"):
            frame = pl.read_ndjson(path, schema=dict.fromkeys(names, pl.String), ignore_errors=skip).with_row_index(
                "row"
            )
        else:
            frame = pl.read_csv(path, row_index_name="row", **form)
            frame = frame if case.header else frame.rename(dict(zip(frame.columns[1:], names, strict=True)))
        if case.keep:
            frame = frame.filter(pl.col(case.keep[0]) == case.keep[1])
        text = pl.col("time").str.strip_chars()
        iso = text.str.to_datetime(strict=False, time_zone="UTC").dt.epoch("us") / 1e6
        moment = iso if case.times == "iso" else text.cast(pl.Float64, strict=False)
        found = frame.select("row", "user", "item", "time", moment=moment).rows()
    except (Exception, pl.exceptions.PanicException) as error:  # a panic of its Rust side is no Exception
        return Outcome(error=str(error))
    rows = [(row, (user, item, text if value is None else value)) for row, user, item, text, value in found]
    good, bad = sift([(row, values) for row, values in rows if any(values)])  # a blank line comes as an empty row
    first = 1 + (case.header and not case.file.endswith(".jsonl"))
    named = {row + first: repr(values) for row, values in bad}
    return Outcome(good, named, error="" if skip or not named else f"line {min(named)}: {named[min(named)]}")


def sift(rows: list[tuple[int, tuple]]) -> tuple[list[Row], list[tuple[int, tuple]]]:
    """(rows that can be used, the others with their numbers), by our rules for values."""
    good, bad = [], []
    for number, row in rows:
        try:
            if row[2] is None or isinstance(row[2], str):
                raise row_rules.BadRow("time", "not a number")
            for text in row[:2]:
                row_rules.check_id(text or "", "id")
            row_rules.check_time(row[2], row[2], "time", "s")
            good.append((row[0].strip(), row[1].strip(), float(row[2])))
        except row_rules.BadRow:
            bad.append((number, row))
    return good, bad


READERS: dict[str, Callable[[Case, Path, bool], Outcome]] = {"ours": ours, "duckdb": duckdb, "polars": polars}


def verdict(case: Case, skip: Outcome, stop: Outcome) -> str:
    """In words: the rows under `skip`, the names of bad rows, and what `stop` said of the first of them."""
    want, got = Counter(case.kept), Counter(skip.rows)
    lost, wrong = sum((want - got).values()), sum((got - want).values())
    if skip.error:
        return f"REFUSED: {' '.join(skip.error.split())[:90]}"
    said = (
        "rows right"
        if skip.rows == case.kept
        else f"ROWS {lost} lost, {wrong} wrong"
        if want != got
        else "ORDER differs"
    )
    unsaid = len(case.kept) + len(case.bad) - (len(skip.rows) - wrong) - len(skip.named) - skip.found
    said += f", {unsaid} SILENTLY" if unsaid > 0 else ""
    if case.bad:
        lines = [line for line in case.bad if line in skip.named]
        values = sum(case.bad[line] in skip.named[line] for line in lines)
        said += f"; {len(lines)} of {len(case.bad)} lines named" + f", {values} with value" * (values < len(lines))
        said += f", {skip.found} found without line" * (skip.found > 0)
        named = re.search(rf"line:? {next(iter(case.bad))}\b", stop.error, re.IGNORECASE)
        said += f"; stop {'names' if named else 'says no line' if stop.error else 'LETS IT PASS'}"
    elif stop.error:
        said += "; stop REFUSES"
    other = len(set(skip.named) - set(case.bad))
    return said + f"; {other} named at a WRONG line" * (other > 0)


def peak_mb() -> float:
    """The most memory that this process has held, in MB (Linux)."""
    return int(Path("/proc/self/status").read_text(encoding="ascii").split("VmHWM:")[1].split()[0]) / 1024


def timed(reader: str, path: str) -> None:
    """One reading of a large file in this process, ids numbered and times as integers; prints JSON."""
    if reader == "ours":

        def read() -> Any:
            return read_log([path], Layout(Columns(*UIT.split(","))), on_bad_row="skip")

    elif reader == "duckdb":
        import duckdb as db

        types = {"user": "VARCHAR", "item": "VARCHAR", "time": "UBIGINT"}
        csv = f"read_csv('{path}', auto_detect=false, header=true, columns={types}, store_rejects=true)"

        def read() -> Any:
            table = db.connect().sql(f"select * from {csv}").to_arrow_table()
            return [table.column(i).combine_chunks().dictionary_encode() for i in (0, 1)], table.column(2).to_numpy()
    else:
        import polars as pl

        def read() -> Any:
            types: Any = {"user": pl.Categorical, "item": pl.Categorical, "time": pl.Int64}
            return pl.read_csv(path, schema=types, ignore_errors=True)

    before, begin, cpu = peak_mb(), time.perf_counter(), time.process_time()
    found = read()
    seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu
    kept = len(found[1] if reader == "duckdb" else found)
    print(json.dumps({"seconds": seconds, "cpu": cpu, "before": before, "peak": peak_mb(), "rows": kept}))


def main() -> None:
    """Print the table of inputs, then speed and memory."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5_000_000, help="of the large files; 0 = none (default: 5,000,000)")
    parser.add_argument("--repeats", type=int, default=3, help="of each timing; the fastest counts (default: 3)")
    parser.add_argument("--show", help="print what was read and said of the inputs that have this word in their names")
    parser.add_argument("--timed", nargs=2, help=argparse.SUPPRESS)
    flags = parser.parse_args()
    if flags.timed:
        return timed(*flags.timed)
    row_rules.SHOWN_EXAMPLES = sys.maxsize  # name every bad row, not the first three
    missing = [name for name in ("duckdb", "polars") if importlib.util.find_spec(name) is None]
    print("".join(f"{name}: left out, it is not installed (pip install {name})\n" for name in missing), end="")
    readers = [name for name in READERS if name not in missing]
    print(", ".join(f"{name} {version(name)}" for name in ("pyarrow", *readers[1:])))
    with tempfile.TemporaryDirectory() as folder:
        for case in [*inputs_of_tests(), *field_inputs()]:
            path = Path(folder, case.file)
            path.write_bytes(case.data)
            print(f"\n{case.name}")
            for name in readers:
                skip, stop = READERS[name](case, path, True), READERS[name](case, path, False)
                print(f"  {name:7}{verdict(case, skip, stop)}")
                if flags.show and flags.show in case.name:
                    print(f"    {skip.rows[:9]}\n    {list(skip.named.items())[:9]}\n    {stop.error}")
        for name, every in (("clean.csv", 0), ("bad.csv", 10_000), ("clean.csv.gz", 0)) if flags.rows else ():
            path = Path(folder, name)
            large(path, flags.rows, every)
            print(f"\n{name}: {flags.rows:,} rows, {path.stat().st_size / 1e6:,.0f} MB, a bad row in {every or 'none'}")
            command = [sys.executable, __file__, "--timed"]
            runs: dict[str, list[dict[str, float]]] = {reader: [] for reader in readers}
            for _ in range(flags.repeats):
                for reader in readers:
                    run = subprocess.run([*command, reader, str(path)], capture_output=True, text=True, check=True)
                    runs[reader].append(json.loads(run.stdout))
            for reader in readers:
                best = min(runs[reader], key=lambda run: run["seconds"])
                print(
                    f"  {reader:7}{best['rows']:,} rows, {best['seconds']:.2f} s wall, {best['cpu']:.2f} s CPU, "
                    f"peak {best['peak']:,.0f} MB ({best['peak'] - best['before']:,.0f} MB more than before)"
                )
            path.unlink()
    return None


if __name__ == "__main__":
    main()
