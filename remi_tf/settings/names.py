"""Every setting by its name: which group it belongs to and under which other settings it is read."""

import dataclasses
from typing import Any, NamedTuple

from remi_tf.settings.encoders import ENCODERS, EncoderSettings
from remi_tf.settings.objective import ObjectiveSettings
from remi_tf.settings.setting import Only
from remi_tf.settings.training import TrainingSettings


class Named(NamedTuple):
    """group: encoder, objective or training; field: default, help and what it takes; only: as in `setting`."""

    group: str
    field: "dataclasses.Field[Any]"
    only: Only


def known_settings() -> dict[str, Named]:
    """Every setting there is, in the order of --help.

    Which encoders read an option follows from which of ENCODERS have it, so a new encoder changes nothing here.
    """
    owners: dict[str, list[str]] = {}
    options: dict[str, dataclasses.Field[Any]] = {}
    for model_type, entry in ENCODERS.items():
        for each in dataclasses.fields(entry.settings):
            owners.setdefault(each.name, []).append(model_type)
            options.setdefault(each.name, each)
    shared = {each.name for each in dataclasses.fields(EncoderSettings)}
    found = {
        name: Named("encoder", each, {} if name in shared else {"model_type": tuple(owners[name])})
        for name, each in options.items()
    }
    for group, cls in (("objective", ObjectiveSettings), ("training", TrainingSettings)):
        found |= {each.name: Named(group, each, each.metadata["only"]) for each in dataclasses.fields(cls)}
    return found
