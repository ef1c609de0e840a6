"""Spaces that are known by name: those of the papers, and one for a log of one's own."""

from pathlib import Path
from typing import Any

from remi_tf.errors import InputError
from remi_tf.settings.encoders import ENCODERS
from remi_tf.settings.names import known_settings
from remi_tf.settings.presets import MODEL_ALIASES
from remi_tf.tuning.space import Space, parse_space, read_space

DEFAULT = "default"
PAPERS: dict[str, dict[str, Any]] = {
    # REMI: the best K of each baseline.
    "interests": {"num_interests": [2, 4, 6, 8]},
    # REMI: the grid for MIND and Re4.
    "mind_re4": {"learning_rate": [1e-3, 3e-3, 5e-3], "weight_decay": [1e-6, 1e-5]},
    # REMI: how hard the negatives of IHN are.
    "beta": {"beta": [0.1, 1.0, 4.0, 10.0]},
}
NAMES = (DEFAULT, *PAPERS)

# What matters for most models; wide around the values that were best in docs/RESULTS.md.
_TRAINED: dict[str, Any] = {"learning_rate": {"low": 3e-4, "high": 1e-2, "log": True}}
_REMI: dict[str, Any] = {
    "beta": {"low": 0.1, "high": 10.0, "log": True},
    "rr_lambda": {"low": 0.5, "high": 200.0, "log": True},
}
_DROPOUT: dict[str, Any] = {"low": 0.0, "high": 0.6}


def find_space(asked: str, model_type: str, remi: bool) -> Space:
    """A space by its name, or by the path of its JSON file.

    Args:
      model_type, remi: what the default space is for.

    Raises:
      InputError: neither a name nor a file, or as `parse_space`.
    """
    if asked in PAPERS:
        return parse_space(f"--space {asked}", PAPERS[asked])
    if asked == DEFAULT:
        return parse_space(f"--space {asked}", _default(model_type, remi))
    if not Path(asked).is_file():
        raise InputError(f"--space {asked}: no such file, and no name of a space; name a JSON file, or {_listed()}")
    return read_space(Path(asked))


def _listed() -> str:
    return f"{', '.join(NAMES[:-1])} or {NAMES[-1]}"


def _default(spelling: str, remi: bool) -> dict[str, Any]:
    remi = remi or spelling == "REMI"
    model_type = MODEL_ALIASES.get(spelling, {"model_type": spelling})["model_type"]
    if model_type not in ENCODERS:
        return _TRAINED  # the settings refuse it, in their own words
    if ENCODERS[model_type].counted:
        raise InputError(
            f"--space {DEFAULT}: {model_type} is counted, and train chooses its options on validation users by "
            "itself; train it, or name a JSON file with what to search"
        )
    dropout = ("dropout", "history_dropout") if remi else ("dropout",)
    has = [name for name in dropout if model_type in known_settings()[name].only["model_type"]]
    return {**_TRAINED, **(_REMI if remi else {}), **dict.fromkeys(has, _DROPOUT)}
