"""What a page is made of, of tiny models: a dataset with titles that try to break out, and its findings."""

from pathlib import Path
from unittest.mock import patch

import numpy as np

from remi_tf.data.dataset.folder import load_dataset, write_dataset
from remi_tf.data.dataset.vocabulary import Vocabulary
from remi_tf.encoders.base import Interests
from remi_tf.report.gather import Asked, gather
from remi_tf.settings.settings import Settings
from tests.evaluation_toys import NUM_ITEMS, TinyModel, interactions, random_users
from tests.serving_toys import Routed, StandIn

NASTY = (
    "<script>alert(1)</script>",
    "\"quotes\" & 'more' <b>",
    "שלום עולם",
    "😀 emoji 👩‍👩‍👧",
    "an endless title " * 30,
    "$x_1$ is no formula",
    "turned \u202e around, bell \x07, tab\tend",
    "<img src=x onerror=document.title='hacked'>",
    "</svg></style><h1>out</h1>",
    "x" * 300,
)


class OneVector(TinyModel):
    """One interest, without routing."""

    def encode(self, history, **features):
        return Interests(self.interests(history)[:, :1])


def routed(seed=0):
    """Two interests that tell what they read."""
    return Routed(NUM_ITEMS, seed)


def make_dataset(folder: Path, titles=None, categories=False, num_users=12):
    """A dataset of `NUM_ITEMS` items. titles: are repeated until every item has one."""
    parts = {name: interactions(*random_users(num_users, seed)) for seed, name in enumerate(("train", "valid", "test"))}
    write_dataset(
        folder,
        name="tiny & <b>small</b>",
        splits=parts,
        users={name: [f"<i>{name}</i> {user}" for user in range(num_users)] for name in parts},
        vocabulary=Vocabulary([f"item <{row}>" for row in range(1, NUM_ITEMS + 1)]),
        made_by={"kept": {}},
        titles=[titles[row % len(titles)] for row in range(NUM_ITEMS)] if titles else None,
        categories=np.concatenate([[0], 1 + np.arange(NUM_ITEMS) % 3]) if categories else None,
        category_names=["a", "b", "<c>"] if categories else None,
    )
    return load_dataset(folder)


def stand_ins(dataset, models, settings=None):
    """Patches `gather` so that the run in the folder of a name has that model. Without ItemKNN, which takes seconds."""
    settings = settings or Settings().replace(exclude_history="no", max_steps=77)
    content = {"versions": {"remi_tf": "1.2", "python": "3.11", "scann": None}, "git_revision": "abcdef0123456789"}

    def load(path, verify=True):
        return StandIn(model=models[path.name], settings=settings, path=path, step=20)

    return patch.multiple(
        "remi_tf.report.gather",
        load_saved_run=load,
        read_config=lambda path, verify=True: (settings, dataset),
        read_run_config=lambda path, check: StandIn(content=content),
        item_knn=lambda *arguments, **options: (None, "ItemKNN is left out"),
    )


def write_measurements(folder: Path) -> None:
    """metrics.jsonl of two validations."""
    folder.mkdir(exist_ok=True)
    (folder / "metrics.jsonl").write_text(
        '{"step": 10, "loss_softmax": 3.5, "valid_recall@20": 0.1, "valid_recall@50": 0.2, "valid_ndcg@50": 0.1}\n'
        '{"step": 20, "loss_softmax": 2.5, "valid_recall@20": 0.2, "valid_recall@50": 0.4, "valid_ndcg@50": 0.2}\n'
    )


def findings(folder: Path, *models, asked=None, titles=NASTY, categories=True, measured=True):
    """What `gather` finds of one or two models, whose folders are called A and B."""
    dataset = make_dataset(folder / "data", titles, categories)
    paths = [folder / name for name in "AB"[: len(models)]]
    for path in paths if measured else []:
        write_measurements(path)
    with stand_ins(dataset, dict(zip("AB", models, strict=False))):
        return gather(paths, asked or Asked())
