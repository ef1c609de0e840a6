"""Flags of the original releases (ComiRec, pytorch_ComiRec, REMI), and what to type here instead."""

from collections.abc import Collection
from typing import NamedTuple

from remi_tf.errors import command

THOUSAND = 1000  # the unit of --max_iter


class OtherName(NamedTuple):
    """What a release's flag is here.

    flag: its name here; None if there is none.
    commands: the commands that have that flag.
    note: what else is to be said.
    """

    flag: str | None = None
    commands: tuple[str, ...] = ()
    note: str = ""


def _kept(flag: str) -> OtherName:
    """A flag of train that has the same name in the releases, where every part of them takes it."""
    return OtherName(flag, ("train",), "the run keeps its value")


_LISTS = ("evaluate", "recommend")
_NO_DECAY = "leave it out: the releases never use it, and the learning rate is constant here too"

OTHER_NAMES: dict[str, OtherName] = {
    "-p": OtherName(note="each part is a command of its own"),
    "--dataset": _kept("--dataset"),
    "--model_type": _kept("--model_type"),
    "--embedding_dim": _kept("--embedding_dim"),
    "--hidden_size": OtherName("--embedding_dim", ("train",), "one size of items and interests"),
    "--interest_num": OtherName("--num_interests", ("train",)),
    "--num_interest": OtherName("--num_interests", ("train",)),
    "--maxlen": OtherName("--max_history", ("train",)),
    "--seq_len": OtherName("--max_history", ("train",)),
    "--batch_size": _kept("--batch_size"),
    "--learning_rate": _kept("--learning_rate"),
    "--weight_decay": _kept("--weight_decay"),
    "--dropout": _kept("--dropout"),
    "--patience": _kept("--patience"),
    "--max_iter": OtherName("--max_steps", ("train",), "and counts steps, not thousands of them"),
    "--test_iter": OtherName("--eval_every", ("train",), "in steps too"),
    "--random_seed": OtherName("--seed", ("train",)),
    "--rbeta": OtherName("--beta", ("train",)),
    "--rlambda": OtherName("--rr_lambda", ("train",), "only --recipe released has the scale of REMI's release"),
    "--sampled_n": OtherName("--num_negatives", ("train",)),
    "--sample_prob": OtherName("--sampler", ("train",), "0 is uniform, 1 is log_uniform"),
    "--sampled_loss": OtherName(note="leave it out: the default loss is the sampled softmax (--loss of train)"),
    "--topN": OtherName("--top_n", _LISTS),
    "--coef": OtherName("--diversity", _LISTS),
    "--exp": OtherName(
        "--run_dir", ("train", "evaluate", "export", "index", "recommend", "vectors"), "which takes a folder"
    ),
    "--add_pos": OtherName(note="leave it out: SA always reads positions, as the releases do by default"),
    "--layers": OtherName(note="leave it out: GRU4REC has one layer, as the releases have by default"),
    "--lr_dc": OtherName(note=_NO_DECAY),
    "--lr_dc_step": OtherName(note=_NO_DECAY),
    "--gpu": OtherName(note="put CUDA_VISIBLE_DEVICES=0 before the command instead"),
}


def what_to_type(flag: str, value: str | None, known: Collection[str]) -> str | None:
    """What to say of a flag of the releases that a command does not know; None if they do not have it either.

    Args:
      value: what was given for it, if anything.
      known: the flags of the command.
    """
    if flag == "-p":
        return _part(value, known)
    entry = OTHER_NAMES.get(flag)
    if entry is None:
        return None
    if flag == "--gpu" and value is not None:
        return entry.note.replace("=0", f"={value}")
    if flag == "--sampled_n" and value == "0":
        return f"{flag} {value} is --sampler full of {command('train')} here: every item is a negative"
    if entry.flag is None:
        return entry.note
    name = "" if entry.flag == flag else f" called {entry.flag} here"
    is_here = entry.flag in known
    of = "" if is_here else f"{',' if name else ''} a flag of {' and '.join(map(command, entry.commands))}"
    note = f"; {entry.note}" if entry.note else ""
    if flag == "--max_iter":
        note = f", {entry.note}"
        if value is not None and value.isdecimal():
            note += f": --max_steps {int(value) * THOUSAND}"
    return f"it is{name}{of}{note}"


def _part(value: str | None, known: Collection[str]) -> str:
    """What -p train, -p test and -p output are. Only train has the flag --max_steps."""
    if value == "train" and "--max_steps" in known:
        return f"leave it out: {command('train')} only trains"
    parts = {
        "train": command("train"),
        "test": command("evaluate", "--run_dir", "RUN"),
        "output": command("vectors", "--run_dir", "RUN", "--output", "DIR"),
    }
    if value in parts:
        return f"-p {value} is a command of its own here: {parts[value]}"
    listed = ", ".join(f"-p {name}: {typed}" for name, typed in parts.items())
    return f"{OTHER_NAMES['-p'].note} here ({listed})"
