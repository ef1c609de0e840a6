"""Which options about item and user tables go together."""

import pandas as pd
import pytest

from remi_tf.data.protocol.prepare_request import PrepareRequest
from remi_tf.errors import InputError

LOG = {"log": "log.csv", "user_col": "user", "item_col": "item"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"item_features": "genres"}, "--item_features genres: it names columns of an item table; add --items TABLE"),
        ({"item_features": ""}, "--item_features '': a column has no name"),
        ({"item_features": [], "items": "x"}, "a column has no name"),
        ({"item_features": "a:b", "items": "x"}, "'b' is no kind of feature"),
        ({"items": "nowhere.csv", "item_features": "a"}, "--items nowhere.csv: no such file"),
        ({"items_id_col": "id"}, "--items_id_col id: it names a column of an item table; add --items"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options, message):
    with pytest.raises(InputError) as error:
        PrepareRequest(**LOG, **options)
    assert message in str(error.value)


def test_a_named_source_has_a_table_to_choose_from_if_it_brings_one():
    PrepareRequest(log="u.data", source="ml-100k", item_features="genres")
    PrepareRequest(log="u.data", source="ml-100k", item_features="none")
    for source in ("gowalla", "synthetic"):
        with pytest.raises(InputError, match="add --items TABLE"):
            PrepareRequest(log="x" if source == "gowalla" else None, source=source, item_features="genres")
    with pytest.raises(InputError, match="--item_features does not apply"):
        PrepareRequest(log="folder", source="comirec", item_features="genres")


def test_a_table_may_be_a_frame():
    request = PrepareRequest(
        **LOG, items=pd.DataFrame({"item": ["a"], "brand": ["x"]}), item_features=["brand:category"]
    )
    assert request.asked_features[0].name == "brand"


def test_a_level_is_refused_where_no_category_is_a_path():
    for source in ("book", "ml-1m", "gowalla"):
        with pytest.raises(InputError, match=f"--category_level 2: --source {source} has no categories that are lists"):
            PrepareRequest(log="log", source=source, category_level="2")
    PrepareRequest(log="log", source="amazon-2023:Books", category_level="2")
    PrepareRequest(log="log", source="ml-1m", items=pd.DataFrame({"id": ["1"]}), category_level="2")
