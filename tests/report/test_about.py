"""What ran."""

import re
from dataclasses import replace

import numpy as np
import pytest

from remi_tf.report.about import about
from remi_tf.report.page import joined


def words(section):
    """What a reader sees."""
    return " ".join(re.sub("<[^>]*>", " ", joined(*section.parts)).split())


def test_the_data_the_settings_and_the_versions_are_named(one):
    shown = words(about(one))
    data = one.dataset
    assert f"test {data.test.num_users} {len(data.test.items)}" in shown and "60 items" in shown
    assert "tiny &amp; &lt;b&gt;small&lt;/b&gt;" in shown and data.fingerprint[:12] in shown
    assert "no times" in shown and "with titles, categories" in shown
    assert "history left in the lists" in shown
    assert "exclude_history no" in shown and "max_steps 77" in shown and "model SA 20" not in shown
    assert "python 3.11" in shown and "scann" not in shown and "abcdef012345" in shown
    assert re.search(r"model \S+/A SA 20", shown)


@pytest.mark.parametrize(
    ("times", "said"), [((0, 86_400 * 366), "from 1970-01-01 to 1971-01-02"), ((0, 2**62), "times")]
)
def test_dates_are_those_of_the_first_and_the_last_interaction(one, times, said):
    def dated(part):
        return replace(part, timestamps=np.linspace(*times, len(part.items)).astype(np.int64))

    data = one.dataset
    dataset = replace(
        data, train=dated(data.train), valid=dated(data.valid), test=dated(data.test),
        manifest={**data.manifest, "made_by": {"kept": {"time_span": []}}},
    )  # fmt: skip
    assert said in words(about(replace(one, dataset=dataset)))


def test_two_runs_stand_next_to_each_other_with_what_differs(two):
    a, b = two.runs
    other = replace(b, settings=b.settings.replace(max_steps=5, num_negatives=7), config={})
    shown = words(about(replace(two, runs=(a, other))))
    assert "max_steps 77 5" in shown and "num_negatives" in shown and "python 3.11 –" in shown


def test_what_the_data_do_not_have_is_not_claimed(bare):
    assert "with ids only" in words(about(bare))
