"""train --dry_run: what a run needs and how long it will take, printed before it is begun. No folder is made."""

import resource
import shutil
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, cast

from remi_tf.counted.memory import available_memory, in_words
from remi_tf.settings.encoders import ENCODERS

if TYPE_CHECKING:
    from remi_tf.training.needs_memory import Part
    from remi_tf.training.plan import Plan
    from remi_tf.training.speed import Speed
    from remi_tf.training.trainer import Trainer

AMPLE = 2
"""Measured: a process grows to at most about this much of what is surely needed at one time."""


def dry_run(plan: "Plan") -> None:
    """Print what the planned run needs in memory, on disk and in time.

    Raises:
      InputError: it does not fit, or cannot be built; what was found before is printed.
    """
    print(f"Dry run: nothing is written to {plan.path}.")
    if ENCODERS[plan.settings.encoder.model_type].counted:
        _print_counted(plan)
        return
    from remi_tf.training.memory_check import available
    from remi_tf.training.needs_memory import needed, run_parts
    from remi_tf.training.plan import make_trainer
    from remi_tf.training.speed import measure

    parts = run_parts(plan.settings, plan.dataset, plan.starts)
    most = needed(parts)
    print(*memory_lines(parts, most, {device: available(device) for device in most}), sep="\n")
    print(*_disk_lines(plan), sep="\n")
    trainer = cast("Trainer", make_trainer(plan))
    print(*speed_lines(trainer, measure(trainer)), sep="\n")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
    print(f"Measured: this process took {in_words(peak)} of memory at most, TensorFlow included.")


def memory_lines(parts: Sequence["Part"], most: dict[str, int], there: dict[str, int | None]) -> list[str]:
    """Device by device: each part, the largest sum of those that are there at one time, and what is available."""
    lines = []
    for device, size in most.items():
        lines.append(f"Memory on {device}, from shapes:")
        lines += [
            f"  {in_words(part.size):>10}  {part.name}, {part.when.value}" for part in parts if part.device == device
        ]
        left = there[device]
        lines.append(f"  {in_words(size):>10}  needed at one time, at least; available: {_verdict(size, left)}")
    return lines


def _verdict(size: int, there: int | None) -> str:
    if there is None:
        return "not known"
    if size > there:
        return f"{in_words(there)}: too little"
    close = "it may not fit, as TensorFlow keeps up to as much again for later"
    return f"{in_words(there)}: {'it fits' if AMPLE * size <= there else close}"


def _disk_lines(plan: "Plan") -> list[str]:
    """Sizes of the checkpoints, and what is free where they will lie."""
    from remi_tf.training.checkpoints import KEEP
    from remi_tf.training.needs_memory import checkpoint_bytes, mapped_bytes

    state, best = checkpoint_bytes(plan.settings, plan.dataset)
    total = KEEP * (state + best) + max(state, best)
    folder = next(path for path in (plan.path.absolute(), *plan.path.absolute().parents) if path.is_dir())
    return [
        f"Files of the log, read through memory maps (they give way): {in_words(mapped_bytes(plan.dataset.train))}",
        f"Checkpoints: {KEEP} states of {in_words(state)} and {KEEP} best weights of {in_words(best)}, one more while",
        f"  it is saved: {in_words(total)}; free on the disk: {in_words(shutil.disk_usage(folder).free)}",
    ]


def speed_lines(trainer: "Trainer", speed: "Speed") -> list[str]:
    """Steps per second, the time of all steps, and that of a validation."""
    training, users = trainer.settings.training, trainer.validation.num_users
    number = -(-training.max_steps // training.eval_every)
    scaled = f", from {speed.users:,} of {users:,} users" if speed.users < users else ""
    lines = [
        f"Speed: {1 / speed.step:,.1f} steps per second; {training.max_steps:,} steps without validations: "
        f"{duration(training.max_steps * speed.step)}",
        f"A validation: {duration(speed.validation)}{scaled}; all {number:,} of them: "
        f"{duration(number * speed.validation)}. --patience may end training sooner.",
    ]
    lines.append(f"Not measured: {', '.join(_besides(trainer))}.")
    return lines


def _besides(trainer: "Trainer") -> Iterator[str]:
    """What takes time too."""
    yield "saving checkpoints"
    settings = trainer.settings
    if settings.training.init == "spectral" and trainer.warm_start is None:
        yield "--init spectral, before the first step"
    if settings.boost.boost == "counted":
        yield "--boost counted, after the last step"


def duration(seconds: float) -> str:
    """Seconds → "0.25 s", "3.2 s", "4 min", "2 h 5 min" or "3 d 4 h"."""
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 1 else f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 24 else f"{hours // 24} d {hours % 24} h"


def _print_counted(plan: "Plan") -> None:
    """Of a model that is counted: its tables, which it refuses itself where they do not fit."""
    from remi_tf.systems import counted_bytes, refuse_counted

    size, there = counted_bytes(plan.settings, plan.dataset.num_items), available_memory()
    print(
        f"{plan.settings.encoder.model_type} is counted, not trained, so there are no steps to measure. Its table "
        f"needs about {in_words(size)} of memory; available: {'not known' if there is None else in_words(there)}"
    )
    refuse_counted(plan.settings, plan.dataset.num_items)
