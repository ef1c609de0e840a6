"""The study folder: what is searched, the trials so far, and the run folders of trials.

study.json     what the search was asked for; another one is refused
study.journal  the trials as Optuna keeps them: the truth
trials.json    the trials for people and programs, written anew after each trial
trials/0007    the run folder of a trial
.lock          held by the process that searches here
"""

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from remi_tf.errors import InputError
from remi_tf.files import atomic_folder, write_json
from remi_tf.locks import locked
from remi_tf.tuning.request import Request
from remi_tf.tuning.request_file import STUDY, VERSION, read_study

JOURNAL, TRIALS, RUNS = "study.journal", "trials.json", "trials"
_NAME = "remi_tf"


@contextlib.contextmanager
def opened_study(path: Path, request: Request) -> Iterator[optuna.Study]:
    """The study in the folder `path`, made if there is none; within the block nobody else's to search in.

    Raises:
      InputError: the folder holds another study or something else, or another process searches in it.
    """
    asked = {"format_version": VERSION, **request.to_json()}
    known = read_study(path)
    if known is None:
        with atomic_folder(path, STUDY) as folder:
            write_json(folder / STUDY, asked)
    with locked(path, "searching in this study"):
        refuse_other(path, read_study(path) or {}, asked)
        yield _open(path / JOURNAL)


def refuse_other(path: Path, known: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    """Refuse to go on with a study that was made for something else.

    Raises:
      InputError: naming the first thing that differs, with both values.
    """
    before, now = dict(_named(known)), dict(_named(asked))
    for name in dict.fromkeys((*before, *now)):
        if before.get(name) != now.get(name):
            raise InputError(
                f"{path}: a study with {name} {_in_words(before.get(name))}, and now it is "
                f"{_in_words(now.get(name))}; give it as before, or another --study_dir"
            )


def _named(study: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in study.items():
        if name == "dataset":
            yield from ((f"the dataset's {key}", text) for key, text in value.items())
        elif name == "space":
            yield from ((f"the space of {setting}", choice) for setting, choice in value.items())
        elif name == "fixed":
            yield from ((f"--{setting}", text) for setting, text in value.items())
        else:
            yield f"--{name}", value


def _in_words(value: Any) -> str:
    if value is None:
        return "not there"
    if isinstance(value, bool):
        return "given" if value else "not given"
    return value if isinstance(value, str) else json.dumps(value)


def _open(journal: Path) -> optuna.Study:
    """Optuna's study. The caller holds the folder's lock, so whatever a dead process left of a write can go."""
    journal.with_name(f"{journal.name}.lock").unlink(missing_ok=True)
    _mend(journal)
    try:
        storage = JournalStorage(JournalFileBackend(str(journal)))
        return optuna.create_study(storage=storage, study_name=_NAME, direction="maximize", load_if_exists=True)
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{journal}: cannot be read ({error}); put a copy of it back, or search again") from error


def _mend(journal: Path) -> None:
    """Cut off a last line that was only half written."""
    with contextlib.suppress(FileNotFoundError), open(journal, "r+b") as file:
        content = file.read()
        file.truncate(content.rfind(b"\n") + 1)
