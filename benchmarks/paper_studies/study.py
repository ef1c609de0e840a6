"""What a study is, and what it is asked for."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from quality import Budget, about
from quality_data import Data
from systems import System

if TYPE_CHECKING:
    from remi_tf.data.dataset.folder import Dataset

SERIAL_K = (2, 4, 6, 8)
"""Numbers of interests that REMI's paper tries (its tables 2 and 6)."""


@dataclass(frozen=True)
class Asked:
    """What the flags ask for. negatives, users: None where they are not given."""

    study: str
    data: Data
    budget: Budget
    seeds: tuple[int, ...]
    runs: Path
    jobs: int
    output: Path
    negatives: tuple[int, ...] | None = None
    users: int | None = None
    best_k: bool = False

    @property
    def about(self) -> dict[str, Any]:
        """What OUTPUT.json begins with."""
        return {"study": self.study, **about(self.data, self.budget)}

    @cached_property
    def dataset(self) -> "Dataset":
        """The dataset itself; its checksums were compared when it was found."""
        from remi_tf.data.dataset.folder import load_dataset

        return load_dataset(self.data.path, verify=False)

    def systems(self, flags: list[str]) -> list[System]:
        """Each system once, with the seeds that are asked for."""
        return [System.parse(text, self.seeds) for text in dict.fromkeys(flags)]


class Study(Protocol):
    """One figure or table.

    about: one line of --help.
    history: whether the lists for test users leave out the history, where --exclude_history is auto.
    options: the flags that only some studies have, of those that this one has.
    """

    about: str
    history: str
    options: tuple[str, ...]

    def measure(self, asked: Asked) -> int:
        """Train what is not trained yet, and write OUTPUT.json. Returns how many runs failed.

        Raises:
          InputError: the dataset cannot answer the question.
        """

    def draw(self, content: dict[str, Any], output: Path) -> None:
        """OUTPUT.png, and OUTPUT.md for a table, of what OUTPUT.json holds."""


def beside(output: Path, suffix: str) -> Path:
    """OUTPUT with an ending."""
    return output.with_name(output.name + suffix)


def at(metric: str, content: dict[str, Any]) -> str:
    """recall → recall@50: the metric at the largest cut-off of OUTPUT.json. Validation is always at 50."""
    return f"{metric}@{50 if metric.startswith('valid_') else content.get('top_n', [50])[-1]}"


def paper(model: str, *, ihn: bool = False, rr: bool = False, more: str = "") -> str:
    """A model with the papers' training, and REMI's two ideas or one of them: beta 1, lambda 100."""
    flags = f"{model} --remi --recipe paper" if ihn else f"{model} --recipe paper"
    if ihn != rr:  # --remi brings both
        flags += " --rr_lambda 100" if rr else " --rr_lambda 0"
    return f"{flags} {more}".rstrip()
