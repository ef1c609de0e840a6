"""Checkpoints on disk: whole, durable and checked. The newest good one is found by looking at the files.

A checkpoint of step N consists of
  ckpt-N.data-*   the numbers, as TensorFlow writes them
  ckpt-N.index    where each of them is
  ckpt-N.json     its manifest: sizes and SHA-256, written last (version 0.1.0 wrote none)
and next to them the file `checkpoint` names the newest one for other programs. It is never read here.
"""

import contextlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import tensorflow as tf
from absl import logging

from remi_tf.errors import InputError
from remi_tf.files import atomic_file, sync
from remi_tf.manifests import Files, describe, read_manifest, verify, write_manifest

KIND, VERSION = "checkpoint", 1
KEEP = 2  # the newest, and the one before it for whoever reads it at this moment and for a damaged newest one
STATE_FILE = "checkpoint"
_PART = re.compile(r"ckpt-(\d+)\.(index|json|data-\d+-of-\d+)")
_SAVING = ".saving-"  # begins the names of folders in which a save is under way
_PATTERN = set("[]*?\\{}")


@contextlib.contextmanager
def plain(folder: Path) -> Iterator[Path]:
    """The folder under a name that TensorFlow does not take for a pattern: its own, or a temporary link's."""
    if not _PATTERN & set(str(folder)):
        yield folder
        return
    usable = not _PATTERN & set(tempfile.gettempdir())
    holder = Path(tempfile.mkdtemp(prefix="remi_tf-", dir=None if usable else "/tmp"))
    link = holder / "folder"
    link.symlink_to(folder.resolve(), target_is_directory=True)
    try:
        yield link
    finally:
        link.unlink()
        holder.rmdir()


