"""Item vectors for TensorBoard's projector."""

import json

import numpy as np
import pytest
from tensorboard.backend.event_processing import data_provider, plugin_event_multiplexer
from tensorboard.plugins import base_plugin
from tensorboard.plugins.projector import projector_plugin
from werkzeug.test import Client

from remi_tf.errors import InputError
from remi_tf.report import projector
from remi_tf.report.projector import write_projector
from remi_tf.settings.settings import Settings
from tests.counted_toys import counted, log
from tests.evaluation_toys import NUM_ITEMS, TinyModel
from tests.report_toys import NASTY, make_dataset
from tests.serving_toys import StandIn


def make_run(path, model, **facts):
    dataset = make_dataset(path / "data", **facts)
    (path / "run").mkdir()
    return StandIn(path=path / "run", model=model, dataset=dataset, catalogue=dataset, settings=Settings())


def rows(folder, name):
    return [line.split("\t") for line in (folder / name).read_text(encoding="utf-8").split("\n")[:-1]]


def test_every_item_has_its_vector_and_its_line_whatever_its_title(tmp_path):
    run = make_run(tmp_path, TinyModel(), titles=NASTY, categories=True)
    folder, number = write_projector(run)
    assert folder == run.path / "tensorboard" / "projector" and number == NUM_ITEMS
    vectors = np.array(rows(folder, "vectors.tsv"), float)
    np.testing.assert_allclose(vectors, run.model.item_table.numpy()[1:], rtol=1e-5)
    head, *lines = rows(folder, "metadata.tsv")
    assert head == ["id", "title", "category", "count"] and {len(line) for line in lines} == {4}
    assert lines[0][0] == "item <1>" and lines[6][1] == "turned \ufffd around, bell \ufffd, tab end"
    assert [line[2] for line in lines[:3]] == ["a", "b", "<c>"]
    counts = np.bincount(run.dataset.train.items, minlength=NUM_ITEMS + 1)
    assert [int(line[3]) for line in lines] == counts[1:].tolist()


def test_a_long_title_is_shortened_as_on_the_page(tmp_path):
    run = make_run(tmp_path, TinyModel(), titles=["x" * 5000, "漢" * 300, "short"])
    first, second, third = rows(write_projector(run)[0], "metadata.tsv")[1:4]
    assert first[1] == "x" * 99 + "…" and second[1] == "漢" * 49 + "…" and third[1] == "short"


def test_without_titles_and_categories_their_cells_are_empty(tmp_path):
    folder, _ = write_projector(make_run(tmp_path, TinyModel()))
    assert {tuple(line[1:3]) for line in rows(folder, "metadata.tsv")[1:]} == {("", "")}


def test_only_the_most_popular_items_are_written(tmp_path, monkeypatch):
    monkeypatch.setattr(projector, "MOST_ITEMS", 7)
    folder, number = write_projector(make_run(tmp_path, TinyModel()))
    assert number == 7 and len(rows(folder, "vectors.tsv")) == 7
    assert rows(folder, "metadata.tsv")[-1][0] == "item <7>"


def test_what_is_there_is_not_replaced_unasked(tmp_path):
    run = make_run(tmp_path, TinyModel())
    write_projector(run)
    with pytest.raises(InputError, match=r"projector exists already; .* add --overwrite"):
        write_projector(run)
    write_projector(run, overwrite=True)


def test_counted_models_have_no_vectors(tmp_path):
    run = make_run(tmp_path, counted("Pop", log([1, 2]), NUM_ITEMS))
    with pytest.raises(InputError, match="--projector: SA has no item vectors to show; leave it out"):
        write_projector(run)
    assert not (run.path / "tensorboard").exists()


@pytest.mark.trains
def test_tensorboard_finds_it_below_the_run(tmp_path):
    run = make_run(tmp_path, TinyModel(), titles=NASTY)
    write_projector(run)
    multiplexer = plugin_event_multiplexer.EventMultiplexer()
    multiplexer.AddRunsFromDirectory(str(run.path))
    multiplexer.Reload()
    provider = data_provider.MultiplexerDataProvider(multiplexer, str(run.path))
    plugin = projector_plugin.ProjectorPlugin(base_plugin.TBContext(logdir=str(run.path), data_provider=provider))
    apps = plugin.get_plugin_apps()
    (name,) = json.loads(Client(apps["/runs"]).get("/runs").data)
    assert name == "tensorboard/projector"
    info = json.loads(Client(apps["/info"]).get(f"/info?run={name}").data)
    (embedding,) = info["embeddings"]
    assert embedding["tensorShape"] == [NUM_ITEMS, 4]
    metadata = Client(apps["/metadata"]).get(f"/metadata?run={name}&name=items").data.decode()
    assert metadata.splitlines()[0] == "id\ttitle\tcategory\tcount"
