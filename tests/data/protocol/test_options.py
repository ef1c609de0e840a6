"""The settings of the protocol."""

import pytest

from remi_tf.data.protocol.options import PrepareSettings, choose_split
from remi_tf.data.tables.sources import SOURCES
from remi_tf.errors import InputError


@pytest.mark.parametrize("options", [{"min_count": 0}, {"core": "twice"}, {"split": "random"}])
def test_settings_that_make_no_sense_are_refused(options):
    with pytest.raises(InputError):
        PrepareSettings(**options)


def test_a_source_may_have_a_split_of_its_own_which_is_said_with_its_reason():
    movies = SOURCES["amazon-2023:Movies_and_TV"]
    split, [note] = choose_split(movies, None)
    assert split == "leave_one_out" and "BaM" in note and "--split users or time says otherwise" in note
    split, [note] = choose_split(movies, "users")
    assert split == "users" and "as --split says; without it: leave_one_out" in note
    for source in (None, SOURCES["ml-1m"]):
        assert choose_split(source, None) == (None, []) and choose_split(source, "time") == ("time", [])
