"""Columns are learnt from the items of the training users, and from nothing else."""

import numpy as np
import pytest

from remi_tf.data.features import fitting
from remi_tf.data.features.columns import MISSING, UNKNOWN
from remi_tf.data.features.fitting import fit_column
from remi_tf.data.tables.labels import CategoryChoice
from remi_tf.errors import InputError


def fit(kind: str, values, trained=None, **options):
    trained = np.ones(len(values), bool) if trained is None else np.array(trained, bool)
    return fit_column("x", kind, values, trained, **options)


def test_items_outside_training_teach_nothing():
    values = ["red", "red", "blue", "blue"]
    column, _ = fit("category", values, [1, 1, 0, 0])
    assert column.values == ("red",) and column.codes("blue") == [UNKNOWN]
    numbers, _ = fit("number", ["1", "2", "3", "900", "1000"], [1, 1, 1, 0, 0])
    assert max(numbers.edges) <= 3
    vectors, _ = fit("vector", np.array([[3.0, 4.0], [300.0, 400.0]]), [1, 0])
    assert vectors.scale == pytest.approx(1 / 5) and vectors.width == 2


def test_a_value_of_one_item_is_unknown_and_frequent_ones_come_first():
    column, notes = fit("category", ["a", "b", "b", "b", "c", "c", ""])
    assert column.values == ("b", "c") and column.codes("a") == [UNKNOWN] and not notes
    column, notes = fit("category", ["a", "b", "c"])
    assert column.values == () and "x: every item has a value of its own" in notes[0]


def test_quantiles_hold_about_the_same_number_of_items_and_ties_stay_together():
    rng = np.random.default_rng(0)
    values = rng.lognormal(size=10_000)
    column, _ = fit("number", [str(value) for value in values])
    counts = np.bincount([column.codes(str(value))[0] for value in values])[2:]
    assert len(counts) == fitting.QUANTILES and counts.min() > 0.9 * len(values) / fitting.QUANTILES
    tied, _ = fit("number", ["0"] * 80 + ["1"] * 10 + ["7"] * 10)
    assert len({tied.codes(text)[0] for text in ("0", "1", "7")}) == 3
    same, _ = fit("number", ["4", "4"])
    assert same.codes("4") == same.codes("5")


def test_dates_of_any_form_get_quantiles():
    column, _ = fit("date", ["01/02/2020", "01/03/2020", "01/04/2020"], form="%d/%m/%Y")
    early, late = column.codes("01/02/2020"), column.codes("31/12/2022")
    assert early < late


def test_words_that_few_items_have_are_spelt():
    column, _ = fit("text", ["the cat"] * 5 + ["the dog"] * 4)
    assert column.values == ("the", "cat") and column.buckets == fitting.GRAM_BUCKETS


def test_too_many_values_are_hashed_with_the_figure(monkeypatch):
    monkeypatch.setattr(fitting, "MOST_VALUES", 3)
    values = [f"v{k}" for k in range(4) for _ in range(2)]
    column, notes = fit("category", values)
    assert column.values == () and column.codes("v0") not in ([MISSING], [UNKNOWN])
    assert notes == ["x: 4 different values, so they are hashed into 1,048,576 buckets"]
    assert fit("category", values[:6])[0].values == ("v0", "v1", "v2")


def test_a_path_gives_the_level_that_is_chosen_and_multi_keeps_all():
    paths = ["Films|Crime|A", "Films|Crime|B", "Films|War|C", "Films|War|D"]
    column, notes = fit("category", paths)
    assert set(column.values) == {"Crime", "War"} and "x: categories are lists or paths of up to 3" in notes[0]
    assert column.codes("Films|War|E") == column.codes(paths[2])
    assert fit("category", paths, choice=CategoryChoice("first"))[0].values == ("Films",)
    spaced = [path.replace("|", " > ") for path in paths]
    assert set(fit("category", spaced, choice=CategoryChoice(separator=" > "))[0].values) == {"Crime", "War"}
    assert set(fit("multi", paths)[0].values) == {"Films", "Crime", "War"}


def test_a_column_without_a_value_in_training_is_refused_by_name():
    for kind in ("category", "multi", "number", "date", "text"):
        with pytest.raises(InputError, match="x: no item of the training users has a value; leave it out"):
            fit(kind, ["", " ", "7"], [1, 1, 0])
    for nothing in (np.full([2, 3], np.nan), np.zeros([2, 0]), np.zeros([2, 3])):
        with pytest.raises(InputError, match="x: no item of the training users has a vector"):
            fit("vector", nothing)
