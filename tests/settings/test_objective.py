"""The settings of the objective: which values go together inside it."""

import dataclasses

import pytest

from remi_tf.errors import InputError
from remi_tf.settings.objective import ObjectiveSettings


@pytest.mark.parametrize("power", [1.0, 3.0, 7.0])
def test_label_attention_takes_odd_powers_which_keep_the_sign_of_a_product(power):
    assert ObjectiveSettings(label_attention="power", label_power=power).label_power == power


@pytest.mark.parametrize("power", [0.5, 2.0, 4.0])
def test_a_power_that_loses_the_sign_is_refused_unless_products_are_scaled_by_it(power):
    with pytest.raises(InputError, match="take an odd whole number, or --label_attention scale"):
        ObjectiveSettings(label_attention="power", label_power=power)
    assert ObjectiveSettings(label_attention="scale", label_power=power).label_power == power


def test_by_default_no_penalty_and_no_weighting_is_on():
    plain = ObjectiveSettings()
    assert plain.loss == "softmax"
    switches = [each.metadata["switch"] for each in dataclasses.fields(ObjectiveSettings) if each.metadata["switch"]]
    assert switches and not any(getattr(plain, switch) for switch in switches)


def test_a_name_that_is_no_choice_is_answered_with_the_choices():
    for name in ("loss", "sampler", "readout"):
        with pytest.raises(InputError, match=f"--{name} 'best': choose one of "):
            ObjectiveSettings(**{name: "best"})
