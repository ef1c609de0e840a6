"""Every setting by name: its group, and the other settings under which it is read."""

import dataclasses
from typing import Any, NamedTuple

from remi_tf.settings.boost import BoostSettings
from remi_tf.settings.encoders import ENCODERS, EncoderSettings
from remi_tf.settings.items import ItemSettings
from remi_tf.settings.objective import ObjectiveSettings
from remi_tf.settings.setting import Only
from remi_tf.settings.training import TrainingSettings


class Named(NamedTuple):
    """One setting.

    group: encoder, items, objective, training or boost.
    field: the dataclass field, with default, help and allowed values.
    only: as in `setting`.
    """

    group: str
    field: "dataclasses.Field[Any]"
    only: Only


def known_settings() -> dict[str, Named]:
    """Every setting, in the order of --help.

    An option is read by those encoders in ENCODERS that have it, so a new encoder needs no change here.
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
    groups = {
        "items": ItemSettings,
        "objective": ObjectiveSettings,
        "training": TrainingSettings,
        "boost": BoostSettings,
    }
    for group, cls in groups.items():
        found |= {each.name: Named(group, each, each.metadata["only"]) for each in dataclasses.fields(cls)}
    return found
