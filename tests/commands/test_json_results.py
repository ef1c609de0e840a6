"""JSON files of results are never written over the answer to another question."""

import json

import pytest

from remi_tf.commands.json_results import refuse_other, write_results
from remi_tf.errors import InputError


def test_question_and_results_are_written_and_may_be_written_again(tmp_path):
    path = tmp_path / "new" / "results.json"
    for number in (1, 2):
        write_results(path, {"split": "test"}, {"metrics": number}, overwrite=False)
    assert json.loads(path.read_text()) == {"split": "test", "metrics": 2}


def test_another_question_needs_overwrite(tmp_path):
    path = tmp_path / "results.json"
    write_results(path, {"split": "test"}, {}, overwrite=False)
    with pytest.raises(InputError, match="with split test, asked for is valid; take another --json, or add --overwrit"):
        write_results(path, {"split": "valid"}, {}, overwrite=False)
    with pytest.raises(InputError, match="not an evaluation of this kind"):
        refuse_other(path, {"compare": {}}, overwrite=False)
    write_results(path, {"split": "valid"}, {}, overwrite=True)
    assert json.loads(path.read_text()) == {"split": "valid"}


def test_older_files_answered_the_question_without_segments_and_diversity(tmp_path):
    path = tmp_path / "results.json"
    path.write_text('{"split": "test"}')
    refuse_other(path, {"split": "test", "segments": False, "diversity": []}, overwrite=False)
    with pytest.raises(InputError, match="with segments False, asked for is True"):
        refuse_other(path, {"split": "test", "segments": True, "diversity": []}, overwrite=False)
