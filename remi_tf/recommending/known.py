"""How much of what is asked is known to the catalogue, and what may be wrong where it is little."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa

from remi_tf.data.dataset.catalogue import ITEMS, Catalogue
from remi_tf.recommending.histories import Histories

EXAMPLES = 5
"""Unknown ids that a message shows."""

FEW = 0.5
"""A smaller share of known interactions is worth a warning."""


@dataclass
class Known:
    """Counts of interactions and users, and how many of them are known: a user is, by one known item.

    unknown: the first few unknown ids; as_users: interactions whose user has the id of an item.
    """

    interactions: int = 0
    known_interactions: int = 0
    users: int = 0
    known_users: int = 0
    as_users: int = 0
    unknown: list[str] = field(default_factory=list)

    @property
    def nothing(self) -> bool:
        """Whether there is something, and none of it is known."""
        return self.interactions > 0 and self.known_interactions == 0

    @property
    def little(self) -> bool:
        """Whether less than FEW of the interactions are known."""
        return self.known_interactions < FEW * self.interactions

    def add_users(self, histories: Histories, catalogue: Catalogue) -> None:
        """Count the users of some histories."""
        known = catalogue.vocabulary.rows(histories.items) > 0  # [n]
        before = np.concatenate([[0], np.cumsum(known)])[histories.offsets]
        self.users += len(histories.users)
        self.known_users += int((np.diff(before) > 0).sum())

    def add_items(self, items: Iterable[str], counts: np.ndarray, catalogue: Catalogue) -> None:
        """Count interactions: the ids of items, and how often each occurs. "" is padding."""
        texts = list(items)
        rows = catalogue.vocabulary.rows(texts)
        named = np.array([text != "" for text in texts], bool)
        self.interactions += int(counts[named].sum())
        self.known_interactions += int(counts[rows > 0].sum())
        for place in np.flatnonzero((rows == 0) & named & (counts > 0)):
            if len(self.unknown) >= EXAMPLES:
                break
            if texts[place] not in self.unknown:
                self.unknown.append(texts[place])

    def add_chunk(self, users: pa.DictionaryArray, items: pa.DictionaryArray, catalogue: Catalogue) -> None:
        """Count some rows of a log."""
        counts = [np.bincount(each.indices.to_numpy(), minlength=len(each.dictionary)) for each in (users, items)]
        self.add_items(items.dictionary.to_pylist(), counts[1], catalogue)
        self.as_users += int(counts[0][catalogue.vocabulary.rows(users.dictionary.to_pylist()) > 0].sum())

    def counts(self) -> str:
        """The counts in words."""
        return (
            f"{self.known_interactions:,} of {self.interactions:,} interactions and {self.known_users:,} of "
            f"{self.users:,} users are known"
        )

    def nothing_of(self, names: str, catalogue: Catalogue) -> str:
        """That nothing is known of the log in the files `names`, and why."""
        return f"{names}: no item of the {self.interactions:,} interactions is known; {self.why(catalogue)}"

    def why(self, catalogue: Catalogue) -> str:
        """Examples of what is unknown, what may be wrong with it, and where the known ids are listed."""
        parts = [f"not in the catalogue: {', '.join(map(repr, self.unknown))}"]
        if 2 * self.as_users > self.interactions:
            parts.append("the user column holds item ids: are the columns of users and items swapped?")
        elif hints := spellings(self.unknown, catalogue):
            parts += [f"{text!r} is unknown, {other!r} is known" for text, other in list(hints.items())[:2]]
        return f"{'; '.join(parts)}; the known ones are listed in {catalogue.path / ITEMS}"


def known_of(histories: Histories, catalogue: Catalogue, has_names: bool) -> Known:
    """The counts of histories that are in memory; has_names: the users are called by ids, not by their positions."""
    known = Known()
    codes, items = pd.factorize(histories.items)
    known.add_items(items, np.bincount(codes, minlength=len(items)), catalogue)
    known.add_users(histories, catalogue)
    if has_names:
        as_items = catalogue.vocabulary.rows(map(str, histories.users)) > 0
        known.as_users = int(np.diff(histories.offsets)[as_items].sum())
    return known


def spellings(unknown: Iterable[str], catalogue: Catalogue) -> dict[str, str]:
    """Unknown id → the known id that is the same but for its spelling, for those that have one."""
    ids = catalogue.vocabulary.raw_ids(range(1, catalogue.num_items + 1))
    by_form = {_plain_form(raw_id): raw_id for raw_id in reversed(ids)}
    found = {text: by_form.get(_plain_form(text)) for text in unknown}
    return {text: raw_id for text, raw_id in found.items() if raw_id is not None}


def _plain_form(raw_id: str) -> str:
    """Without spaces and quotes around it, capitals, leading zeros and a `.0` at the end."""
    text = unicodedata.normalize("NFKC", raw_id).strip().strip("'\"").strip().casefold()
    whole, point, rest = text.partition(".")
    if point and not rest.strip("0") and whole.removeprefix("-").isdigit():
        text = whole
    return (text.lstrip("0") or "0") if text.isdigit() else text
