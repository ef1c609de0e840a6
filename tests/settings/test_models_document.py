"""docs/MODELS.md is true: every setting is there with the default that it has."""

import dataclasses
import re
from pathlib import Path

import pytest

from remi_tf.settings.encoders import ENCODERS, EncoderSettings, encoder_settings
from remi_tf.settings.names import known_settings

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "MODELS.md").read_text(encoding="utf-8")
SHARED = {each.name for each in dataclasses.fields(EncoderSettings)}


def written(value) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


@pytest.mark.parametrize("model_type", ENCODERS)
def test_every_model_has_a_section_that_names_its_own_options_with_their_defaults(model_type):
    section = re.search(rf"^### `{model_type}`\n(.*?)(?=^###? |^# )", TEXT, re.M | re.S)[1]
    paragraph = re.search(r"\*\*Options\*\*: (.*?)(?=\n\* |\n\n)", section, re.S)[1]
    values = {name: value for name, value in vars(encoder_settings(model_type)).items() if name not in SHARED}
    for name, value in values.items():
        assert re.search(rf"`{name}` {re.escape(written(value))}\b", paragraph), f"{model_type}: {name} {value}"
    assert bool(values) or paragraph.startswith("none of its own")
    assert f"`{model_type}`" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_tables_have_every_other_setting_with_its_default():
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]*) \|", TEXT, re.M))
    for name, (group, setting, _) in known_settings().items():
        if group != "encoder" or name in SHARED:
            assert rows.get(name) == written(setting.default), name
