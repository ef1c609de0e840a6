"""The logs known by name: each reads its own raw files and refuses others."""

import gzip

import pytest

from remi_tf.data.tables.sources import SOURCES
from remi_tf.errors import InputError
from tests.raw_logs import read_text, rows_of

EVENTS = "timestamp,visitorid,event,itemid,transactionid\n"


NAMED = [
    (
        "book",
        "reviews_Books_5.json",
        '{"reviewerID": "A1", "asin": "0001", "overall": 5.0, "unixReviewTime": 1390000000}\n',
        ("A1", "0001", 1390000000),
    ),
    ("book", "ratings_Books.csv", "A1,0001,5.0,1390000000\n", ("A1", "0001", 1390000000)),
    (
        "gowalla",
        "loc-gowalla_totalCheckins.txt",
        "0\t2010-10-19T23:55:27Z\t30.2\t-97.7\t22847\n",
        ("0", "22847", 1287532527),
    ),
    ("gowalla", "Gowalla_checkins.txt", "0\t2049\t1287503727.0\n", ("0", "2049", 1287503727)),
    (
        "gowalla",
        "gowalla.inter",
        "item_id:token\tuser_id:token\ttimestamp:float\n9\t0\t1287503727.0\n",
        ("0", "9", 1287503727),
    ),
    (
        "rocket",
        "events.csv",
        EVENTS + "1433221332117,2,view,3,\n1433221332118,2,addtocart,4,\n",
        ("2", "3", 1433221332),
    ),
    (
        "rocket",
        "view.inter",
        "timestamp:float\tvisitor_id:token\titem_id:token\n1433221332117\t2\t3\n",
        ("2", "3", 1433221332),
    ),
    ("taobao", "UserBehavior.csv", "1,22,333,pv,1511544070\n1,23,333,buy,1511544071\n", ("1", "22", 1511544070)),
    ("ml-100k", "u.data", "196\t242\t3\t881250949\n", ("196", "242", 881250949)),
    ("ml-1m", "ratings.dat", "1::1193::5::978300760\n", ("1", "1193", 978300760)),
]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(("source", "name", "text", "expected"), NAMED)
def test_named_sources_read_their_raw_files(tmp_path, source, name, text, expected, packed):
    data = gzip.compress(text.encode()) if packed else text.encode()
    log = read_text(tmp_path, data, name + ".gz" * packed, layout=SOURCES[source])
    assert [(user, item) for user, item, _ in rows_of(log)] == [expected[:2]]
    assert log.seconds(log.times).tolist() == [expected[2]]
    assert log.dropped == ({"rows of other events": 1} if name in ("events.csv", "UserBehavior.csv") else {})


@pytest.mark.parametrize("source", SOURCES)
def test_named_sources_refuse_another_file(tmp_path, source):
    with pytest.raises(InputError, match=r"x\.csv"):
        read_text(tmp_path, "only one column\n", "x.csv", layout=SOURCES[source])
