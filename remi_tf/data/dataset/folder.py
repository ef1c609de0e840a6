"""The prepared log: flat memory-mapped arrays per split, with vocabulary, categories and a checksummed manifest.

A dataset folder holds
  manifest.json                   format version, counts, sizes, checksums, how it was made
  items.txt                       raw id of row 1, 2, … (one per line, descending popularity)
  titles.txt                      title of row 1, 2, … (optional)
  categories.npy                  [I + 1] int32 category of each row, 0 = unknown (optional)
  category_names.txt              name of category 1, 2, … (with categories.npy)
  item_features.json, item_*      features of the items (optional; data/features/store.py)
  {split}_items.npy               [n] int32 rows 1..I, the users' sequences end to end, oldest first
  {split}_timestamps.npy          [n] int64 seconds (positions 0, 1, … where the log has no time)
  {split}_offsets.npy             [users + 1] int64, user u owns offsets[u]:offsets[u + 1]
  {split}_cuts.npy                [users] int64, how many of the user's items are history; the rest are targets
  {split}_users.txt               raw user ids
  {split}_profiles.npy            [users, columns] int32 code of each profile value, 0 = unknown (optional; the
                                  manifest's profile_columns say what the codes 1, 2, … of each column are)
for the splits train, valid and test. In train every item is history (cut = length).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from remi_tf.data.dataset.catalogue import CATEGORIES, CATEGORY_NAMES, ITEMS, TITLES, Catalogue
from remi_tf.data.dataset.interactions import SPLITS, Interactions
from remi_tf.data.dataset.manifest import (
    FORMAT_VERSION,
    MANIFEST,
    NUM_COLD,
    PROFILE_COLUMNS,
    REMEDY,
    REPEATS,
    check_files,
    fingerprint,
    read_manifest,
)
from remi_tf.data.dataset.profiles import ProfileColumn, columns_from_json, columns_to_json
from remi_tf.data.dataset.repeats import share_of_repeats
from remi_tf.data.dataset.vocabulary import Vocabulary
from remi_tf.data.features.store import CODES, FEATURES, OFFSETS, Features, check_features
from remi_tf.errors import InputError, command
from remi_tf.files import atomic_folder, write_json
from remi_tf.flat_files import open_array, read_lines, save_array, write_lines
from remi_tf.manifests import describe, seal

DATA = Path("data")  # where datasets are looked up by name, below the current folder
ARRAYS = {"items": np.int32, "timestamps": np.int64, "offsets": np.int64, "cuts": np.int64}
PROFILES = "profiles"


@dataclass(frozen=True, repr=False)
class Dataset(Catalogue):
    """A dataset folder, open for reading."""

    manifest: dict[str, Any]
    train: Interactions
    valid: Interactions
    test: Interactions

    def __repr__(self) -> str:
        users = ", ".join(f"{split} {self.split(split).num_users:,}" for split in SPLITS)
        return f"<Dataset {self.name}: {self.num_items:,} items; users: {users}; in {self.path}>"

    @property
    def has_times(self) -> bool:
        """Whether timestamps are points in time, not just an order; true for a folder not made by prepare."""
        kept = self.manifest["made_by"].get("kept")
        return kept is None or "time_span" in kept

    @cached_property
    def repeats(self) -> float:
        """The share of the training users' targets that repeat an item of their history (see `share_of_repeats`)."""
        share = self.manifest.get(REPEATS)  # older folders do not have it
        return share_of_repeats(self.train) if share is None else float(share)

    def split(self, name: str) -> Interactions:
        """The split called train, valid or test."""
        return {"train": self.train, "valid": self.valid, "test": self.test}[name]

    def user_ids(self, split: str) -> list[str]:
        """Raw user ids of a split, in the order of its offsets."""
        return read_lines(self.path / f"{split}_users.txt")


