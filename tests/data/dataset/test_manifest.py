"""A manifest that lacks something, or was edited, is refused in one line that names the key."""

import json
import shutil
from pathlib import Path

import pytest

from remi_tf.data.dataset.folder import load_dataset
from remi_tf.errors import InputError

OLD = Path(__file__).resolve().parents[2] / "old_folders" / "shop"
"""What version 0.1.0 wrote: no sizes, and no checksum of the manifest itself."""
GONE = object()


@pytest.fixture
def edit(tmp_path):
    """Copies the old folder and changes its manifest."""

    def edit(change):
        path = tmp_path / "shop"
        shutil.copytree(OLD, path, dirs_exist_ok=True)
        manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
        change(manifest)
        (path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        return path

    return edit


def test_an_older_folder_loads_without_sizes(edit):
    assert load_dataset(edit(lambda manifest: None)).num_items == 40


@pytest.mark.parametrize("key", ["name", "num_items", "splits", "made_by", "files", "fingerprint"])
@pytest.mark.parametrize("value", [None, -1, [], GONE])
def test_a_key_that_is_missing_or_of_another_type_is_named(edit, key, value):
    def change(manifest):
        manifest[key] = value
        if value is GONE:
            del manifest[key]

    with pytest.raises(InputError, match=rf"manifest\.json: '{key}' is missing or not what prepare writes; prepare"):
        load_dataset(edit(change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda manifest: manifest.update(num_items=39), "num_items is 39, but items.txt has 40"),
        (lambda manifest: manifest.update(num_items=True), "'num_items' is missing"),
        (lambda manifest: manifest.update(repeats=1.5), "'repeats' is missing or not what prepare writes"),
        (lambda manifest: manifest["files"].clear(), "'files' is missing"),
        (lambda manifest: manifest["files"].update({"../outside": "0" * 64}), "'files' is missing"),
        (lambda manifest: manifest["files"].pop("valid_cuts.npy"), "does not list valid_cuts.npy"),
        (lambda manifest: manifest["files"].pop("titles.txt"), "a value in it was changed"),
        (lambda manifest: manifest.pop("profile_columns"), "a value in it was changed"),
        (lambda manifest: manifest["profile_columns"][0].pop("name"), "'profile_columns' is missing"),
        (lambda manifest: manifest["splits"].pop("test"), "'splits' is missing"),
        (lambda manifest: manifest["splits"]["test"].update(users=1), "test_offsets.npy: int64 .* says int64 (2,)"),
        (lambda manifest: manifest.update(sizes={"items.txt": 1}), "'sizes' and 'files' list different files"),
        (lambda manifest: manifest.update(format_version="1"), "format version '1', this remi_tf reads 1"),
    ],
)
def test_an_edited_manifest_is_refused_also_where_it_has_no_checksum(edit, change, message):
    path = edit(change)
    with pytest.raises(InputError, match=message.replace("(", r"\(").replace(")", r"\)")):
        load_dataset(path)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"text"', "[" * 100_000])
def test_what_is_no_manifest_is_refused_in_one_line(edit, text):
    path = edit(lambda manifest: None)
    (path / "manifest.json").write_text(text)
    with pytest.raises(InputError, match=r"manifest\.json: not .*prepare the dataset again"):
        load_dataset(path)


def test_a_list_of_titles_that_prepare_did_not_write_is_not_used(toy_dataset, tmp_path):
    path = Path(shutil.copytree(toy_dataset, tmp_path / "toy"))
    (path / "titles.txt").write_text("made up\n" * 60)
    with pytest.raises(InputError, match=r"titles\.txt: prepare did not write it .*; remove it"):
        load_dataset(path)
