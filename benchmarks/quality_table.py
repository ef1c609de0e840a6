"""The table of results that benchmarks/quality.py writes: it grows by system and seed, as JSON and as Markdown."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import systems  # noqa: F401  # sets the import path

from remi_tf.errors import InputError
from remi_tf.evaluation.metrics import CUT_OFFS
from remi_tf.files import atomic_file, write_json
from remi_tf.locks import locked_beside
from remi_tf.manifests import read_object
from remi_tf.settings.exclusion import in_words

EXCLUDED, TOP_N = "exclude_history", "top_n"


def metrics_at(top_n: Sequence[int]) -> list[str]:
    """The columns of a table at these cut-offs."""
    return [f"{metric}@{n}" for n in top_n for metric in ("recall", "hit_rate", "ndcg")]


class Table:
    """The results so far, system by system and seed by seed, in OUTPUT.json and as OUTPUT.md.

    Args:
      output: OUTPUT, without the ending.
      about: what all results must have in common: data, split, budget, and how lists are judged.

    Raises:
      InputError: OUTPUT.json is damaged, or holds results of other data or of another budget.
    """

    def __init__(self, output: Path, about: Mapping[str, Any]):
        self.markdown, self.json = (output.with_name(output.name + suffix) for suffix in (".md", ".json"))
        self.content: dict[str, Any] = {**about, "systems": {}}
        self._read()

    def _read(self) -> None:
        """Read what OUTPUT.json holds now."""
        if not self.json.is_file():
            return
        remedy = "take another --output, or remove it"
        there = read_object(self.json, remedy)
        there.setdefault(EXCLUDED, False)  # tables of older versions, here and in the next line
        there.setdefault(TOP_N, list(CUT_OFFS))
        if not isinstance(there.get("systems"), dict):
            raise InputError(f"{self.json}: not a table of this script; {remedy}")
        for name, value in self.content.items():
            if name != "systems" and there.get(name) != value:
                raise InputError(
                    f"{self.json} holds results with {name} {there.get(name)}, this command has {value}; take "
                    "another --output"
                )
        self.content["systems"] = there["systems"]

    def add(self, system: str, seed: int, result: dict[str, Any]) -> None:
        """Add a result and write both files. It replaces an older one of the same system and seed.

        Several commands may add to one table: each waits for the others, and keeps what they have added.
        """
        with locked_beside(self.json, "writing it", wait=True):
            self._read()
            self._write(system, seed, result)

    def _write(self, system: str, seed: int, result: dict[str, Any]) -> None:
        seeds = self.content["systems"].setdefault(system, {})
        seeds[str(seed)] = result
        self.content["systems"][system] = dict(sorted(seeds.items(), key=lambda item: int(item[0])))
        rows = {f"`{name}`": list(found.values()) for name, found in self.content["systems"].items()}
        write_markdown(self.markdown, rows, self.content)
        write_json(self.json, self.content)


def write_markdown(path: Path, rows: Mapping[str, list[dict[str, Any]]], about: Mapping[str, Any]) -> None:
    """The table as a file, with a line on the lists. `about` has exclude_history and, perhaps, the cut-offs."""
    with atomic_file(path) as file:
        file.write(markdown(rows, about.get(TOP_N, CUT_OFFS)))
        file.write(f"\n{in_words(about[EXCLUDED], None).capitalize()}.\n")


def markdown(rows: Mapping[str, list[dict[str, Any]]], top_n: Sequence[int] = CUT_OFFS) -> str:
    """The table: one row for each system, mean ± standard deviation over its seeds.

    Args:
      rows: what stands in the first cell → the results of each seed.
    """
    metrics = metrics_at(top_n)
    columns = [*metrics, "seeds", "best at step", "steps", "seconds", "ms/step", "parameters"]
    lines = ["| system | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for name, results in rows.items():
        cells = [_spread([result[metric] for result in results]) for metric in metrics]
        cells.append(str(len(results)))
        for column in ("best_step", "steps", "seconds"):
            cells.append(f"{statistics.mean(result[column] for result in results):,.0f}")
        times = [result["ms_per_step"] for result in results if result["ms_per_step"] is not None]
        cells += [f"{statistics.mean(times):.1f}" if times else "–", f"{results[0]['parameters']:,}"]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _spread(values: list[float]) -> str:
    mean = f"{statistics.mean(values):.4f}".lstrip("0")
    return mean + (f" ± {statistics.stdev(values):.4f}".replace("± 0", "± ") if len(values) > 1 else "")
