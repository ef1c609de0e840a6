"""study.json: what is there, what is missing, and what is damaged."""

import json

import pytest

from remi_tf.errors import InputError
from remi_tf.tuning.request_file import read_study

STUDY = {
    "format_version": 1,
    "dataset": {"name": "toy", "fingerprint": "f" * 64},
    "fixed": {},
    "space": {"beta": [0.0, 1.0]},
    "search": "grid",
}


def written(tmp_path, content):
    file = tmp_path / "study.json"
    file.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return tmp_path


def test_a_study_is_read_as_it_was_written(tmp_path):
    assert read_study(written(tmp_path, STUDY)) == STUDY


def test_where_no_study_is_none_is_found(tmp_path):
    assert read_study(tmp_path) is None
    assert read_study(tmp_path / "nowhere") is None
    (tmp_path / "file").write_text("no folder")
    assert read_study(tmp_path / "file") is None


DAMAGED = [
    (b"", r"not JSON \(.*\); put a copy of it back, or name another --study_dir"),
    (json.dumps(STUDY).encode()[:-5], r"not JSON \(.*\); put a copy of it back"),
    (b'{"dataset": "\xff"}', r"not JSON \(.*\); put a copy of it back"),
    ([STUDY], r"not a study of this version \(1\); name another --study_dir"),
    ({}, r"not a study of this version \(1\)"),
    ({**STUDY, "format_version": 2}, r"not a study of this version \(1\)"),
    ({**STUDY, "dataset": "toy"}, r"dataset is missing or damaged; put a copy of it back, or search again"),
    ({**STUDY, "fixed": None}, r"fixed is missing or damaged"),
    ({**STUDY, "space": [1]}, r"space is missing or damaged"),
    ({name: value for name, value in STUDY.items() if name != "search"}, r"search is missing or damaged"),
]


@pytest.mark.parametrize(("content", "message"), DAMAGED)
def test_a_damaged_study_is_named_with_the_remedy(tmp_path, content, message):
    with pytest.raises(InputError, match=rf"study\.json: {message}") as refused:
        read_study(written(tmp_path, content))
    assert str(refused.value).startswith(f"{tmp_path}/study.json: ") and "\n" not in str(refused.value)
