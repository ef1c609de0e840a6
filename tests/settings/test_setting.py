"""One setting: which values it takes, and whose numbers."""

import dataclasses
from dataclasses import dataclass

import numpy as np
import pytest

from remi_tf.errors import InputError
from remi_tf.settings.setting import SettingGroup, setting
from remi_tf.settings.settings import Settings


def test_a_whole_number_may_stand_for_a_setting_with_fractions():
    settings = Settings().replace(model_type="GRU4REC", beta=0, dropout=0, learning_rate=1)
    assert settings.training.learning_rate == 1 and settings.encoder.dropout == 0


def test_numpys_numbers_are_numbers():
    settings = Settings().replace(model_type="PIMI", num_interests=np.int64(2), dropout=np.float32(0.5))
    assert settings.encoder.num_interests == 2 and settings.encoder.dropout == 0.5


@dataclass(frozen=True)
class Oven(SettingGroup):
    """A group as anybody might declare one."""

    heat: float = setting(180.0, "degrees", above_zero=True)
    salt: float = setting(0.0, "share of salt")
    crust: float = setting(0.0, "share that is cut off", dropped=True)
    loaves: int = setting(2, "how many")
    rests: int = setting(0, "pauses", least=0)
    bread: str = setting("rye", "which", choices=("rye", "wheat"))

    def check(self) -> None:
        if self.bread == "wheat" and self.loaves > 3:
            raise InputError("--loaves: at most three of wheat")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"heat": 0.0}, "--heat 0.0: must be a finite number above 0; the default is 180.0"),
        ({"heat": float("nan")}, "--heat nan"),
        ({"salt": -0.1}, "--salt -0.1: must be a finite number of at least 0"),
        ({"crust": 1.0}, "--crust 1.0: nothing would be left; give a share below 1"),
        ({"salt": "much"}, "--salt 'much': must be a finite number"),
        ({"loaves": 0}, r"--loaves 0: must be 1 or more \(how many\)"),
        ({"loaves": 1.5}, r"--loaves 1.5: must be a whole number \(how many\)"),
        ({"rests": -1}, "--rests -1: must be 0 or more"),
        ({"bread": "oat"}, "--bread 'oat': choose one of rye, wheat"),
        ({"bread": "wheat", "loaves": 4}, "at most three of wheat"),
    ],
)
def test_no_group_with_an_impossible_value_can_be_made(values, message):
    with pytest.raises(InputError, match=message):
        Oven(**values)
    with pytest.raises(InputError, match=message):
        dataclasses.replace(Oven(), **values)


def test_a_group_takes_the_values_at_its_limits_and_never_changes():
    oven = Oven(heat=1e-9, salt=0, loaves=1, rests=0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        oven.loaves = 2
