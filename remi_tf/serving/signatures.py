"""What the served signatures take and give, in words: the model card and docs/SERVING.md say the same."""

from collections.abc import Sequence
from typing import Any

MAX_TOP_N = 100
"""Items that an export returns for each history by default."""

HISTORY = 'string [batch, any]: raw item ids, oldest first; "" is padding, unknown ids are ignored'
FEATURES = {
    "timestamps": "int64 [batch, any]: seconds since 1970 of the items of history, in its shape; any number on padding",
    "profile": "string [batch, columns]: values of profile_columns, in their order, dates as 2024-12-31; empty and "
    "unknown values are ignored",
}
INPUT_OF = {"days": "timestamps", "profile": "profile"}
"""The input that carries what a model `needs` besides the history."""

CHOICES = {
    "top_n": "int32 [batch] or one number: items wanted, 1 to max_top_n",
    "exclude_history": "bool [batch] or one value: never return an item of history",
    "exclude": 'string [batch or 1, any]: raw ids never to return; "" and unknown ids are ignored',
    "allow": 'string [batch or 1, any]: raw ids, nothing else is returned; a row of only "" allows every item',
}
CATEGORY_CHOICES = {
    "categories": 'string [batch or 1, any]: category names, only their items are returned; a row of only "" allows '
    "every item",
    "diversity": "float32 [batch] or one number: what an item's score loses for each chosen item of its category; "
    "0 is the plain list, infinite is as many categories as there are",
}
ITEMS = 'string [batch, {n}]: raw item ids, best first; "" where there is no item'
SCORES = "float32 [batch, {n}]: {score}; 0 where there is no item, and for the most popular items, which a history "
SCORES += "without a known id gets"
KNOWN = "int32 [batch]: how many ids of the history were known"
EXPLANATION = {
    "interest": "int32 [batch, n]: which of the user's interests fetched the item, from 0; -1 where none did, and "
    "always of a model without interests",
}
ATTENTION = "float32 [batch, interests, width of history]: what each interest reads of the history; 0 on unknown ids, "
ATTENTION += "padding and what is older than max_history. Where interest is k, attention[k] is why the item is there"
STATUS = (
    'string [batch]: "" if all is well, "error: …" for a row that gets no items, "note: …" for one that gets other '
)
STATUS += "or fewer items than it asked for"
BOOSTS = {
    "boosted_items": 'string [batch, any]: raw ids of items that get a boost, also several times; "" is none',
    "boosts": "float32 [batch, any]: the boost of each; the boosts of a repeated id add up",
}
PRODUCT = "inner product with the best interest"


def signatures(
    needs: Sequence[str],
    has_categories: bool,
    routing: bool,
    score: str = PRODUCT,
    vectors: bool = True,
    boost: bool = False,
) -> dict[str, Any]:
    """Inputs and outputs of each signature, name → what it is.

    Args:
      needs: what the model needs besides the history.
      has_categories: whether the catalogue knows items' categories.
      routing: whether the model tells what each interest reads.
      score: what a score is.
      vectors: whether the model has interests and item vectors; without, `interests` and `items` are left out.
      boost: whether it adds to products.
    """
    user = {"history": HISTORY, **{INPUT_OF[name]: FEATURES[INPUT_OF[name]] for name in needs}}
    answer = {
        "items": ITEMS.format(n="n"),
        "scores": SCORES.format(n="n", score=score),
        "known_items": KNOWN,
        **EXPLANATION,
        **({"attention": ATTENTION} if routing else {}),
        "status": STATUS,
    }
    found: dict[str, Any] = {
        "serving_default": {
            "inputs": user,
            "outputs": {
                "items": ITEMS.format(n="max_top_n"),
                "scores": SCORES.format(n="max_top_n", score=score),
                "known_items": KNOWN,
            },
        },
        "recommend": {
            "inputs": {**user, **CHOICES, **(CATEGORY_CHOICES if has_categories else {})},
            "outputs": {name: text.replace("[batch, n]", "[batch, largest top_n]") for name, text in answer.items()},
        },
    }
    if vectors:
        found |= {
            "interests": {
                "inputs": user,
                "outputs": {
                    "interests": "float32 [batch, interests, dim]: vectors to search an index of item vectors with",
                    "known_items": KNOWN,
                    **(BOOSTS if boost else {}),
                },
            },
            "items": {
                "inputs": {"items": "string [any]: raw item ids"},
                "outputs": {
                    "vectors": "float32 [any, dim]: what interests are multiplied with; 0 for an unknown id",
                    "known": "bool [any]: whether the id is known",
                },
            },
        }
    return found
