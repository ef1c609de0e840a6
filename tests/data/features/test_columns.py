"""A raw value becomes codes of its column."""

import json

import pytest

from remi_tf.data.features.columns import (
    FIRST,
    MISSING,
    MOST_CODES,
    UNKNOWN,
    FeatureColumn,
    day_of,
    grams,
    hashed,
    number_of,
    one_value,
)


def test_what_is_missing_and_what_is_unknown_have_codes_of_their_own_in_every_kind():
    for column in (
        FeatureColumn("brand", "category", values=("Acme",)),
        FeatureColumn("genres", "multi", values=("Drama",)),
        FeatureColumn("price", "number", edges=(1.0,)),
        FeatureColumn("out", "date", edges=(1.0,)),
        FeatureColumn("title", "text", values=("cat",), buckets=4),
    ):
        assert column.codes("") == column.codes("  ") == [MISSING]
    assert FeatureColumn("brand", "category", values=("Acme",)).codes("Other") == [UNKNOWN]
    assert FeatureColumn("genres", "multi", values=("Drama",)).codes("Western|Drama") == [UNKNOWN, FIRST]


def test_several_values_are_split_and_each_counts_once():
    column = FeatureColumn("genres", "multi", values=("Drama", "Comedy", "War"))
    drama, comedy, war = range(FIRST, FIRST + 3)
    assert column.codes("War|Drama|War") == [war, drama]
    assert column.codes('["Comedy", "War"]') == column.codes("['Comedy' 'War']") == [comedy, war]
    assert column.codes('[["Drama"], ["War", "Comedy"]]') == [drama, war, comedy]  # of several paths all
    assert column.codes("[]") == [MISSING]
    spaced = FeatureColumn("genres", "multi", values=("Drama", "Comedy"), separator=" > ")
    assert spaced.codes("Comedy > Drama") == [FIRST + 1, FIRST]
    long = FeatureColumn("tags", "multi", values=tuple(map(str, range(100))))
    assert len(long.codes("|".join(map(str, range(100))))) == MOST_CODES


def test_a_category_is_the_same_level_of_every_path():
    column = FeatureColumn("path", "category", values=("Crime", "Poetry"), level=2, separator=" > ")
    assert column.codes("Books > Crime > Nordic") == [FIRST] and column.codes("Poetry") == [FIRST + 1]
    assert column.codes('["Books", "Poetry"]') == [FIRST + 1]
    plain = FeatureColumn("brand", "category", values=("A > B",))
    assert plain.codes("A >  B") == [FIRST]  # without paths a text is taken as it stands, white space apart
    assert one_value("[]") == []


def test_numbers_fall_into_the_bucket_whose_lower_border_they_reach():
    column = FeatureColumn("price", "number", edges=(10.0, 20.0))
    assert [column.codes(text)[0] for text in ("-5", "9.99", "10", "19", "2e1", "1000")] == [
        *(FIRST, FIRST, FIRST + 1, FIRST + 1, FIRST + 2, FIRST + 2),
    ]
    assert column.size == FIRST + 3
    for text in ("cheap", "nan", "inf", "1,5"):
        with pytest.raises(ValueError, match=text):
            column.codes(text)


def test_dates_count_in_days_whatever_their_form():
    assert day_of("1970-01-02", "iso") == day_of("86400", "s") == day_of("02/01/1970", "%d/%m/%Y") == 1
    assert day_of("1969-12-31T12:00", "iso") == -0.5
    with pytest.raises(ValueError, match=r"31\.12\.99"):
        day_of("31.12.99", "iso")


def test_known_words_have_codes_and_others_are_spelt_in_pieces():
    column = FeatureColumn("title", "text", values=("the", "cat"), buckets=1000)
    assert column.codes("The CAT, the cat!") == [FIRST, FIRST + 1]
    spelt = column.codes("zebra")
    assert len(spelt) == len(grams("zebra")) and min(spelt) >= FIRST + 2 and max(spelt) < column.size
    assert set(column.codes("zebras")) & set(spelt)  # words that are alike share pieces
    assert grams("cat") == ["<ca", "cat", "at>"]
    assert column.codes("?!") == [MISSING]


def test_hashes_stay_within_their_buckets_and_are_the_same_everywhere():
    column = FeatureColumn("brand", "category", buckets=8)
    codes = {column.codes(f"brand {k}")[0] for k in range(200)}
    assert codes == set(range(FIRST, FIRST + 8))
    assert hashed("123456789", 1 << 32) == 0xCBF43926  # the published check value of CRC-32


def test_a_column_comes_back_from_its_json_and_one_of_other_types_is_refused():
    columns = [
        FeatureColumn("path", "category", values=("a", "b"), level=2, separator=" > "),
        FeatureColumn("price", "number", edges=(1.0, 2.5)),
        FeatureColumn("image", "vector", width=3, scale=0.5),
    ]
    for column in columns:
        assert FeatureColumn.from_json(json.loads(json.dumps(column.to_json())), column.values) == column
    for wrong in ({"name": "x"}, {"name": "x", "kind": "colour"}, {"name": 1, "kind": "text"}, {"kind": "text"}):
        with pytest.raises(ValueError, match=r"name|kind"):
            FeatureColumn.from_json({**wrong, "num_values": 0}, ())
    with pytest.raises(ValueError, match="num_values 2, and there are 3"):
        FeatureColumn.from_json(columns[0].to_json(), ("a", "b", "c"))
    with pytest.raises(ValueError, match="width '3'"):
        FeatureColumn.from_json({"name": "x", "kind": "vector", "width": "3", "num_values": 0}, ())


def test_number_of_says_what_it_could_not_read():
    assert number_of("1e3") == 1000
    with pytest.raises(ValueError, match="'abc' is no number"):
        number_of("abc")


def test_a_value_holds_no_line_break_as_values_are_kept_one_a_line():
    column = FeatureColumn("genres", "multi", values=("Science Fiction", "A"))
    assert column.codes("Science\nFiction|A") == [FIRST, FIRST + 1] == column.codes('["Science\\n Fiction", "A"]')


def test_where_a_text_is_cut_its_known_words_stay():
    column = FeatureColumn("title", "text", values=("cat",), buckets=64)
    long = "supercalifragilisticexpialidocious antidisestablishmentarianism cat"
    codes = column.codes(long)
    assert codes[0] == FIRST and len(codes) <= MOST_CODES and len(set(codes)) == len(codes)
