"""What a manifest says of a folder's files is checked, and a damaged manifest is named."""

import hashlib
import json

import pytest

from remi_tf.errors import InputError
from remi_tf.manifests import describe, is_unchanged, read_manifest, seal, sha256, verify, write_manifest


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"one\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.bin").write_bytes(bytes(3_000_000))
    write_manifest(tmp_path / "m.json", "toy", 1, describe(tmp_path, ["a.txt", "sub/b.bin"]), step=7)
    return tmp_path


def test_what_was_written_is_read_and_holds(folder):
    manifest = read_manifest(folder / "m.json", "toy", 1, "make it again")
    assert manifest["step"] == 7 and manifest["files"]["a.txt"]["bytes"] == 4
    verify(folder, manifest["files"], "make it again")
    assert sha256(folder / "sub" / "b.bin") == hashlib.sha256(bytes(3_000_000)).hexdigest()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"two\n", "a.txt: its bytes are not those"),
        (b"one", "a.txt: 3 bytes, 4 were written"),
        (None, "a.txt: missing"),
    ],
)
def test_a_file_that_is_another_shorter_or_gone_is_named(folder, content, message):
    files = read_manifest(folder / "m.json", "toy", 1, "make it again")["files"]
    (folder / "a.txt").unlink() if content is None else (folder / "a.txt").write_bytes(content)
    with pytest.raises(InputError, match=f"{message}.*make it again"):
        verify(folder, files, "make it again")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "export"}, "not the manifest of toy"),
        ({"format_version": 2}, "format version 2, this remi_tf reads 1"),
        ({"files": {}}, "list of files is damaged"),
        ({"files": {"../../etc/passwd": {"bytes": 1, "sha256": ""}}}, "list of files is damaged"),
        ({"files": {"a.txt": "f00"}}, "list of files is damaged"),
        ({"files": ["a.txt"]}, "list of files is damaged"),
    ],
)
def test_a_damaged_manifest_is_refused(folder, change, message):
    path = folder / "m.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(InputError, match=f"m.json: .*{message}.*make it again"):
        read_manifest(path, "toy", 1, "make it again")


@pytest.mark.parametrize(
    ("text", "message"), [("{", "not JSON"), ("[]", "not what was written there"), (None, "missing")]
)
def test_what_is_no_manifest_is_refused(folder, text, message):
    path = folder / "m.json"
    path.unlink() if text is None else path.write_text(text)
    with pytest.raises(InputError, match=f"m.json: {message}"):
        read_manifest(path, "toy", 1, "make it again")


def test_a_value_that_was_changed_is_found(folder):
    path = folder / "m.json"
    path.write_text(path.read_text().replace('"step": 7', '"step": 8'))
    with pytest.raises(InputError, match=r"m\.json: a value in it was changed since it was written; make it again"):
        read_manifest(path, "toy", 1, "make it again")


def test_a_seal_is_of_the_values_not_of_how_they_are_written(folder):
    path = folder / "m.json"
    path.write_text(json.dumps(json.loads(path.read_text()), indent=7, ensure_ascii=True))
    assert read_manifest(path, "toy", 1, "make it again")["step"] == 7
    assert is_unchanged(json.loads(json.dumps(seal({"pair": (1, 2.5), "é": {3: None}}))))
    assert is_unchanged({"of": "an older version"})


def test_without_checksums_sizes_are_still_compared(folder):
    files = read_manifest(folder / "m.json", "toy", 1, "make it again")["files"]
    (folder / "a.txt").write_bytes(b"two\n")
    verify(folder, files, "make it again", checksums=False)
    (folder / "a.txt").write_bytes(b"three\n")
    with pytest.raises(InputError, match=r"a\.txt: 6 bytes, 4 were written"):
        verify(folder, files, "make it again", checksums=False)
