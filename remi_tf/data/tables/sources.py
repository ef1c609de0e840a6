"""The public logs that are known by name: which files they consist of, and how each variant of them looks."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from remi_tf.data.tables import amazon_2023
from remi_tf.data.tables.layouts import Columns, Layout, kind_of, sniff
from remi_tf.errors import InputError

NUMBERED = {0: "user", 1: "item", 2: "rating", 3: "timestamp"}


@dataclass(frozen=True)
class Source:
    """A log known by name.

    layout: (file name, its first line) → how to read it.
    wanted: whether a member of an archive is (a part of) the log.
    beside, users_beside: names of item and user tables that are used if they are next to the log or in its archive.
    terms: in one line, what the owner allows; manual: how to get it by hand.
    split: how the log is split if nothing is said, and where that is from; None = as every log.
    """

    name: str
    layout: Callable[[str, str], Layout]
    wanted: Callable[[str], bool]
    beside: tuple[str, ...]
    terms: str
    manual: str
    users_beside: tuple[str, ...] = ()
    split: tuple[str, str] | None = None


def find_layout(source: Source, name: str, start: bytes) -> Layout:
    """The layout of a file by its name and first bytes.

    Raises:
      InputError: it is not one of the forms of this source.
    """
    if kind_of(name, start) == "parquet":
        raise InputError(f"{name}: a Parquet file is not a raw form of --source {source.name}; use the column flags")
    return source.layout(name, sniff(start, name, None)[0])


def _book(name: str, line: str) -> Layout:
    if line.lstrip().startswith("{"):
        return Layout(Columns("reviewerID", "asin", "unixReviewTime"), kind="json", time_unit="s")
    if ":token" in line:
        return _inter(line, name)
    _expect(line, ",", (4,), name, "reviews as JSON lines, ratings as user,item,rating,timestamp, or .inter")
    return _plain(",", 4, Columns("0", "1", "3"), "s", NUMBERED)


def _gowalla(name: str, line: str) -> Layout:
    if ":token" in line:
        return _inter(line, name)
    width = _expect(
        line, "\t", (3, 5), name, "check-ins as user, time, latitude, longitude, place; user, place, time; or .inter"
    )
    if width == 5:
        names = {0: "user", 1: "check-in time", 2: "latitude", 3: "longitude", 4: "location id"}
        return _plain("\t", 5, Columns("0", "4", "1"), "iso", names)
    return _plain("\t", 3, Columns("0", "1", "2"), "s", {0: "user", 1: "place", 2: "time"})


def _rocket(name: str, line: str) -> Layout:
    if ":token" in line:
        return _inter(line, name)
    if not line.startswith("timestamp,visitorid,event,itemid"):
        raise InputError(
            f"{name}: not events.csv (timestamp,visitorid,event,itemid,transactionid) and not .inter: {line[:80]!r}"
        )
    return Layout(Columns("visitorid", "itemid", "timestamp"), keep=("event", ("view",)), quoting=False, time_unit="ms")


def _taobao(name: str, line: str) -> Layout:
    _expect(line, ",", (5,), name, "UserBehavior.csv: user,item,category,behavior,timestamp")
    names = {0: "user", 1: "item", 2: "category", 3: "behavior", 4: "timestamp"}
    columns = Columns("0", "1", "4", category="2")
    return Layout(columns, header=False, quoting=False, keep=("3", ("pv",)), num_columns=5, time_unit="s", names=names)


def _ml_100k(name: str, line: str) -> Layout:
    if ":token" in line:
        return _inter(line, name)
    _expect(line, "\t", (4,), name, "u.data: user, item, rating, timestamp, separated by tabs")
    return _plain("\t", 4, Columns("0", "1", "3"), "s", NUMBERED)


def _ml_1m(name: str, line: str) -> Layout:
    if ":token" in line:
        return _inter(line, name)
    _expect(line, "::", (4,), name, "ratings.dat: user::item::rating::timestamp")
    return _plain("::", 4, Columns("0", "1", "3"), "s", NUMBERED)


def _amazon_2023(category: str) -> Source:
    return Source(
        amazon_2023.source_name(category),
        partial(amazon_2023.layout, category),
        lambda name: name.startswith(f"{category}."),
        amazon_2023.tables(category),
        "research use; cite Hou et al. (arXiv 2403.03952)",
        f"{category}.jsonl.gz or the ratings {category}.csv.gz of Amazon Reviews 2023",
        split=("leave_one_out", "BaM's results on this release (KDD'24)"),
    )


def _plain(separator: str, width: int, columns: Columns, unit: str, names: dict[int, str]) -> Layout:
    return Layout(
        columns, separator=separator, header=False, quoting=False, num_columns=width, time_unit=unit, names=names
    )


def _inter(line: str, name: str) -> Layout:
    """RecBole's atomic file: tab-separated, the header gives name:type of each column, in any order."""
    names = [column.split(":")[0] for column in line.split("\t")]

    def pick(candidates: tuple[str, ...]) -> str:
        for candidate in candidates:
            if candidate in names:
                return candidate
        raise InputError(
            f"{name}: no column {' or '.join(candidates)} in the .inter header {line!r}; use the column flags"
        )

    columns = Columns(
        pick(("user_id", "visitor_id", "visitorid", "session_id")),
        pick(("item_id", "itemid", "venue_id", "location_id", "asin")),
        pick(("timestamp", "time")),
    )
    return Layout(columns, separator="\t", quoting=False)


