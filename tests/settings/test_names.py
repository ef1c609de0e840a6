"""Every setting by its name: its group and its readers."""

import dataclasses

from remi_tf.settings.boost import BoostSettings
from remi_tf.settings.encoders import ENCODERS
from remi_tf.settings.items import ItemSettings
from remi_tf.settings.names import known_settings
from remi_tf.settings.objective import ObjectiveSettings
from remi_tf.settings.training import TrainingSettings


def test_a_setting_has_one_group():
    groups = {name: set() for name in ("encoder", "items", "objective", "training", "boost")}
    for name, known in known_settings().items():
        groups[known.group].add(name)
    objective, training, boost, items = (
        {each.name for each in dataclasses.fields(group)}
        for group in (ObjectiveSettings, TrainingSettings, BoostSettings, ItemSettings)
    )
    options = {each.name for entry in ENCODERS.values() for each in dataclasses.fields(entry.settings)}
    others = {"objective": objective, "training": training, "boost": boost, "items": items}
    assert groups == {"encoder": options, **others}
    assert sum(map(len, groups.values())) == len(options.union(*others.values()))


def test_an_option_of_some_encoders_is_read_only_with_those_and_what_all_have_with_every_one():
    known = known_settings()
    everybodys = set.intersection(*({f.name for f in dataclasses.fields(e.settings)} for e in ENCODERS.values()))
    for model_type, entry in ENCODERS.items():
        options = {each.name for each in dataclasses.fields(entry.settings)}
        for name in options:
            readers = known[name].only.get("model_type")
            assert (readers is None) == (name in everybodys)
            assert readers is None or model_type in readers
        for name in set(known) - options:
            assert model_type not in known[name].only.get("model_type", ())


def test_what_a_setting_depends_on_are_settings_and_values_that_exist():
    known = known_settings()
    for name, (_, field, only) in known.items():
        for other, values in only.items():
            choices = known[other].field.metadata["choices"] or tuple(ENCODERS)
            assert set(values) <= set(choices), name
        assert field.metadata["switch"] is None or field.metadata["switch"] in known