class CheckpointKeeper:
    """Saves the state of objects in a folder under their step, keeps the newest two, and restores the newest good one.

    A save never changes a checkpoint that is there: it is written under another name, is on the disk, is renamed, gets
    its manifest and its place in the state file, and only then older ones go.

    Args:
      state: what is saved and restored.
      folder: made at the first save.
      whole: whether a checkpoint must hold all of the state and nothing else. Otherwise it must hold what the state
        has so far.
      check: whether checkpoints are compared with their manifests.
    """

    def __init__(self, state: tf.train.Checkpoint, folder: Path, *, whole: bool = True, check: bool = True):
        self.state, self.folder, self.whole, self.check = state, folder, whole, check
        self._good: list[int] = []  # steps of checkpoints that were saved or found good here, the newest last

    @property
    def newest(self) -> Path | None:
        """The newest one that was saved or found good here, as TensorFlow names it: without an ending."""
        return self.folder / f"ckpt-{self._good[-1]}" if self._good else None

    def steps(self) -> list[int]:
        """Steps of which there is any file, the newest first.

        Raises:
          InputError: the folder is a file.
        """
        if self.folder.exists() and not self.folder.is_dir():
            raise InputError(f"{self.folder}: a file, where a folder of checkpoints belongs; move it away")
        return sorted({step for step, _ in self._files()}, reverse=True)

    def save(self, step: int) -> None:
        """Save the state as the newest checkpoint.

        Raises:
          InputError: the disk is full, or the folder cannot be written. What was there stays.
        """
        self.steps()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._clear_up()
            temporary = Path(tempfile.mkdtemp(dir=self.folder, prefix=_SAVING))
            try:
                self._put(step, self._write(temporary, step), temporary)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
            self._good = [*(other for other in self._good if other != step), step][-KEEP:]
            self._write_state_file()
            for other in self.steps():
                if other not in self._good:
                    self.remove(other)
        except (OSError, tf.errors.OpError) as error:
            reason = (error.strerror if isinstance(error, OSError) else error.message) or str(error)
            raise InputError(
                f"{self.folder}: step {step} cannot be saved ({reason.splitlines()[0]}); what was saved before is "
                "whole: make room and go on with --resume"
            ) from error

    def restore(self) -> int | None:
        """Take up the newest good checkpoint. Damaged ones are left out with a warning.

        Returns:
          Its step, or None where there is none, not even a damaged one.

        Raises:
          InputError: all are damaged.
        """
        return self._newest_good(self._restore)

    def newest_good(self) -> int | None:
        """The step that `restore` would take, with the same warnings and errors; nothing is restored."""
        return self._newest_good(lambda step: None)

    def remove(self, step: int) -> None:
        """Delete a checkpoint: its manifest first, so that what is left of it is never taken for a whole one."""
        paths = [path for number, path in self._files() if number == step]
        for path in sorted(paths, key=lambda path: (path.suffix != ".json", path.suffix != ".index")):
            path.unlink(missing_ok=True)
        self._good = [other for other in self._good if other != step]

    def fault(self, step: int) -> str | None:
        """What is wrong with the files of a checkpoint, as the beginning of a message; None if nothing is."""
        manifest, then = self.folder / f"ckpt-{step}.json", f"step {step} is left out"
        try:
            names = {path.name for number, path in self._files() if number == step} - {manifest.name}
            if not manifest.exists() or not self.check:
                missing = f"ckpt-{step}.index" if f"ckpt-{step}.index" not in names else f"ckpt-{step}.data"
                if len(names) < 2:
                    return f"{self.folder / missing}: missing; {then}"
                return None if not self.check else self._unreadable(step)
            files = read_manifest(manifest, KIND, VERSION, then)["files"]
            if f"ckpt-{step}.index" not in files or not all(name.startswith(f"ckpt-{step}.") for name in files):
                return f"{manifest}: the manifest of another checkpoint; {then}"
            verify(self.folder, files, then)
        except (InputError, OSError) as error:
            return str(error) if isinstance(error, InputError) else f"{manifest}: {error}; {then}"
        return None

    def _newest_good(self, use: Callable[[int], str | None]) -> int | None:
        """The newest step without a fault that can be put to `use`, which returns what is wrong with it."""
        faults: list[str] = []
        for step in self.steps():
            fault = self.fault(step) or use(step)
            if fault is None:
                for line in faults:
                    logging.warning("%s, and step %s is used", line, step)
                self._good = [step]
                return step
            faults.append(fault)
        if faults:
            raise InputError(f"{faults[0]}, and {self.folder} has no other good checkpoint")
        return None

    def _restore(self, step: int) -> str | None:
        """Take up one checkpoint; what is wrong with it, if it cannot be read or is not this model's."""
        try:
            with plain(self.folder) as folder:
                status = self.state.restore(str(folder / f"ckpt-{step}"))
            status.expect_partial()  # no lines of TensorFlow's own about what the next line finds
            status.assert_consumed() if self.whole else status.assert_existing_objects_matched()
        except tf.errors.ResourceExhaustedError:  # the device's memory, not the file
            raise
        except Exception as error:  # TensorFlow has no common type for what damaged files lead to
            return self._cannot_be_read(step, error)
        return None

    def _unreadable(self, step: int) -> str | None:
        """What is wrong with a checkpoint that has no manifest. TensorFlow's own checksums tell when it is read."""
        logging.info("%s: step %s has no manifest, so its SHA-256 is not checked", self.folder, step)
        try:
            with plain(self.folder) as folder:
                reader = tf.train.load_checkpoint(str(folder / f"ckpt-{step}"))
                for name in reader.get_variable_to_shape_map():
                    reader.get_tensor(name)
        except Exception as error:
            return self._cannot_be_read(step, error)
        return None

    def _cannot_be_read(self, step: int, error: Exception) -> str:
        reason = str(error).strip().splitlines()
        what = f"{type(error).__name__}: {reason[0][:200]}" if reason else type(error).__name__
        return f"{self.folder / f'ckpt-{step}'}: damaged, or not this run's ({what}); step {step} is left out"

    def _write(self, temporary: Path, step: int) -> Files:
        """Write the state into a folder and see it onto the disk; size and checksum by the names it will have."""
        self.state.save_counter.assign_add(1)  # as tf.train.CheckpointManager does
        with plain(temporary) as folder:
            self.state.write(str(folder / f"ckpt-{step}"))
        for path in temporary.iterdir():
            sync(path)
        return describe(temporary, sorted(path.name for path in temporary.iterdir()))

    def _put(self, step: int, files: Files, temporary: Path) -> None:
        """Give what was written its place, then its manifest."""
        self.remove(step)  # left by a process that was killed; an older one is still there
        for name in files:  # the data come before the index in the alphabet: no index without them
            os.rename(temporary / name, self.folder / name)
        sync(self.folder)
        write_manifest(self.folder / f"ckpt-{step}.json", KIND, VERSION, files, step=step)

    def _write_state_file(self) -> None:
        """TensorFlow's list of checkpoints, for version 0.1.0 and other programs."""
        now = time.time()
        with atomic_file(self.folder / STATE_FILE) as file:
            file.write(f'model_checkpoint_path: "ckpt-{self._good[-1]}"\n')
            file.writelines(f'all_model_checkpoint_paths: "ckpt-{step}"\n' for step in self._good)
            file.writelines(f"all_model_checkpoint_timestamps: {now}\n" for _ in self._good)
            file.write(f"last_preserved_timestamp: {now - 1}\n")

    def _clear_up(self) -> None:
        """Remove what killed saves left. One process at a time saves here: the run's lock sees to that."""
        for path in self.folder.iterdir():
            old = re.fullmatch(r"ckpt-\d+_temp", path.name)  # TensorFlow's own, in version 0.1.0
            if (path.name.startswith(_SAVING) or old) and path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)

    def _files(self) -> Iterator[tuple[int, Path]]:
        """(step, file) of everything in the folder that belongs to a checkpoint."""
        for path in self.folder.iterdir() if self.folder.is_dir() else ():
            if found := _PART.fullmatch(path.name):
                yield int(found[1]), path