def _expect(line: str, separator: str, widths: tuple[int, ...], name: str, forms: str) -> int:
    width = len(line.split(separator))
    if width not in widths:
        raise InputError(f"{name}: the first line {line[:80]!r} is not one of {forms}")
    return width


def _named(*names: str) -> Callable[[str], bool]:
    return lambda name: name in names or name.endswith(".inter")


SOURCES: dict[str, Source] = {
    source.name: source
    for source in (
        Source(
            "book",
            _book,
            lambda name: "Books" in name,
            ("meta_Books.json.gz", "meta_Books.json"),
            "research use; cite the authors named on the page of the Amazon review data",
            "reviews_Books_5.json.gz of the Amazon review data 2014",
        ),
        Source(
            "gowalla",
            _gowalla,
            lambda name: "totalCheckins" in name or name.endswith(".inter"),
            (),
            "see the page of the SNAP collection; cite Cho, Myers and Leskovec (KDD 2011)",
            "loc-gowalla_totalCheckins.txt.gz of the SNAP collection",
        ),
        Source(
            "rocket",
            _rocket,
            _named("events.csv"),
            (),
            "CC BY-NC-SA 4.0",
            "events.csv of the Retailrocket recommender system dataset on Kaggle (needs a login)",
        ),
        Source(
            "taobao",
            _taobao,
            _named("UserBehavior.csv"),
            (),
            "see the page at Tianchi; no redistribution",
            "UserBehavior.csv.zip of the User Behavior Data from Taobao at Tianchi (needs a login)",
        ),
        Source(
            "ml-100k",
            _ml_100k,
            _named("u.data"),
            ("u.item",),
            "research use, no redistribution, no commercial use without permission (GroupLens)",
            "ml-100k.zip of GroupLens",
            ("u.user",),
        ),
        Source(
            "ml-1m",
            _ml_1m,
            _named("ratings.dat"),
            ("movies.dat",),
            "research use, no redistribution, no commercial use without permission (GroupLens)",
            "ml-1m.zip of GroupLens",
            ("users.dat",),
        ),
        *map(_amazon_2023, amazon_2023.CATEGORIES),
    )
}
OWN_WAYS = ("comirec", "synthetic")
"""ComiRec's text files and the synthetic log are read by ways of their own."""
_FAMILY = f"{amazon_2023.RELEASE}:"
ALL_SOURCES = (*(name for name in SOURCES if not name.startswith(_FAMILY)), f"{_FAMILY}CATEGORY", *OWN_WAYS)
"""What --source takes, as messages name it."""


def check_source(name: str) -> None:
    """Raise InputError unless --source takes this name."""
    if name in SOURCES or name in OWN_WAYS:
        return
    if name.startswith(amazon_2023.RELEASE):
        raise amazon_2023.unknown_category(name)
    raise InputError(f"--source {name!r}: choose one of {', '.join(ALL_SOURCES)}")


def folder_name(name: str) -> str:
    """What a folder of this source is called: without the colon, which not every system takes."""
    return name.replace(":", "-")
