"""index.py: what is stored, what is refused, and vectors for other engines."""

import json

import numpy as np
import pytest

from remi_tf.commands.export import main as export_command
from remi_tf.commands.index import main as index_command
from remi_tf.errors import InputError
from remi_tf.recommending import index_folder as indexing
from remi_tf.recommending.index_folder import build_index, open_index
from remi_tf.retrieval.top_k import top_k
from tests.damage import damages
from tests.full_disks import no_file_above
from tests.serving_toys import NUM_ITEMS, RAW_IDS, Cosine, TinyModel, make_dataset, make_run


@pytest.fixture
def run(tmp_path, monkeypatch):
    run = make_run(tmp_path / "run", TinyModel(), make_dataset(tmp_path / "data"))
    run.dataset = run.catalogue
    monkeypatch.setattr("remi_tf.training.run_folder.load_saved_run", lambda path, **_: run)
    return run


def main(run, *flags):
    return index_command(["--run_dir", str(run.path), *flags])


@pytest.mark.parametrize("kind", ["flat", "hnsw", "ivf"])
def test_an_index_is_stored_with_its_recall_and_searched_after_loading(run, kind, capsys):
    assert main(run, "--kind", kind, "--top_n", "20", "--effort", "300", "--min_recall", "0.5") == 0
    manifest = json.loads((run.path / "index" / "index.json").read_text())
    assert f"recall@20 {manifest['recall']['value']:.4f} against exact search" in capsys.readouterr().out
    index = open_index(run.path / "index", run)
    interests = np.random.default_rng(0).standard_normal((5, 2, 8)).astype(np.float32)
    ids, _ = index.search(interests, 20)
    exact, _ = top_k(interests, run.model.item_table, 20)
    assert np.mean([len(np.intersect1d(*pair)) / 20 for pair in zip(ids, exact.numpy(), strict=True)]) > 0.95


def test_a_small_catalogue_is_searched_exactly_and_an_index_is_replaced(run):
    assert main(run) == 0 and open_index(run.path / "index", run).kind == "flat"
    with pytest.raises(InputError, match="index exists already; name another folder or add --overwrite"):
        main(run, "--kind", "hnsw")
    assert main(run, "--kind", "hnsw", "--overwrite") == 0 and open_index(run.path / "index", run).kind == "hnsw"


def test_cosines_are_indexed_at_length_one(run):
    run.model = Cosine()
    main(run)
    vectors = open_index(run.path / "index", run).faiss_index.reconstruct_n(0, NUM_ITEMS)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)


def test_an_index_below_the_stated_recall_is_refused_unless_forced(run, monkeypatch):
    monkeypatch.setattr(indexing.ItemIndex, "search", lambda self, interests, k: (np.ones((len(interests), k)), None))
    with pytest.raises(InputError, match=r"recall@50 of the flat index is 0.0\d0 at effort 1, below --min_recall 0.97"):
        main(run)
    assert not (run.path / "index").exists()
    assert main(run, "--force") == 0
    assert json.loads((run.path / "index" / "index.json").read_text())["recall"]["value"] < 0.1


def test_a_stale_index_is_refused(run, tmp_path):
    build_index(run, tmp_path / "index")
    run.model.item_table.assign_add(0.001 * np.ones([NUM_ITEMS + 1, 8]))
    run.step = 60
    with pytest.raises(
        InputError, match=r"built from other weights \(step 30\) than those of .* \(step 60\), or with .*, or build it"
    ):
        open_index(tmp_path / "index", run)
    other = make_run(tmp_path / "other", TinyModel(), make_dataset(tmp_path / "data 2", RAW_IDS[::-1]))
    with pytest.raises(InputError, match=r"built for the dataset tiny \(\w{12}\), the run .* has tiny"):
        open_index(tmp_path / "index", other)


@pytest.mark.trains
def test_export_refreshes_an_index_as_it_was_asked_for(run, capsys):
    main(run, "--kind", "hnsw", "--top_n", "7", "--min_recall", "0.9")
    run.model.item_table.assign_add(0.5 * np.random.default_rng(1).standard_normal([NUM_ITEMS + 1, 8]))
    with pytest.raises(InputError, match="built from other weights"):
        open_index(run.path / "index", run)
    assert export_command(["--run_dir", str(run.path), "--index"]) == 0
    assert "hnsw index of 200 items" in capsys.readouterr().out
    assert open_index(run.path / "index", run).kind == "hnsw"
    recall = json.loads((run.path / "index" / "index.json").read_text())["recall"]
    assert (recall["at"], recall["min_recall"]) == (7, 0.9)
    (run.path / "index" / "index.json").write_text("{}")
    with pytest.raises(InputError, match=r"index.json: not the manifest of index; build it again with python index.py"):
        export_command(["--run_dir", str(run.path), "--index"])


