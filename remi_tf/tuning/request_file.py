"""study.json of a study folder, read without Optuna."""

import json
from pathlib import Path
from typing import Any

from remi_tf.errors import InputError

STUDY, VERSION = "study.json", 1
_KEYS = {"dataset": dict, "fixed": dict, "space": dict, "search": str}


def read_study(path: Path) -> dict[str, Any] | None:
    """What the study in the folder `path` was asked for; None where there is none.

    Raises:
      InputError: the file cannot be one.
    """
    file = path / STUDY
    try:
        study = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError as error:
        raise InputError(f"{file}: not JSON ({error}); put a copy of it back, or name another --study_dir") from error
    if not isinstance(study, dict) or study.get("format_version") != VERSION:
        raise InputError(f"{file}: not a study of this version ({VERSION}); name another --study_dir")
    if damaged := [key for key, kind in _KEYS.items() if not isinstance(study.get(key), kind)]:
        raise InputError(f"{file}: {damaged[0]} is missing or damaged; put a copy of it back, or search again")
    return study
