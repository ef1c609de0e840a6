"""The vectors of a run for other engines: those of its items and, of a log, its users' interests.

vectors.json   the manifest: form, what scores are, the run's step and dataset, sizes and checksums of the files
and the files of vector_files.py
"""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from absl import logging

from remi_tf.data.dataset.catalogue import Catalogue
from remi_tf.doctor import versions
from remi_tf.errors import InputError
from remi_tf.files import atomic_folder
from remi_tf.manifests import describe, write_manifest
from remi_tf.recommending.histories import Histories
from remi_tf.recommending.index_folder import finite_vectors
from remi_tf.recommending.index_search import diverged
from remi_tf.recommending.known import Known
from remi_tf.recommending.log_parts import LogFiles, histories_of, interactions_bar
from remi_tf.recommending.profiles import Profiles
from remi_tf.recommending.recommender import Recommender
from remi_tf.recommending.vector_files import MANIFEST, VectorFiles
from remi_tf.serving.graph import SPECS
from remi_tf.serving.readers import User

KIND, FORMAT_VERSION = "vectors", 1


class UserVectors(NamedTuple):
    """users: [B] positions in the histories; vectors: [B, K, d] float32; active: [B, K] bool, false for an interest
    that a user does not have: its vector repeats the first one."""

    users: np.ndarray
    vectors: np.ndarray
    active: np.ndarray


def write_vectors(
    recommender: Recommender,
    output: str | Path,
    log: LogFiles | None = None,
    *,
    form: str = "parquet",
    profiles: Any = None,
    known: Known | None = None,
    overwrite: bool = False,
    progress: bool = True,
) -> dict[str, int]:
    """Write the vectors of all items and, with a log, of its users into the folder `output`, whole or not at all.

    An item's score is its largest inner product with an interest of the user; for models of cosines all vectors have
    length 1. A boost is not in them. Memory is bounded as in `score_files`, for a log of any size.

    Args:
      form: parquet or npy (vector_files.py).
      profiles: as `Recommender.recommend`; users are named by texts.
      known: where it is counted how much of the log the catalogue knows. A user without a known item has no interests,
        and is left out.
      overwrite: replace a folder that this function wrote.

    Returns:
      items and users: how many were written.

    Raises:
      InputError: the run is of a counted model or has diverged, a file, column or row cannot be used, no item of the
        log is known, or `output` may not be replaced.
      OSError: the disk is full; the message names `output`.
    """
    run, output, known = recommender.run, Path(output), known or Known()
    items, of_users = finite_vectors(run), recommender.profiles(profiles)
    users = 0
    with atomic_folder(output, MANIFEST, overwrite) as folder:
        about: dict[str, Any] = {"scores": "cosine" if run.model.by_cosine else "inner product", "step": run.step}
        files = VectorFiles(folder, form, {name: str(value) for name, value in about.items()})
        rows = np.setdiff1d(np.arange(1, len(items)), run.catalogue.removed)
        files.write_items(run.catalogue.vocabulary.raw_ids(rows.tolist()), items[rows], **of_items(run.catalogue, rows))
        if log is not None:
            with tempfile.TemporaryDirectory(dir=folder) as parts, files.users() as write:
                for names, found in _of_log(recommender, log, Path(parts), of_users, known, progress):
                    write(names, found.vectors, found.active)
                    users += len(names)
        counts = {"items": len(rows), "users": users}
        about |= {**counts, "form": form, "dim": items.shape[1], "boost_left_out": run.model.boost is not None}
        about["dataset"] = {"name": run.catalogue.name, "fingerprint": run.catalogue.fingerprint}
        listed = describe(folder, files.names)
        write_manifest(folder / MANIFEST, KIND, FORMAT_VERSION, listed, **about, versions=versions())
    return counts


def of_items(catalogue: Catalogue, rows: np.ndarray) -> dict[str, list[str | None]]:
    """What is known of items next to their ids: title and category, where the log has them."""
    found: dict[str, list[str | None]] = {}
    if catalogue.titles is not None:
        found["title"] = [catalogue.titles[row - 1] for row in rows]
    if catalogue.categories is not None:
        names = [None, *catalogue.category_names]
        found["category"] = [names[number] for number in catalogue.categories[rows]]
    return found


def _of_log(
    recommender: Recommender, log: LogFiles, folder: Path, profiles: Profiles, known: Known, progress: bool
) -> Iterator[tuple[list[Any], UserVectors]]:
    """Batches of users of a log: their names and vectors."""
    parts, interactions = histories_of(log, folder, recommender.catalogue, known, progress)
    if known.nothing:
        raise InputError(f"{known.nothing_of(log.names, recommender.catalogue)}; nothing is written")
    graph = recommender.graph
    read = tf.function(graph.user, input_signature=[SPECS[name] for name in graph.inputs["interests"]])
    with interactions_bar("read interests", interactions, progress) as bar:
        for histories in parts:
            for found in _user_vectors(recommender, read, histories, profiles):
                yield [histories.users[position] for position in found.users], found
            bar.update(len(histories.items))
    if message := profiles.verdict():
        logging.warning("%s", message)


def _user_vectors(
    recommender: Recommender, read: Callable[..., User], histories: Histories, profiles: Profiles
) -> Iterator[UserVectors]:
    """The interests of the users, batch by batch, without the users of whom no item is known.

    Args:
      read: the served graph's `user`, as one graph.

    Raises:
      InputError: the run has diverged, or as `Profiles.rows`.
    """
    for positions, _, inputs in recommender.requests(recommender.as_read(histories), profiles):
        user = read(*(inputs[name] for name in recommender.graph.inputs["interests"]))
        assert user.vectors is not None  # of a model with interests
        is_known, vectors = user.known.numpy() > 0, user.vectors.numpy()
        if not user.finite.numpy()[is_known].all():
            raise diverged(recommender.run)
        active = np.ones(vectors.shape[:2], bool) if user.active is None else user.active.numpy()
        if is_known.any():
            yield UserVectors(positions[is_known], vectors[is_known], active[is_known])