@pytest.mark.parametrize("name", ["index.faiss", "items.txt", "index.json"])
def test_a_damaged_index_is_refused(run, tmp_path, name):
    build_index(run, tmp_path / "index")
    damaged = tmp_path / "index" / name
    damaged.write_bytes(damaged.read_bytes()[:-20])
    with pytest.raises(InputError, match=rf"{name}: .*; build it again with python index.py --run_dir"):
        open_index(tmp_path / "index", run)
    damaged.unlink()
    with pytest.raises(InputError, match=r"missing.*; build it again"):
        open_index(tmp_path / "index", run)


def test_a_diverged_run_and_a_folder_of_other_things_are_refused(run, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("")
    with pytest.raises(InputError, match=r"holds other files \(it has no index.json\)"):
        build_index(run, tmp_path / "mine")
    run.model.item_table.assign(run.model.item_table * np.nan)
    with pytest.raises(InputError, match="an item vector is NaN or infinite"):
        build_index(run, tmp_path / "index")


def test_every_flip_cut_swap_and_loss_of_every_file_of_an_index_is_found(run, tmp_path):
    build_index(run, tmp_path / "index")
    for what, file in damages(tmp_path / "index"):
        with pytest.raises(InputError, match=r"build it again with python index\.py"):
            pytest.fail(f"{what} of {file} was not found: {open_index(tmp_path / 'index', run).kind}")
    assert open_index(tmp_path / "index", run).kind == "flat"


def as_version_1(path):
    """index.json as version 0.1.0 wrote it."""
    manifest = json.loads((path / "index.json").read_text())
    del manifest["manifest_sha256"]
    manifest |= {"format_version": 1, "kind": manifest.pop("index_kind")}
    manifest["files"] = {name: entry["sha256"] for name, entry in manifest["files"].items()}
    (path / "index.json").write_text(json.dumps(manifest))
    return manifest


def test_an_index_of_version_1_still_opens_and_its_damages_are_found(run, tmp_path):
    build_index(run, tmp_path / "index", kind="hnsw")
    manifest = as_version_1(tmp_path / "index")
    assert open_index(tmp_path / "index", run).kind == "hnsw"
    for change in (
        {"kind": "annoy"},
        {"effort": "64"},
        {"files": []},
        {"dataset": None},
        {"recall": {}},
        {"step": None},
    ):
        (tmp_path / "index" / "index.json").write_text(json.dumps({**manifest, **change}))
        with pytest.raises(InputError, match=r"build it again with python index\.py"):
            open_index(tmp_path / "index", run)


def test_without_checksums_what_faiss_cannot_read_is_still_one_line(run, tmp_path):
    build_index(run, tmp_path / "index")
    file = tmp_path / "index" / "index.faiss"
    (tmp_path / "index" / "items.txt").write_bytes((tmp_path / "index" / "items.txt").read_bytes().swapcase())
    assert open_index(tmp_path / "index", run, verify=False).kind == "flat"
    file.write_bytes(b"none" + file.read_bytes()[4:])
    with pytest.raises(InputError, match=r"index\.faiss: Faiss cannot read it .*; build it again"):
        open_index(tmp_path / "index", run, verify=False)
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(InputError, match=r"index\.faiss: [\d,]+ bytes, [\d,]+ were written"):
        open_index(tmp_path / "index", run, verify=False)


def test_two_that_build_one_index_at_once_one_is_refused(run, tmp_path, monkeypatch):
    build, refused = indexing.ItemIndex.build, []

    def meanwhile(*arguments):
        with pytest.raises(InputError, match=r"index: process \d+ on .* is writing it"):
            build_index(run, tmp_path / "index", overwrite=True)
        refused.append(True)
        return build(*arguments)

    monkeypatch.setattr(indexing.ItemIndex, "build", meanwhile)
    build_index(run, tmp_path / "index")
    assert refused and open_index(tmp_path / "index", run).kind == "flat"


@pytest.mark.parametrize("size", [1_000, 5_000])
def test_a_full_disk_keeps_the_old_index(run, tmp_path, size):
    build_index(run, tmp_path / "index")
    with no_file_above(size), pytest.raises(OSError, match="File too large; nothing is left of it") as full:
        build_index(run, tmp_path / "index", kind="hnsw", overwrite=True)
    assert full.value.filename == str(tmp_path / "index")
    assert open_index(tmp_path / "index", run).kind == "flat"
    assert not [entry for entry in tmp_path.iterdir() if entry.name.startswith(".")]
