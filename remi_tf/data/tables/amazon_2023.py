"""Amazon Reviews 2023 (McAuley Lab): its categories, the two forms of its logs, and where its files are."""

import difflib
import json

from remi_tf.data.tables.layouts import Columns, Layout
from remi_tf.errors import InputError

RELEASE = "amazon-2023"
CATEGORIES = (
    *("All_Beauty", "Amazon_Fashion", "Appliances", "Arts_Crafts_and_Sewing", "Automotive", "Baby_Products"),
    *("Beauty_and_Personal_Care", "Books", "CDs_and_Vinyl", "Cell_Phones_and_Accessories"),
    *("Clothing_Shoes_and_Jewelry", "Digital_Music", "Electronics", "Gift_Cards", "Grocery_and_Gourmet_Food"),
    *("Handmade_Products", "Health_and_Household", "Health_and_Personal_Care", "Home_and_Kitchen"),
    *("Industrial_and_Scientific", "Kindle_Store", "Magazine_Subscriptions", "Movies_and_TV", "Musical_Instruments"),
    *("Office_Products", "Patio_Lawn_and_Garden", "Pet_Supplies", "Software", "Sports_and_Outdoors"),
    *("Subscription_Boxes", "Tools_and_Home_Improvement", "Toys_and_Games", "Video_Games"),
    "Unknown",
)
"""The 33 categories, and the release's file of items without one."""
HOST = "https://mcauleylab.ucsd.edu/public_datasets/data/amazon_2023/"
COLUMNS = Columns("user_id", "parent_asin", "timestamp")
FORMS = (
    "reviews as JSON lines (user_id, parent_asin, timestamp, …), or ratings as CSV with the header "
    "user_id,parent_asin,rating,timestamp"
)


def source_name(category: str) -> str:
    """What --source calls a category."""
    return f"{RELEASE}:{category}"


def unknown_category(source: str) -> InputError:
    """What to say of a name that begins as this release and names none of its categories."""
    category = source.removeprefix(RELEASE).strip(":-_ ")
    spelt = {name.lower(): name for name in CATEGORIES}
    near = difflib.get_close_matches(category.lower().replace(" ", "_").replace("&", "and"), spelt, n=1)
    hint = f"did you mean {source_name(spelt[near[0]])}? Else give" if near else "give"
    what = f"{category!r} is no category of the release" if category else "the category is missing"
    return InputError(
        f"--source {source!r}: {what}; {hint} {RELEASE}:CATEGORY, where CATEGORY is one of {', '.join(CATEGORIES)}"
    )


def addresses(category: str) -> tuple[str, str]:
    """Where the ratings and the item table are. The ratings are the log: the reviews' texts are not needed."""
    return (
        f"{HOST}benchmark/0core/rating_only/{category}.csv.gz",
        f"{HOST}raw/meta_categories/meta_{category}.jsonl.gz",
    )


def tables(category: str) -> tuple[str, str]:
    """File names of the item table, packed and plain."""
    return f"meta_{category}.jsonl.gz", f"meta_{category}.jsonl"


def layout(category: str, name: str, line: str) -> Layout:
    """How a file of this category is read, told by its first line.

    Raises:
      InputError: it is neither of the two forms, or its name says that it is of another category.
    """
    named = name.split(".")[0]
    if named in CATEGORIES and named != category:
        raise InputError(
            f"{name}: by its name it is of the category {named}, but --source is {source_name(category)}; give "
            f"--source {source_name(named)}, or rename it"
        )
    if line.lstrip().startswith("{"):
        _refuse_other_objects(name, line)
        return Layout(COLUMNS, kind="json", time_unit="ms")
    if set(COLUMNS.by_key().values()) <= {column.strip() for column in line.split(",")}:
        return Layout(COLUMNS, quoting=False, time_unit="ms")
    raise InputError(f"{name}: the first line {line[:80]!r} is neither form of {RELEASE}: {FORMS}")


def _refuse_other_objects(name: str, line: str) -> None:
    """Raise InputError for JSON that holds no reviews. A review that lacks one key only is a bad row, found later."""
    try:
        keys = set(json.loads(line))
    except (ValueError, RecursionError):  # damaged, or longer than what was read of it
        return
    if keys & {COLUMNS.user, COLUMNS.time}:
        return
    if "main_category" in keys:
        raise InputError(
            f"{name}: it is the item table; name the reviews or the ratings with --input (the table is used if it is "
            "next to them)"
        )
    found = ", ".join(map(repr, sorted(keys)[:8])) or "no key"
    raise InputError(f"{name}: the first object has {found}, so it is neither form of {RELEASE}: {FORMS}")