def write_dataset(
    path: str | Path,
    *,
    name: str,
    splits: dict[str, Interactions],
    users: dict[str, list[str]],
    vocabulary: Vocabulary,
    made_by: dict[str, Any],
    titles: list[str] | None = None,
    categories: np.ndarray | None = None,
    category_names: list[str] | None = None,
    profile_columns: Sequence[ProfileColumn] = (),
    features: Features | None = None,
    num_cold: int = 0,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Write a dataset folder, whole or not at all, and return its manifest.

    Args:
      profile_columns: columns of the users' profiles; if given, every split has profiles.
      features: of the rows 0..I. num_cold: so many of the last items are hidden from training.
      made_by: how it was made (source, files, filters, what was dropped); goes into the manifest unchanged.

    Raises:
      InputError: the folder exists and `overwrite` is false, or a raw id or title holds a line break.
    """
    with atomic_folder(path, MANIFEST, overwrite) as folder:
        vocabulary.save(folder / ITEMS)
        if titles is not None:
            write_lines(folder / TITLES, titles)
        if categories is not None:
            save_array(folder / CATEGORIES, categories.astype(np.int32))
            write_lines(folder / CATEGORY_NAMES, category_names or [])
        if features is not None:
            features.save(folder)
        for split, interactions in splits.items():
            _save_split(folder, split, interactions, bool(profile_columns))
            write_lines(folder / f"{split}_users.txt", users[split])
        written = describe(folder, sorted(file.name for file in folder.iterdir()))
        files = {name: entry["sha256"] for name, entry in written.items()}
        profiles = {PROFILE_COLUMNS: columns_to_json(profile_columns)} if profile_columns else {}
        manifest = {
            "format_version": FORMAT_VERSION,
            "name": name,
            "num_items": len(vocabulary),
            "splits": {
                split: {"users": data.num_users, "interactions": len(data.items)} for split, data in splits.items()
            },
            **profiles,
            **({NUM_COLD: num_cold} if num_cold else {}),
            REPEATS: share_of_repeats(splits["train"]),
            "made_by": made_by,
            "files": files,
            "sizes": {name: entry["bytes"] for name, entry in written.items()},
            "fingerprint": fingerprint({**files, **profiles}),
        }
        write_json(folder / MANIFEST, seal(manifest))
    return manifest


def _save_split(folder: Path, split: str, interactions: Interactions, with_profiles: bool) -> None:
    for array, dtype in ARRAYS.items():
        values = np.ascontiguousarray(getattr(interactions, array), dtype=dtype)
        save_array(folder / f"{split}_{array}.npy", values)
    if with_profiles:
        save_array(folder / f"{split}_{PROFILES}.npy", np.asarray(interactions.profiles, np.int32))


def load_dataset(path: str | Path, verify: bool = True) -> Dataset:
    """Open a dataset folder after checking every file against the manifest.

    Args:
      verify: read every file and compare its checksum; without, only the manifest, sizes and shapes are checked.

    Raises:
      InputError: no dataset there, another format version, or a file that is missing or changed.
    """
    path = Path(path)
    if not (path / MANIFEST).is_file():
        raise InputError(f"{path}: no dataset here; make one with {command('prepare')} --output {path}")
    lists = [f"{split}_{name}" for split in SPLITS for name in (*(f"{array}.npy" for array in ARRAYS), "users.txt")]
    manifest = read_manifest(path, [ITEMS, *lists], [TITLES, CATEGORIES, CATEGORY_NAMES, FEATURES, CODES, OFFSETS])
    check_files(path, manifest, ITEMS, verify)
    columns = columns_from_json(manifest.get(PROFILE_COLUMNS, []))
    names = [*ARRAYS, *([PROFILES] if columns else [])]
    arrays = {
        split: Interactions(**{array: open_array(path / f"{split}_{array}.npy") for array in names}) for split in SPLITS
    }
    for split, interactions in arrays.items():
        _check_shapes(path, split, interactions, manifest["splits"][split], len(columns))
    check_features(path, manifest["num_items"] + 1)
    return Dataset(
        path, manifest["name"], manifest["fingerprint"], manifest["num_items"], profile_columns=columns,
        num_cold=manifest.get(NUM_COLD, 0), manifest=manifest,
        train=arrays["train"], valid=arrays["valid"], test=arrays["test"],
    )  # fmt: skip


def find_dataset(name_or_path: str | Path, verify: bool = True) -> Dataset:
    """The dataset in a folder, or the one of that name below data/.

    Args:
      verify: as of `load_dataset`.

    Raises:
      InputError: there is neither, or it is damaged.
    """
    for path in (Path(name_or_path), DATA / name_or_path):
        if (path / MANIFEST).is_file():
            return load_dataset(path, verify)
    prepare = command("prepare")
    if Path(name_or_path).is_file():
        raise InputError(
            f"--dataset {name_or_path}: this is a raw log; make a dataset folder of it with {prepare} "
            f"--input {name_or_path} … --output data/NAME (see data/README.md)"
        )
    prepared = sorted(path.parent.name for path in DATA.glob(f"*/{MANIFEST}"))
    raise InputError(
        f"--dataset {name_or_path}: no prepared dataset in {name_or_path} or {DATA / name_or_path}; make it with "
        f"{prepare} --output {DATA / name_or_path} … (or --source {name_or_path} …, if it is a log known by name); "
        f"prepared so far: {', '.join(prepared) or 'none'}; see data/README.md"
    )


def _check_shapes(path: Path, split: str, data: Interactions, counts: dict[str, int], columns: int) -> None:
    """Raise InputError unless the arrays of a split have the types and lengths that the manifest says."""
    users, interactions = counts["users"], counts["interactions"]
    shapes = {"items": (interactions,), "timestamps": (interactions,), "offsets": (users + 1,), "cuts": (users,)}
    expected: dict[str, tuple[tuple[int, ...], np.dtype]] = {
        name: (shapes[name], np.dtype(dtype)) for name, dtype in ARRAYS.items()
    }
    if columns:
        expected[PROFILES] = ((users, columns), np.dtype(np.int32))
    for name, (shape, dtype) in expected.items():
        found = getattr(data, name)
        if found.shape != shape or found.dtype != dtype:
            file, said = path / f"{split}_{name}.npy", f"the manifest says {dtype} {shape}"
            raise InputError(f"{file}: {found.dtype} {found.shape}, {said}; {REMEDY}")
    if data.offsets[0] != 0 or data.offsets[-1] != interactions:
        raise InputError(f"{path / f'{split}_offsets.npy'}: the offsets do not span the interactions; {REMEDY}")
