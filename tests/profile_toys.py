"""A log, tables of its users in every form, and the profiles that a dataset keeps of them."""

from pathlib import Path

import numpy as np
import pandas as pd

from remi_tf.commands.prepare import main
from remi_tf.data.dataset.folder import load_dataset, write_dataset
from remi_tf.data.dataset.interactions import SPLITS
from remi_tf.data.dataset.profiles import ProfileColumn

COLUMNS = ["--user_col", "user", "--item_col", "item", "--time_col", "time"]
# u0 … u19; u3 is in no table, u4's gender is missing, u99 is not in the log.
PEOPLE = {f"u{n}": ("FM"[n % 2] if n != 4 else "", str(20 + n % 3), f"job, {n}") for n in [*range(20), 99] if n != 3}


def table(path: Path) -> Path:
    """PEOPLE in the form that the name says."""
    frame = pd.DataFrame([(user, *values) for user, values in PEOPLE.items()], columns=["user", "gender", "age", "job"])
    if path.suffix == ".parquet":
        frame.astype({"age": float}).replace("", None).to_parquet(path)
    elif path.suffix == ".jsonl":
        frame.astype({"age": int}).replace("", None).to_json(path, orient="records", lines=True)
    else:
        frame.to_csv(path, index=False, sep="\t" if ".tsv" in path.name else ",")
    return path


def prepare(log: Path, output: Path, *flags: str):
    assert main(["--input", str(log), *COLUMNS, "--output", str(output), *flags]) == 0
    return load_dataset(output)


def profiles_of(dataset, split: str) -> list[tuple[str, np.ndarray]]:
    """(raw user id, its codes) of a split."""
    return list(zip(dataset.user_ids(split), dataset.split(split).profiles, strict=True))


def profiles_as_text(dataset) -> dict[str, tuple[str, ...]]:
    """Raw user id → the values that its codes stand for, over all splits."""
    found = {}
    for split in SPLITS:
        for user, codes in profiles_of(dataset, split):
            pairs = zip(dataset.profile_columns, codes, strict=True)
            found[user] = tuple(column.values[code - 1] if code else "" for column, code in pairs)
    return found


def with_parity(toy_dataset: Path, path: Path) -> Path:
    """The toy log in the folder `path`, with the clusters' parity as a profile column: even is 1, odd is 2."""
    toy, splits = load_dataset(toy_dataset), {}
    for name in SPLITS:
        split = toy.split(name)
        first = split.items[split.offsets[:-1]]
        splits[name] = type(split)(split.items, split.timestamps, split.offsets, split.cuts, 1 + first[:, None] % 2)
    write_dataset(
        path, name="toy", splits=splits, users={name: toy.user_ids(name) for name in splits},
        vocabulary=toy.vocabulary, made_by={}, profile_columns=[ProfileColumn("parity", ("even", "odd"))],
    )  # fmt: skip
    return path
