"""What to recommend, the same for all users, checked against a catalogue."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_list_like

from remi_tf.data.dataset.catalogue import CATEGORY_NAMES, ITEMS, Catalogue
from remi_tf.errors import InputError
from remi_tf.recommending.forms import in_python
from remi_tf.recommending.histories import raw_id

SHOWN = 5
"""How many unknown names a message lists."""


@dataclass(frozen=True)
class Choices:
    """What to recommend, the same for all users.

    top_n: items for each user; exclude_history: return no item of the user's own history (yes, no or auto, True or
    False; None: as the run was trained); exclude: raw ids never to
    return; allow: raw ids, nothing else is returned (None: everything may be); categories: names, only their items are
    returned (None: all); diversity: what an item's score loses for each chosen item of its category (0: the plain list,
    infinite: as many categories as there are).
    """

    top_n: int = 10
    exclude_history: bool | str | None = None
    exclude: Iterable[Any] = ()
    allow: Iterable[Any] | None = None
    categories: Iterable[str] | None = None
    diversity: float = 0.0

    def __post_init__(self) -> None:
        for name in ("exclude", "allow", "categories"):
            if isinstance(getattr(self, name), Iterator):  # it would be empty the second time
                object.__setattr__(self, name, list(getattr(self, name)))


def checked(choices: Choices, catalogue: Catalogue, has_categories: bool) -> tuple[dict[str, Any], list[str]]:
    """The choices as inputs of the served graph, without those that choose nothing; and warnings.

    Args:
      catalogue: the known items.
      has_categories: whether its items have categories.

    Returns:
      Inputs of `ServingGraph.recommend` by name; a message for each list with names that the catalogue does not hold.

    `choices.exclude_history` is True or False here: the run has decided (`Recommender`).

    Raises:
      InputError: a value of the wrong kind, a list that allows no known item, or categories where there are none.
    """
    check_top_n(choices.top_n)
    if not isinstance(choices.diversity, float | int | np.floating | np.integer):
        raise InputError(f"diversity {choices.diversity!r}: give a number, 0 or more")
    lists = _lists(choices)
    given: dict[str, Any] = {
        "top_n": min(int(choices.top_n), catalogue.num_items),
        "exclude_history": bool(choices.exclude_history),
        **{name: [texts] for name, texts in lists.items()},
    }
    if choices.diversity:
        given["diversity"] = float(choices.diversity)
    for name in ("categories", "diversity"):
        if name in given and not has_categories:
            raise InputError(f"{name}: the data have no categories (prepare.py --category_col); leave it out")
    return given, [message for name, texts in lists.items() for message in _unknown(name, texts, catalogue)]


def check_top_n(top_n: Any) -> None:
    """Refuse a wrong number of items.

    Raises:
      InputError: it is not a positive whole number.
    """
    if isinstance(top_n, bool) or not isinstance(top_n, int | np.integer) or top_n < 1:
        raise InputError(f"top_n {top_n!r}: give a positive whole number")


def _lists(choices: Choices) -> dict[str, list[str]]:
    """The lists that name something, as texts."""
    lists = {}
    for name in ("exclude", "allow", "categories"):
        values = getattr(choices, name)
        if values is None:
            continue
        values = in_python(values)
        if not is_list_like(values) or isinstance(values, pd.DataFrame | Mapping):
            raise InputError(f"{name}: give a list, such as {[values]!r}")
        texts = [raw_id(value, name) for value in values]
        if not any(texts) and name != "exclude":
            raise InputError(f"{name}: an empty list allows nothing; leave it out to allow everything")
        if texts:
            lists[name] = texts
    return lists


def _unknown(name: str, texts: list[str], catalogue: Catalogue) -> list[str]:
    """A message about names that the catalogue does not hold. If it holds none of a list, that is an error."""
    named = [text for text in texts if text]
    if name == "categories":
        known, what, file = set(catalogue.category_names), "name", CATEGORY_NAMES
        unknown = [text for text in named if text not in known]
    else:
        what, file = "id", ITEMS
        unknown = [text for text, row in zip(named, catalogue.vocabulary.rows(named), strict=True) if row == 0]
    if not unknown:
        return []
    shown = ", ".join(map(repr, unknown[:SHOWN])) + (f" and {len(unknown) - SHOWN} more" * (len(unknown) > SHOWN))
    where = f"the known ones are listed in {catalogue.path / file}"
    if len(unknown) == len(named) and name != "exclude":
        raise InputError(f"no {what} of {name} is known: {shown}; {where}")
    return [f"{name}: not in the catalogue and ignored: {shown}; {where}"]
