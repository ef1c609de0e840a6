"""Small files in the forms of Amazon Reviews 2023."""

import json
from typing import Any

BEGIN = 1_588_687_728_923
"""2020-05-05 14:08:48 UTC, in milliseconds."""


def review(user: str, item: str, time: int = BEGIN, **others: Any) -> dict[str, Any]:
    """A review as the release has it; its text has whatever people write."""
    text = 'first line\nsecond line, "quoted", café 🎬 \u2028 {not: an object}'
    row = {"rating": 5.0, "title": 'It\'s "good"', "text": text, "images": [], "asin": f"{item}-blue"}
    row |= {"parent_asin": item, "user_id": user, "timestamp": time, "helpful_vote": 0, "verified_purchase": True}
    return row | others


def item(raw_id: str, categories: list[str] | None, **others: Any) -> dict[str, Any]:
    """A row of the item table."""
    row = {"main_category": "Movies & TV", "title": f"Film {raw_id}", "average_rating": 4.5, "rating_number": 12}
    row |= {"features": [], "description": ["a\nb"], "price": 9.99, "images": [{"thumb": "x"}], "videos": []}
    row |= {"store": "Studio", "categories": categories, "details": {"Format": "DVD"}, "parent_asin": raw_id}
    return row | others


def lines(rows: list[dict[str, Any]], ascii_only: bool = False) -> str:
    """JSON lines, with characters as they are or escaped."""
    return "".join(json.dumps(row, ensure_ascii=ascii_only) + "\n" for row in rows)


def ratings(rows: list[dict[str, Any]], history: bool = False) -> str:
    """The same reviews as the ratings of the release."""
    text = "user_id,parent_asin,rating,timestamp" + ",history" * history + "\n"
    read: dict[str, list[str]] = {}
    for row in rows:
        before = read.setdefault(row["user_id"], [])
        text += f"{row['user_id']},{row['parent_asin']},{row['rating']},{row['timestamp']}"
        text += f",{' '.join(before)}" * history + "\n"
        before.append(row["parent_asin"])
    return text
