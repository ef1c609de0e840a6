"""The study folder: opened again, refused to others, and mended. Trials are begun and told, but nothing trains."""

import dataclasses
import json
import time

import pytest

from remi_tf.errors import InputError
from remi_tf.tuning.proposals import next_trial, proposed
from remi_tf.tuning.space import parse_space
from remi_tf.tuning.study_folder import opened_study

RATES = {"learning_rate": {"low": 1e-4, "high": 1e-1, "log": True}}


def go_on(request, path, trials):
    """Open the study, end trials until there are `trials`, and close it. The values of all its trials."""
    with opened_study(path, request) as study:
        while (following := next_trial(study, request, trials)) is not None:
            proposed(following[0], request)
            study.tell(following[0], 0.5)
        return [trial.params for trial in study.trials]


def refused(request, path, message):
    """The folder is refused before anything can be searched in it."""
    with pytest.raises(InputError, match=message) as error, opened_study(path, request):
        pytest.fail("the study was opened")
    assert "\n" not in str(error.value)


def test_a_new_folder_says_what_was_asked_for_and_keeps_the_trials(request_for, tmp_path):
    request = request_for(RATES, fixed={"max_steps": 5})
    tried = go_on(request, tmp_path / "study", 2)
    assert json.loads((tmp_path / "study" / "study.json").read_text()) == {"format_version": 1, **request.to_json()}
    assert len(tried) == 2
    assert go_on(request, tmp_path / "study", 3)[:2] == tried


def test_the_best_trial_is_the_one_with_the_highest_score(request_for, tmp_path):
    with opened_study(tmp_path / "study", request_for(RATES)) as study:
        for score in (0.1, 0.3, 0.2):
            study.tell(study.ask(), score)
        assert study.best_trial.number == 1


DIFFERENT = [
    ({"search_seed": 9}, r"--search_seed 0, and now it is 9"),
    ({"search": "random"}, r"--search tpe, and now it is random"),
    ({"fixed": {"max_steps": 7}}, r"--max_steps 5, and now it is 7"),
    ({"fixed": {}}, r"--max_steps 5, and now it is not there"),
    ({"fixed": {"max_steps": 5, "beta": 0.5}}, r"--beta not there, and now it is 0\.5"),
    ({"remi": True}, r"--remi not given, and now it is given"),
    ({"keep_runs": True}, r"--keep_runs not given, and now it is given"),
    ({"recipe": "paper"}, r"--recipe default, and now it is paper"),
    ({"pruning": "none"}, r"--pruning median, and now it is none"),
    ({"space": parse_space("here", {"learning_rate": [0.1]})}, r"the space of learning_rate \{.*now it is \[0.1\]"),
    ({"space": parse_space("here", {"beta": [0.1]})}, r"the space of learning_rate \{.*now it is not there"),
]


def test_another_study_in_the_folder_is_refused_by_what_differs(request_for, tmp_path):
    request = request_for(RATES, fixed={"max_steps": 5})
    tried = go_on(request, tmp_path / "study", 1)
    other = dataclasses.replace(request.dataset, fingerprint="f" * 64)
    cases = [*DIFFERENT, ({"dataset": other}, r"the dataset's fingerprint .* now it is ffff")]
    for parts, message in cases:
        message = rf"study: a study with {message}.*; give it as before, or another --study_dir$"
        refused(dataclasses.replace(request, **parts), tmp_path / "study", message)
    assert go_on(request, tmp_path / "study", 1) == tried


def test_the_same_data_under_another_path_is_the_same_study(request_for, tmp_path):
    request = request_for(RATES)
    tried = go_on(request, tmp_path / "study", 1)
    assert go_on(dataclasses.replace(request, named="elsewhere/toy"), tmp_path / "study", 1) == tried


def test_a_folder_that_holds_something_else_is_refused_and_left_as_it_is(request_for, tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("all of it")
    refused(request_for(RATES), tmp_path / "thesis", r"thesis holds other files \(it has no study.json\)")
    assert [path.name for path in (tmp_path / "thesis").iterdir()] == ["chapter.txt"]


def test_a_damaged_study_json_is_named_and_kept(request_for, tmp_path):
    go_on(request_for(RATES), tmp_path / "study", 1)
    file = tmp_path / "study" / "study.json"
    file.write_text('{"format_version": 1, "dataset": {}}')
    refused(request_for(RATES), tmp_path / "study", r"study\.json: fixed is missing or damaged")
    assert file.read_text() == '{"format_version": 1, "dataset": {}}'


def test_two_searches_in_one_folder_at_a_time_are_refused(request_for, tmp_path):
    request = request_for(RATES)
    with opened_study(tmp_path / "study", request):
        refused(request, tmp_path / "study", "is searching in this study; wait until it ends")
    assert len(go_on(request, tmp_path / "study", 1)) == 1


def test_a_search_that_ends_by_an_error_leaves_the_folder_to_the_next(request_for, tmp_path):
    request = request_for(RATES)
    with pytest.raises(KeyboardInterrupt), opened_study(tmp_path / "study", request):
        raise KeyboardInterrupt
    assert len(go_on(request, tmp_path / "study", 1)) == 1


def test_a_line_that_a_killed_process_half_wrote_does_no_harm(request_for, tmp_path):
    request, journal = request_for(RATES), tmp_path / "study" / "study.journal"
    tried = go_on(request, tmp_path / "study", 3)
    journal.write_bytes(journal.read_bytes() + b'{"op_code": 4, "work')
    assert go_on(request, tmp_path / "study", 4)[:3] == tried
    assert len(go_on(request, tmp_path / "study", 4)) == 4


def test_the_next_search_does_not_wait_for_optunas_lock_of_a_killed_process(request_for, tmp_path, monkeypatch):
    go_on(request_for(RATES), tmp_path / "study", 1)
    (tmp_path / "study" / "study.journal.lock").symlink_to("study.journal")
    monkeypatch.setattr(time, "sleep", lambda seconds: pytest.fail("waits for a process that is gone"))
    assert len(go_on(request_for(RATES), tmp_path / "study", 2)) == 2


def test_a_search_that_was_killed_at_its_first_write_begins(request_for, tmp_path):
    request = request_for(RATES)
    tried = go_on(request, tmp_path / "whole", 1)
    go_on(request, tmp_path / "study", 0)
    (tmp_path / "study" / "study.journal").write_bytes(b'{"op_code": 0, "wor')
    assert go_on(request, tmp_path / "study", 1) == tried


def test_other_damage_of_the_journal_is_named(request_for, tmp_path):
    request, journal = request_for(RATES), tmp_path / "study" / "study.journal"
    go_on(request, tmp_path / "study", 1)
    journal.write_text("something else\n" + journal.read_text())
    refused(request, tmp_path / "study", r"study\.journal: cannot be read .*put a copy of it back, or search again")
