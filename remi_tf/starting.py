"""train.py: from the flags to where training starts: anew, where a run stopped, or with another run's weights."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from remi_tf.config import Settings
from remi_tf.errors import InputError
from remi_tf.presets import resolve, run_name

if TYPE_CHECKING:
    from remi_tf.data.interactions import Dataset
    from remi_tf.run import Run

OWN = ("dataset", "remi", "profile", "run_dir", "resume", "warm_start", "overwrite")
"""The flags of train.py that are no settings."""
LATER = ("max_steps", "patience", "learning_rate")
"""The settings that --resume may change."""


class Start(NamedTuple):
    """What `training.run_training` begins with; warm is the run whose weights a new one takes over."""

    path: Path
    settings: Settings
    dataset: "Dataset"
    resume: bool
    overwrite: bool
    warm: "Run | None" = None


def check(own: dict[str, Any], given: dict[str, Any]) -> None:
    """Refuse flags that do not go together, before TensorFlow is loaded.

    Args:
      own: the flags called OWN; given: the settings given as flags.

    Raises:
      InputError: naming the flag and the remedy.
    """
    mode = next((name for name in ("resume", "warm_start") if own[name]), None)
    if own["run_dir"] is None and mode == "resume":
        raise InputError("--resume needs --run_dir, the folder of the run to go on with")
    if mode == "resume":
        others = [name for name in ("dataset", "remi", "profile", "warm_start", "overwrite") if own[name]]
        refused = [name for name in (*given, *others) if name not in LATER]
        if refused:
            raise InputError(
                f"--resume takes the run's own settings, but for --{', --'.join(LATER)}; leave out --{refused[0]}, or "
                "start another run"
            )
        if given.get("max_steps") == 0:
            raise InputError("--max_steps 0: nothing would be learnt; 0 is for --warm_start, to take a run as it is")
        return
    if own["dataset"] is None:
        raise InputError("--dataset is missing: the name or path of a prepared dataset, such as synthetic")
    if mode is None:
        resolve(Path(own["dataset"]).name, own["profile"] or "default", own["remi"], _asked(given))
    elif own["run_dir"] is None:
        raise InputError("--warm_start needs --run_dir, the folder of the new run")
    elif own["profile"] is not None or own["remi"]:
        name = "remi" if own["remi"] else "profile"
        raise InputError(f"--{name}: --warm_start takes the run's own settings; leave it out")


def start(own: dict[str, Any], given: dict[str, Any]) -> Start:
    """Find the data and decide the settings; arguments as `check`.

    Raises:
      InputError: a run or dataset that is not there, or settings that do not go with them.
    """
    from remi_tf import run, warm_start

    path, profile, remi = own["run_dir"], own["profile"] or "default", own["remi"]
    if own["resume"]:
        settings, dataset = run.read_config(path)
        return Start(path, settings.replace(**given), dataset, True, False)
    dataset = run.find_dataset(own["dataset"])
    if own["warm_start"] is not None:
        before, settings = warm_start.begin(own["warm_start"], given)
        return Start(path, settings, dataset, False, own["overwrite"], before)
    asked = _asked(given)
    settings = resolve(dataset.name, profile, remi, asked, dataset.num_items)
    path = path or Path("runs") / run_name(dataset.name, profile, remi, asked)
    return Start(path, settings, dataset, False, own["overwrite"])


def _asked(given: dict[str, Any]) -> dict[str, Any]:
    return {"model_type": "SA", **given}
