"""Some users, and the best and the worst."""

import html
import re
from dataclasses import replace

import numpy as np

from remi_tf.report.page import joined
from remi_tf.report.people import extremes, sample_users
from remi_tf.report.users import Chosen


def test_sample_users_have_their_routing_and_their_list(one):
    source = joined(*sample_users(one).parts)
    assert source.count("<article>") == len(one.chosen.sample) == 4
    assert 0 < source.count("<svg") <= 4
    view = one.runs[0].views[one.chosen.sample[0]]
    table = re.search("<tbody>(.*?)</tbody>", source, re.S)[1]
    rows = [re.findall("<td[^>]*>(.*?)</td>", row) for row in re.findall("<tr>(.*?)</tr>", table)]
    assert [row[2] for row in rows] == [str(which) for which in view.interests]
    assert [bool(row[3]) for row in rows] == np.isin(view.listed, view.targets).tolist()
    titles = [one.dataset.titles[row - 1] for row in view.listed]
    shown = [html.unescape(re.sub("<[^>]*>", "", row[1])) for row in rows]
    assert all(a[:9] == b[:9] for a, b in zip(shown, titles, strict=True) if "\x07" not in b)


def test_items_of_one_title_can_be_told_apart_by_their_ids(one):
    """Items 1 and 11 have the same title; item 2 has one of its own, and the history has it twice."""
    (run,), position = one.runs, one.chosen.sample[0]
    view = replace(run.views[position], history=np.array([2, 11, 2, 1]), routing=None)
    chosen = replace(one.chosen, sample=[position])
    changed = replace(one, chosen=chosen, runs=(replace(run, views={**run.views, position: view}),))
    history = joined(*sample_users(changed).parts).split("</details>")[0]
    rows = re.findall("<li>(.*?)</li>", history)
    tooltips = [html.unescape(re.search('<bdi title="(.*?)">', row)[1]) for row in rows]
    behind = [html.unescape("".join(re.findall("<small> <bdi>(.*?)</bdi></small>", row))) for row in rows]
    assert tooltips == ["item <1>", "item <2>", "item <11>", "item <2>"]
    assert behind == ["item <1>", "", "item <11>", ""]


def test_where_there_are_no_titles_an_id_is_written_once(bare):
    source = joined(*sample_users(bare).parts)
    assert "<small>" not in source and "title=" not in source


def test_a_long_history_has_its_oldest_items_in_one_row(one):
    (run,) = one.runs
    position = one.chosen.sample[0]
    view = replace(run.views[position], history=np.arange(1, 31), routing=np.full((2, 30), 1 / 30))
    long = replace(run, views={**run.views, position: view})
    source = joined(*sample_users(replace(one, runs=(long,))).parts)
    assert ">10 older items</text>" in source and source.count(">0.33</text>") == 2


def test_an_interest_that_a_user_does_not_have_reads_nothing(one):
    (run,) = one.runs
    position = one.chosen.sample[0]
    routing = np.array([[0.2, 0.8], [np.nan, np.nan]])
    view = replace(run.views[position], history=np.array([3, 4]), routing=routing)
    source = joined(*sample_users(replace(one, runs=(replace(run, views={**run.views, position: view}),))).parts)
    assert "interest 0 reads" in source and "interest 1 reads" not in source.split("<article>")[1]


def test_a_model_without_routing_says_so_and_lists_are_shown_all_the_same(two, bare):
    source = joined(*sample_users(two).parts)
    assert "B: no heat map, as the model has no routing." in source and "<svg" in source
    of_a, of_b = re.findall(r"<p>[AB]: recall.*?(?=<p>|</article>)", source, re.S)[:2]
    assert of_a.index("<table>") < of_a.index("<svg") and "<svg" not in of_b  # the lists begin at one height
    source = joined(*sample_users(bare).parts)
    assert "model: no heat map" in source and "<svg" not in source and ">interest</th>" not in source
    assert "item &lt;1&gt;" in source  # without titles, ids


def test_nobody_is_shown_if_nobody_is_asked_for(one):
    section = sample_users(replace(one, chosen=replace(one.chosen, sample=[])))
    assert not section.parts and "--users 0" in section.how


def test_the_best_and_the_worst_users_are_shown_in_their_order(one):
    source = joined(*extremes(one).parts)
    best, worst = source.split("The worst")
    for part, positions in ((best, one.chosen.best), (worst, one.chosen.worst)):
        ids = re.findall("User <bdi>(.*?)</bdi>", part)
        assert [html.unescape(each) for each in ids] == [one.user_ids[position] for position in positions]
    assert "<svg" not in source


def test_of_one_user_there_is_no_best_one(one):
    assert not extremes(replace(one, chosen=Chosen([0], [], []))).parts
