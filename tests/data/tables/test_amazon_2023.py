"""Amazon Reviews 2023: both forms of a log are told apart, and what is neither is refused."""

import gzip

import pytest

from remi_tf.data.tables.amazon_2023 import CATEGORIES
from remi_tf.data.tables.sources import ALL_SOURCES, SOURCES, check_source, folder_name
from remi_tf.errors import InputError
from tests.amazon_toys import BEGIN, lines, ratings, review
from tests.raw_logs import read_text, rows_of

MOVIES = SOURCES["amazon-2023:Movies_and_TV"]
REVIEWS = [review("AG1", "B1"), review("AG1", "0913212148", BEGIN + 1), review("AG2", "B1", 887_000_000_000)]
ROWS = [("AG1", "B1", BEGIN), ("AG1", "0913212148", BEGIN + 1), ("AG2", "B1", 887_000_000_000)]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Movies_and_TV.jsonl", lines(REVIEWS)),
        ("Movies_and_TV.jsonl", lines(REVIEWS, ascii_only=True)),
        ("of-my-own.json", lines(REVIEWS)),
        ("Movies_and_TV.csv", ratings(REVIEWS)),
        ("Movies_and_TV.train.csv", ratings(REVIEWS, history=True)),
        ("Movies_and_TV.csv", ratings(REVIEWS).replace("\n", "\r\n")),
    ],
)
def test_reviews_and_ratings_are_the_same_rows_by_parent_in_milliseconds(tmp_path, name, text, packed):
    data = gzip.compress(text.encode()) if packed else text.encode()
    log = read_text(tmp_path, data, name + ".gz" * packed, layout=MOVIES)
    assert rows_of(log) == ROWS and log.unit == "ms"
    assert log.seconds(log.times).tolist() == [1_588_687_728, 1_588_687_728, 887_000_000]


def test_many_reviews_are_read_as_few_are(tmp_path):
    many = [review(f"AG{n}", f"B{n % 7}", BEGIN + n) for n in range(2000)]  # enough for the fast way
    expected = [(f"AG{n}", f"B{n % 7}", BEGIN + n) for n in range(2000)]
    assert rows_of(read_text(tmp_path, lines(many), "Movies_and_TV.jsonl", layout=MOVIES)) == expected
    assert rows_of(read_text(tmp_path, ratings(many), "Movies_and_TV.csv", layout=MOVIES)) == expected


@pytest.mark.parametrize("key", ["user_id", "parent_asin", "timestamp"])
@pytest.mark.parametrize("where", [0, 2])
def test_a_review_that_lacks_a_key_is_a_bad_row_wherever_it_stands(tmp_path, key, where):
    rows = [dict(row) for row in REVIEWS]
    del rows[where][key]
    with pytest.raises(InputError, match=rf"Movies_and_TV.jsonl line {where + 1}: there is no '{key}' in the object"):
        read_text(tmp_path, lines(rows), "Movies_and_TV.jsonl", layout=MOVIES)
    log = read_text(tmp_path, lines(rows), "Movies_and_TV.jsonl", layout=MOVIES, on_bad_row="skip")
    assert rows_of(log) == ROWS[:where] + ROWS[where + 1 :] and log.dropped == {"bad rows: missing key": 1}


def test_a_rating_without_an_item_is_a_bad_row(tmp_path):
    text = ratings(REVIEWS).replace("AG2,B1", "AG2,")
    with pytest.raises(InputError, match=r"Movies_and_TV\.csv line 4: parent_asin is empty"):
        read_text(tmp_path, text, "Movies_and_TV.csv", layout=MOVIES)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.csv", "AG1,B1,5.0,1588687728923\n", "the first line .* is neither form of amazon-2023: reviews as JSON"),
        ("x.csv", "user_id,asin,rating,timestamp\n", "is neither form .* user_id,parent_asin,rating,timestamp"),
        ("x.json", '{"reviewerID": "A1", "asin": "B1"}\n', "first object has 'asin', 'reviewerID', so it is neither"),
        ("x.json", "{}\n", "the first object has no key, so it is neither"),
        ("x.jsonl", '{"main_category": "Books", "parent_asin": "B1"}\n', "it is the item table; name the reviews"),
        ("Books.csv", ratings(REVIEWS), "of the category Books.* give --source amazon-2023:Books, or rename it"),
    ],
)
def test_a_file_that_is_neither_form_is_told_what_it_lacks(tmp_path, name, text, message):
    with pytest.raises(InputError, match=rf"{name.split('.')[0]}.*{message}"):
        read_text(tmp_path, text, name, layout=MOVIES)


def test_the_release_has_33_categories_and_a_file_of_the_others():
    assert len(set(CATEGORIES)) == 34 and {"Movies_and_TV", "Books", "Electronics", "Unknown"} < set(CATEGORIES)
    for category in CATEGORIES:
        check_source(f"amazon-2023:{category}")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "amazon-2023:Movies",
            "'Movies' is no category of the release; did you mean amazon-2023:Movies_and_TV[?] Else",
        ),
        ("amazon-2023:books", "'books' is no category of the release; did you mean amazon-2023:Books[?] Else"),
        ("amazon-2023:Toys & Games", "did you mean amazon-2023:Toys_and_Games[?] Else give amazon-2023:CATEGORY"),
        ("amazon-2023:zzz", "'zzz' is no category of the release; give amazon-2023:CATEGORY"),
        ("amazon-2023", "the category is missing; give amazon-2023:CATEGORY"),
        ("amazon-2023:", "the category is missing; give"),
    ],
)
def test_a_wrong_category_is_one_line_that_names_all(name, message):
    with pytest.raises(InputError, match=message) as error:
        check_source(name)
    said = str(error.value)
    assert "\n" not in said and "All_Beauty" in said and "Video_Games" in said


def test_other_messages_name_the_release_once():
    assert [name for name in ALL_SOURCES if name.startswith("amazon")] == ["amazon-2023:CATEGORY"]
    with pytest.raises(InputError, match=r"choose one of book, .*amazon-2023:CATEGORY, comirec, synthetic$"):
        check_source("amazon")


def test_no_folder_has_a_colon_in_its_name():
    assert folder_name("amazon-2023:Movies_and_TV") == "amazon-2023-Movies_and_TV" and folder_name("ml-1m") == "ml-1m"
